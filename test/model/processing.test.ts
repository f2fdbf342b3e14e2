import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import {
  contiguous,
  logSoftmax,
  type NpyArray,
  npyToTensor,
  readNpz,
  type Tensor,
  toNested,
} from "../../src/array/index.js";
import { loadModel } from "../../src/model/index.js";
import { scratchCache } from "../cache.js";
import { fixture, shared, sharedOrSkip } from "../shared.js";
import { scaledError, Worst } from "./reference.js";

const tokens = [
  [5, 17, 3, 42, 8, 61, 5],
  [1, 2, 3, 4, 5, 6, 7],
];

describe("processed weights", () => {
  scratchCache();

  for (const family of ["gpt2", "llama"])
    it(`of ${family} are TransformerLens's, and so are the values that they give at every point`, async function () {
      const folder = sharedOrSkip(this, "golden", "models", family);
      const model = await loadModel(folder, { processing: true });
      const expected = await readNpz(join(folder, "processed.npz"));
      const rows = toNested(npyToTensor(expected.get("tokens") as NpyArray)) as number[][];
      const { logits, cache } = await model.runWithCache(rows, { names: model.hookNames });
      const worst = new Worst();
      for (const [name, array] of expected) {
        const value = npyToTensor(array as NpyArray);
        const hook = name.split("processed.hook.")[1];
        const weight = /^processed\.weight\.(?:blocks\.(\d+)\.)?\w+\._?(\w+)$/.exec(name);
        if (name === "processed.logits") worst.add(name, scaledError(logits, value, 1));
        else if (name === "processed.log_probs") worst.add(name, scaledError(logSoftmax(logits), value, 1));
        else if (hook) worst.add(name, scaledError(cache.get(hook), value, 1));
        else if (weight) {
          const all = model.weights.get(weight[2]!);
          const layer =
            weight[1] === undefined
              ? all
              : all.pick(Number(weight[1]), ...all.shape.slice(1).map(() => null));
          worst.add(name, scaledError(layer as Tensor, value, 1));
        }
      }
      console.log(`      ${worst}`);
      assert.ok(worst.count > 90);
      assert.ok(worst.error < 5e-6, String(worst));
    });

  it("leave every family's log probabilities as they are", async () => {
    const golden = shared("golden", "models");
    const folders = golden
      ? readdirSync(golden)
          .filter((name) => !/^extra|classifier|analyses|README/.test(name))
          .map((name) => join(golden, name))
      : ["gpt2", "llama"].map((name) => fixture("models", name));
    const worst = new Worst();
    for (const folder of folders) {
      const plain = logSoftmax(await (await loadModel(folder)).forward(tokens));
      const processed = logSoftmax(await (await loadModel(folder, { processing: true })).forward(tokens));
      worst.add(folder.split("/").at(-1)!, scaledError(processed, plain, 1));
    }
    console.log(`      ${worst}`);
    assert.ok(worst.error < 1e-5, String(worst));
  });

  it("have what their names say: plain norms, means of zero, no biases of values", async () => {
    const model = await loadModel(fixture("models", "gpt2"), { processing: true });
    const means = (x: Tensor, axis: number): number => {
      const moved = contiguous(axis === -1 ? x : (x.transpose(1, 0) as Tensor));
      const width = moved.shape.at(-1)!;
      let worst = 0;
      for (let from = 0; from < moved.data.length; from += width)
        worst = Math.max(worst, Math.abs(moved.data.subarray(from, from + width).reduce((a, b) => a + b, 0)));
      return worst / width;
    };
    const { weights } = model;
    for (const name of ["W_E", "W_pos", "W_O", "b_O", "W_out", "b_out", "W_U"])
      assert.ok(means(weights.get(name), -1) < 1e-6, name);
    assert.ok(means(weights.get("W_Q").pick(1, 2, null, null) as Tensor, 0) < 1e-6);
    assert.ok(weights.get("b_V").data.every((value) => value === 0));
  });

  it("are made one by one where one is asked for, and not at all by default", async () => {
    const folder = fixture("models", "gpt2");
    const plain = await loadModel(folder);
    const folded = await loadModel(folder, { processing: { foldValueBiases: true } });
    assert.deepEqual(folded.weights.get("W_Q"), plain.weights.get("W_Q"));
    assert.ok(folded.weights.get("b_V").data.every((value) => value === 0));
    assert.ok(plain.weights.get("b_V").data.some((value) => value !== 0));
    const a = await plain.forward(tokens);
    assert.ok(scaledError(await folded.forward(tokens), a, 1) < 1e-5);
  });

  it("are refused with the reason where they would change what a model computes", async function () {
    const refused = (family: string, processing: object, reason: RegExp): Promise<void> =>
      assert.rejects(loadModel(sharedOrSkip(this, "golden", "models", family), { processing }), reason);
    await refused("llama", { centerWritingWeights: true }, /llama.*do not subtract the mean/);
    await refused("gemma2", { centerUnembed: true }, /gemma2.*capped/);
    await refused("bert", { foldLn: true }, /bert.*norms do not act on what attention and MLP read/);
    await refused("olmo2", { foldLn: true }, /olmo2/);
  });
});
