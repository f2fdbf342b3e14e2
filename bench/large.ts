/** The memory and time that a Llama of a billion weights of 16 bits takes to load and to run, in fresh processes. */

import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { packageFolder } from "../src/array/index.js";
import { largeModel } from "./lib/large.js";
import { randomTokens } from "./lib/model.js";
import { readOptions } from "./lib/options.js";
import { megabytes, printTable, record } from "./lib/report.js";

const options = readOptions();
const folder = await largeModel(options);
const built = join(packageFolder(), "dist", "src", "index.js");
if (!existsSync(built)) throw new Error(`There is no ${built}: run "npm run build" first.`);
const child = join(packageFolder(), "bench", "lib", "ready-child.mjs");
const size = statSync(join(folder, "model.safetensors")).size;
const tokens = JSON.stringify(randomTokens(256, 1, 15));
const rows = [1, 2].map((loads) => {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [child, pathToFileURL(built).href, folder, tokens, String(loads)],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(stderr);
  const report = JSON.parse(stdout.trim().split("\n").at(-1)!);
  record({ task: "large", who: `loaded ${loads}×`, report });
  const { resident, proportional, anonymous, peak } = report.memory.at(-1);
  const times = [report.loadSeconds, report.firstSeconds].map((seconds) => (1000 * seconds).toFixed(0));
  return [
    `loaded ${loads}×`,
    ...times,
    ...[resident, proportional, anonymous, peak].map(megabytes),
    (proportional / size).toFixed(2),
  ];
});
console.log(
  `\nA file of ${megabytes(size)} MB; what is in memory (pages that are mapped twice counted once) should be within 1.2 × of it.`,
);
printTable(["ms and MB", "load", "first logits", "resident", "once", "anonymous", "peak", "once/file"], rows);
