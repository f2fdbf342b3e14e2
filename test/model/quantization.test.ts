import assert from "node:assert/strict";
import { cpSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { contiguous, type Tensor, tensor, writeSafetensors } from "../../src/array/index.js";
import { ablate, loadModel, logitDiff, type Model } from "../../src/model/index.js";
import { scratchCache } from "../cache.js";
import { scratchFolder } from "../scratch.js";
import { fixture } from "../shared.js";
import { scaledError, Worst } from "./reference.js";

const tokens = [
  [5, 17, 3, 42, 8, 61, 5],
  [1, 2, 3, 4, 5, 6, 7],
];

/** A model of float32 weights that are those which the quantised ones stand for. */
async function rounded(model: Model, source: string, folder: string): Promise<Model> {
  mkdirSync(folder, { recursive: true });
  cpSync(join(source, "config.json"), join(folder, "config.json"));
  // biome-ignore lint/complexity/useLiteralKeys: the parameters are nobody's business but this test's
  const { parameters } = model["parts"].engine;
  const tensors = new Map<string, Tensor>();
  for (const name of parameters.names) tensors.set(name, parameters.read(name));
  await writeSafetensors(join(folder, "model.safetensors"), tensors);
  return loadModel(folder);
}

for (const family of ["gpt2", "llama"])
  for (const quantization of ["int8", "int4", { bits: 4, blockSize: 16 }] as const)
    describe(`${family} quantised as ${JSON.stringify(quantization)}`, () => {
      scratchCache();
      const scratch = scratchFolder();
      const source = fixture("models", family);

      it("computes with the weights that the integers and scales stand for, at every point and in gradients", async () => {
        const model = await loadModel(source, { quantization });
        const same = await rounded(model, source, scratch("rounded"));
        assert.deepEqual(model.hookNames, same.hookNames);
        const worst = new Worst();
        const names = model.hookNames;
        const [a, b] = await Promise.all([
          model.runWithCache(tokens, { names }),
          same.runWithCache(tokens, { names }),
        ]);
        worst.add("logits", scaledError(a.logits, b.logits, 1));
        for (const name of names) worst.add(name, scaledError(a.cache.get(name), b.cache.get(name), 1));
        const metric = logitDiff({ correct: 3, incorrect: 4 });
        const points = [
          ["resid_pre", 0],
          ["z", 1],
          ["pattern", 0],
        ] as const;
        const [x, y] = await Promise.all([
          model.gradients(tokens, metric, points),
          same.gradients(tokens, metric, points),
        ]);
        for (const name of x.cache.names)
          worst.add(`gradient at ${name}`, scaledError(x.cache.get(name), y.cache.get(name), 1));
        const edits = [ablate(["z", 0], { head: 1 })];
        worst.add(
          "edit",
          scaledError(await model.forward(tokens, { edits }), await same.forward(tokens, { edits }), 1),
        );
        // The kernels for packed weights are others.
        // biome-ignore lint/complexity/useLiteralKeys: which kernels run is nobody's business but this test's
        await model["parts"].engine.plan({ points: [], logits: "all", edits: [], padded: false }).pack();
        worst.add("packed", scaledError(await model.forward(tokens), b.logits, 1));
        console.log(`      ${worst}`);
        assert.ok(worst.error < 2e-5, String(worst));
        const options = { maxNewTokens: 6 };
        assert.deepEqual(
          (await model.generate(tokens, options)).tokens,
          (await same.generate(tokens, options)).tokens,
        );
      });

      it("has each weight within half a step of the original, in the size that its bits say", async () => {
        const plain = await loadModel(source);
        const model = await loadModel(source, { quantization });
        const bits = quantization === "int8" ? 8 : 4;
        for (const name of ["W_Q", "W_O", "W_in", "W_out"]) {
          const [q, w] = [contiguous(model.weights.get(name)).data, contiguous(plain.weights.get(name)).data];
          const largest = w.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
          // Half a step, but a whole one at the end that has one integer less.
          const step = largest / 2 ** (bits - 1);
          assert.ok(
            q.every((value, i) => Math.abs(value - w[i]!) <= step * 1.001),
            name,
          );
          assert.ok(q.some((value, i) => value !== w[i]));
        }
        assert.deepEqual(model.weights.get("W_E"), plain.weights.get("W_E"));
        const [file] = readdirSync(join(process.env.TSLENS_CACHE!, "weights"));
        const size = statSync(join(process.env.TSLENS_CACHE!, "weights", file!)).size;
        assert.ok(
          size < statSync(join(source, "model.safetensors")).size * (bits === 8 ? 0.55 : 0.45),
          String(size),
        );
      });

      it("has logits near those of the original, as far as its bits allow, and exports what plain ONNX Runtime runs", async () => {
        const plain = await loadModel(source);
        const model = await loadModel(source, { quantization });
        const logits = await model.forward(tokens);
        const error = scaledError(logits, await plain.forward(tokens), 1);
        console.log(`      largest error of a logit, of the largest logit: ${(100 * error).toFixed(1)} %`);
        assert.ok(error > 0 && error < (quantization === "int8" ? 0.05 : 0.5), String(error));
        await model.exportOnnx(scratch("model.onnx"));
        const session = await ort.InferenceSession.create(scratch("model.onnx"));
        const feed = new ort.Tensor("int64", BigInt64Array.from(tokens.flat(), BigInt), [2, 7]);
        const { logits: exported } = await session.run({ tokens: feed });
        assert.ok(scaledError(tensor(exported!.data as Float32Array, logits.shape), logits, 1) < 1e-5);
      });

      it("refuses gradients with respect to the quantised weights, by name", async () => {
        const model = await loadModel(source, { quantization });
        await assert.rejects(
          model.parameterGradients(tokens, logitDiff({ correct: 3, incorrect: 4 })),
          /are quantised.*load the model without quantization/,
        );
      });
    });

describe("quantization", () => {
  it("refuses bits and blocks that it does not know", async () => {
    for (const quantization of ["int2", { bits: 3 }, { bits: 4, blockSize: 17 }])
      await assert.rejects(
        loadModel(fixture("models", "gpt2"), { quantization: quantization as never }),
        /quantization .* is not known; it is "int8"/,
      );
  });
});
