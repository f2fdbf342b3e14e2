import assert from "node:assert/strict";
import * as ort from "onnxruntime-node";
import { contiguous, maxAbsDifference, tensor } from "../../src/array/index.js";
import { ablate, add, loadModel, type Model, patch, project, scale } from "../../src/model/index.js";
import { scratchFolder } from "../scratch.js";
import { fixture } from "../shared.js";

const tokens = [
  [5, 17, 3, 99, 42],
  [1, 2, 3, 4, 5],
];

/** What plain ONNX Runtime makes of a file. */
async function runPlain(path: string): Promise<ort.InferenceSession.OnnxValueMapType> {
  const session = await ort.InferenceSession.create(path);
  assert.deepEqual(session.inputNames, ["tokens"]);
  const ids = BigInt64Array.from(tokens.flat(), BigInt);
  const outputs = await session.run({ tokens: new ort.Tensor("int64", ids, [2, 5]) });
  await session.release();
  return outputs;
}

for (const family of ["gpt2", "llama"])
  describe(`an exported ${family}`, () => {
    const scratch = scratchFolder();
    let model: Model;

    before(async () => {
      model = await loadModel(fixture("models", family));
    });

    it("is run by plain ONNX Runtime, with the same logits and points", async () => {
      await model.exportOnnx(scratch("model.onnx"), { outputs: [["pattern", 1], "ln_final.hook_scale"] });
      const outputs = await runPlain(scratch("model.onnx"));
      const { logits, cache } = await model.runWithCache(tokens);
      assert.deepEqual(Object.keys(outputs), ["blocks.1.attn.hook_pattern", "ln_final.hook_scale", "logits"]);
      for (const [name, expected] of [
        ["logits", logits],
        ["blocks.1.attn.hook_pattern", cache.get("pattern", 1)],
      ] as const) {
        const { data, dims } = outputs[name]!;
        assert.deepEqual([...dims], expected.shape);
        assert.ok(maxAbsDifference(tensor(data as Float32Array, dims), contiguous(expected)) < 1e-5);
      }
    });

    it("keeps its edits", async () => {
      const vector = Float32Array.from({ length: model.config.dModel }, (_, i) => Math.sin(i));
      const edits = [
        ablate(["z", 0], { head: 1 }),
        add(["resid_pre", 1], vector, { coefficient: 2 }),
        scale(["mlp_out", 1], 0.5),
        project(["resid_post", 0], vector),
      ];
      await model.withEdits(edits.slice(0, 1)).exportOnnx(scratch("edited.onnx"), { edits: edits.slice(1) });
      const { logits } = await runPlain(scratch("edited.onnx"));
      const expected = await model.forward(tokens, { edits });
      assert.ok(maxAbsDifference(tensor(logits!.data as Float32Array, expected.shape), expected) < 1e-5);
    });

    it("refuses edits that belong to one input", async () => {
      const { cache } = await model.runWithCache(tokens);
      for (const edit of [ablate(["z", 0], { pos: 2 }), patch(["z", 0], cache)])
        await assert.rejects(
          model.exportOnnx(scratch("refused.onnx"), { edits: [edit] }),
          /belongs to one input/,
        );
    });
  });
