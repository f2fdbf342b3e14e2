import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../shared.js";

const programs = readdirSync(join(repository, "bench")).filter((file) => file.endsWith(".ts"));
/** What each program has measured when it ends. */
const measured: Record<string, readonly RegExp[]> = {
  "acdc.ts": [/^One edge on average \[4, 8\]: \d/m, /^A whole search .* \d+ edges kept/m],
  "calibrate.ts": [/^matrix products \[/m, /GFLOP\/s/],
  "eap.ts": [/^EAP of all edges \[4, 8\]/m, /^EAP-IG of all edges/m, /^judging one circuit/m],
  "forward.ts": [
    /^all logits \[2, 16\]/m,
    /^all points and logits \[2, 16\]/m,
    /hook_resid_post only {2,}\d/,
  ],
  "generate.ts": [
    /^Steered alone and in the batch: 10 of 10 new tokens are the same/m,
    /^tslens, steered and not {2,}\d/m,
  ],
  "kernel.ts": [
    /^kernel ready: /m,
    /^trivial cell, .*\n(?:.*\n){2}tslens {2,}\d.*\ntslab {2,}\d/m,
    /^completion, with the engine and a model: /m,
  ],
  "large.ts": [/^loaded 1× {2,}\d/m, /^loaded 2× {2,}\d/m],
  "patching.ts": [/^patching resid_pre, layer by position/m, /^patching heads \[/m],
  "ready.ts": [/^ready: /m, /^tslens, loaded twice {2,}\d/m],
  "train.ts": [/^training step \[/m],
};

describe("the measuring programs", () => {
  for (const program of programs)
    it(`${program} runs on a tiny model, without peers`, () => {
      if (["kernel.ts", "large.ts", "ready.ts"].includes(program))
        assert.ok(
          existsSync(join(repository, "dist", "src", "index.js")),
          `${program} measures the build, which is not there: npm run build`,
        );
      const output = execFileSync(
        process.execPath,
        ["--import", "tsx", join("bench", program), "--quick", "--rounds", "1"],
        {
          cwd: repository,
          encoding: "utf8",
          env: { ...process.env, PEERS_DIR: "" },
        },
      );
      for (const expected of measured[program] ?? [/$^/]) assert.match(output, expected);
    });
});
