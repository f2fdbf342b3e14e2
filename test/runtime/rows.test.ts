import assert from "node:assert/strict";
import { maxAbsDifference } from "../../src/array/index.js";
import * as g from "../../src/graph/index.js";
import { ablate, add, loadModel } from "../../src/model/index.js";
import type { Feed } from "../../src/runtime/ort.js";
import { Runtime } from "../../src/runtime/plan.js";
import { runByRows } from "../../src/runtime/rows.js";
import { fixture } from "../shared.js";

const runtime = new Runtime({ source: () => ({ kind: "fed" }) });
const x = g.input("x", "float32", ["batch", "pos"]);
const shift = g.input("shift", "float32", ["pos"]);
const feeds: Record<string, Feed> = {
  x: { dtype: "float32", shape: [5, 3], data: Float32Array.from({ length: 15 }, (_, i) => i) },
  shift: { dtype: "float32", shape: [3], data: Float32Array.of(1, 2, 3) },
};

describe("a batch run some rows at a time", () => {
  it("gives what it gives at once, whatever the number of rows", async () => {
    const y = g.add(x, shift);
    const plan = runtime.plan({
      outputs: { y, again: g.point("again", y, ["batch", "pos"]), sum: g.sum(x, [1]) },
    });
    const whole = await plan.run(feeds);
    for (const rows of [1, 2, 3, 4, 5, 9]) assert.deepEqual(await runByRows(plan, feeds, rows), whole);
  });

  it("is run whole where rows do not come first", async () => {
    const plan = runtime.plan({ outputs: { y: g.transpose(x, [1, 0]), mean: g.mean(x) } });
    assert.deepEqual(await runByRows(plan, feeds, 1), await plan.run(feeds));
  });

  it("ends between parts when its signal is aborted", async () => {
    const stop = new AbortController();
    const plan = runtime.plan({ outputs: { y: g.mul(x, 2) } });
    const running = runByRows(plan, feeds, 1, { signal: stop.signal });
    stop.abort(new Error("enough"));
    await assert.rejects(running, /enough/);
  });

  it("is what a model does with a long batch, to the same values", async () => {
    const model = await loadModel(fixture("models", "gpt2"));
    const tokens = Array.from({ length: 20_000 }, (_, row) =>
      Array.from({ length: 8 }, (_, i) => (row * 7 + i * 13) % 101),
    );
    const vector = Float32Array.from({ length: 32 }, (_, i) => Math.sin(i));
    const edits = [
      ablate("blocks.0.attn.hook_z", { head: 1, pos: -1 }),
      add("blocks.1.hook_resid_pre", vector, { coefficient: tokens.map((_, row) => row / 1000) }),
    ];
    const long = await model.forward(tokens, { edits, logits: "last" });
    const row = 19_990;
    const few = [
      ablate("blocks.0.attn.hook_z", { head: 1, pos: -1 }),
      add("blocks.1.hook_resid_pre", vector, { coefficient: [row / 1000] }),
    ];
    const alone = await model.forward([tokens[row]!], { edits: few, logits: "last" });
    assert.ok(maxAbsDifference(long.hi(row + 1, 1, 101).lo(row, 0, 0), alone) < 1e-5);
  });
});
