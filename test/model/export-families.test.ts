import assert from "node:assert/strict";
import * as ort from "onnxruntime-node";
import { contiguous, maxAbsDifference, type Tensor, tensor } from "../../src/array/index.js";
import { loadModel, type Model } from "../../src/model/index.js";
import { scratchFolder } from "../scratch.js";
import { someTokens, target } from "./checks.js";
import { familyFolder, goldenFamilies } from "./families.js";

describe("a model written as ONNX", () => {
  const scratch = scratchFolder();

  /** The inputs of a file by their names, for token ids without padding. */
  function inputs(model: Model, names: readonly string[], tokens: number[][]): Record<string, ort.Tensor> {
    const fill = (rows: number[][], value: number): number[][] => rows.map((row) => row.map(() => value));
    const rows: Record<string, number[][]> = {
      tokens: target(model, tokens).decoderInput ?? tokens,
      tokenTypes: fill(tokens, 0),
      "source.tokens": tokens,
      "source.mask": fill(tokens, 1),
    };
    return Object.fromEntries(
      names.map((name) => {
        const data = BigInt64Array.from(rows[name]!.flat(), BigInt);
        return [name, new ort.Tensor("int64", data, [rows[name]!.length, rows[name]![0]!.length])];
      }),
    );
  }

  for (const [family, title] of Object.entries(goldenFamilies))
    it(`is run by plain ONNX Runtime with the same logits and points: ${title}`, async () => {
      const model = await loadModel(familyFolder(family));
      const tokens = someTokens(model, 2, 7);
      const point = model.hookNames.filter((name) => /resid_post$/.test(name)).at(-1)!;
      await model.exportOnnx(scratch("model.onnx"), { outputs: [point] });
      const session = await ort.InferenceSession.create(scratch("model.onnx"));
      const outputs = await session.run(inputs(model, session.inputNames, tokens));
      await session.release();
      const { logits, cache } = await model.runWithCache(tokens, { ...target(model, tokens), names: point });
      const close = (name: string, expected: Tensor): void => {
        const { data, dims } = outputs[name]!;
        assert.deepEqual([...dims], expected.shape);
        assert.ok(maxAbsDifference(tensor(data as Float32Array, dims), contiguous(expected)) < 1e-5, name);
      };
      close("logits", logits);
      close(point, cache.get(point));
    });
});
