import assert from "node:assert/strict";
import * as ort from "onnxruntime-node";
import { contiguous, maxAbsDifference, type Tensor, tensor } from "../../src/array/index.js";
import {
  ablate,
  add,
  crossEntropy,
  loadModel,
  logProb,
  type Model,
  patch,
  scale,
} from "../../src/model/index.js";
import { scratchFolder } from "../scratch.js";
import { familyFolder } from "./families.js";
import { scaledError } from "./reference.js";

const source = [
  [5, 17, 3, 42, 8],
  [1, 2, 3, 4, 5],
];
const decoderInput = [
  [0, 7, 9],
  [0, 4, 11],
];

describe("a model of two stacks", () => {
  const scratch = scratchFolder();
  let model: Model;

  before(async () => {
    model = await loadModel(familyFolder("extra-t5"));
  });

  it("begins with its start token where nothing else is said", async () => {
    const alone = await model.forward(source);
    assert.deepEqual(alone.shape, [2, 1, model.config.dVocab]);
    const said = await model.forward(source, { decoderInput: [[0], [0]] });
    assert.deepEqual(alone, said);
  });

  it("can be edited at positions and heads of the source and of what is written", async () => {
    const changes = [
      ["encoder.1.hook_resid_pre", 3],
      ["encoder.0.attn.hook_pattern", 4],
      ["decoder.1.cross_attn.hook_k", 4],
      ["decoder.0.hook_resid_mid_cross", 2],
      ["decoder.1.cross_attn.hook_pattern", 1],
    ] as const;
    for (const [name, pos] of changes) {
      const axis = model.axes(name).findIndex((one) => one === "pos" || one === "query");
      const halve = (value: Tensor): Tensor => {
        const data = contiguous(value).data.slice();
        const inner = value.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
        for (let i = 0; i < data.length; i++)
          if (Math.floor(i / inner) % value.shape[axis]! === pos) data[i]! *= 0.5;
        return tensor(data, value.shape);
      };
      const hooked = await model.runWithHooks(source, { decoderInput, hooks: [[name, halve]] });
      const edited = await model.forward(source, { decoderInput, edits: [scale(name, 0.5, { pos })] });
      assert.ok(scaledError(edited, hooked.logits, 1) < 1e-5, name);
      assert.ok(scaledError(edited, await model.forward(source, { decoderInput }), 1) > 1e-5, name);
    }
    await assert.rejects(
      model.forward(source, { decoderInput, edits: [ablate("encoder.0.hook_attn_out", { pos: 5 })] }),
      /position 5, but there are 5/,
    );
  });

  it("takes values of another run at points of both stacks", async () => {
    const other = source.map((row) => [...row].reverse());
    const { cache } = await model.runWithCache(other, { decoderInput });
    const names = ["encoder.1.hook_resid_post", "decoder.0.cross_attn.hook_v"];
    const byEncoder = await model.forward(source, { decoderInput, edits: [patch(names[0]!, cache)] });
    const expected = await model.forward(other, { decoderInput });
    assert.ok(scaledError(byEncoder, expected, 1) < 1e-5);
    const byValues = await model.runWithCache(source, {
      decoderInput,
      edits: [patch(names[1]!, cache)],
      names: names[1]!,
    });
    assert.ok(scaledError(byValues.cache.get(names[1]!), cache.get(names[1]!), 1) < 1e-6);
  });

  it("has losses and metrics of what is written", async () => {
    const logits = await model.forward(source, { decoderInput });
    const logProbOf = (row: number, pos: number, id: number): number => {
      const { data } = contiguous(logits.pick(row, pos, null) as Tensor);
      return data[id]! - Math.log(data.reduce((sum, x) => sum + Math.exp(x), 0));
    };
    const written = decoderInput.flatMap((row, b) => row.slice(1).map((id, i) => logProbOf(b, i, id)));
    const mean = -written.reduce((a, b) => a + b) / written.length;
    assert.ok(Math.abs((await model.loss(source, { decoderInput })) - mean) < 1e-5);
    assert.ok(Math.abs((await model.metric(source, crossEntropy(), { decoderInput })) - mean) < 1e-5);
    const value = await model.metric(source, logProb({ token: 6 }), { decoderInput });
    assert.ok(Math.abs(value - (logProbOf(0, 2, 6) + logProbOf(1, 2, 6)) / 2) < 1e-5);
  });

  it("goes on from what is written, with edits in every step", async () => {
    const vector = Float32Array.from({ length: model.config.dModel }, (_, i) => 3 * Math.sin(i));
    const edits = [
      add("encoder.0.hook_resid_post", vector, { pos: 3 }),
      add("decoder.0.hook_resid_post", vector, { pos: 3 }),
      ablate("decoder.1.cross_attn.hook_z", { head: 1, pos: [0, 2] }),
      scale("decoder.1.hook_mlp_out", 0.5),
    ];
    const row = [0, 7];
    for (let i = 0; i < 4; i++) {
      const there = edits.filter(
        ({ pos, point }) => pos !== 3 || String(point).startsWith("e") || row.length > 3,
      );
      const run =
        row.length < 3
          ? there.map((edit) => (Array.isArray(edit.pos) ? { ...edit, pos: [0] } : edit))
          : there;
      const { data } = contiguous(
        await model.forward([source[0]!], { decoderInput: [row], edits: run, logits: "last" }),
      );
      row.push(data.reduce((best, x, id) => (x > data[best]! ? id : best), 0));
    }
    const { tokens } = await model.generate([source[0]!], {
      decoderInput: [[0, 7]],
      edits,
      maxNewTokens: 4,
      stopAtEos: false,
    });
    assert.deepEqual(tokens, [row]);
    const seen: string[] = [];
    const watch = (_: Tensor, { name }: { name: string }): void => {
      seen.push(name);
    };
    const names = ["encoder.1.hook_resid_pre", "decoder.0.hook_resid_pre"];
    await model.generate([source[0]!], { maxNewTokens: 2, hooks: names.map((name) => [name, watch]) });
    assert.deepEqual(seen, [names[0], names[1], names[1]]); // the source is read once
  });

  it("is exported with inputs for both", async () => {
    await model.exportOnnx(scratch("t5.onnx"), { outputs: ["encoder.1.hook_resid_post"] });
    const session = await ort.InferenceSession.create(scratch("t5.onnx"));
    const feed = (rows: number[][]): ort.Tensor =>
      new ort.Tensor("int64", BigInt64Array.from(rows.flat(), BigInt), [rows.length, rows[0]!.length]);
    const outputs = await session.run({
      tokens: feed(decoderInput),
      "source.tokens": feed(source),
      "source.mask": feed(source.map((row) => row.map(() => 1))),
    });
    const expected = await model.forward(source, { decoderInput });
    const logits = tensor(outputs.logits!.data as Float32Array, expected.shape);
    assert.ok(maxAbsDifference(logits, expected) < 1e-5);
    await session.release();
  });

  it("refuses what does not fit it", async () => {
    await assert.rejects(model.forward(source, { decoderInput: [[0]] }), /1 decoder inputs for 2 sources/);
    await assert.rejects(model.runWithCache(source, { stopAtLayer: 1 }), /one stack.*has two/);
    const single = await loadModel(familyFolder("gpt2"));
    await assert.rejects(single.forward([[1]], { decoderInput: [[1]] }), /no decoderInput/);
    await assert.rejects(
      loadModel(familyFolder("extra-t5"), { quantization: "int8" }),
      /"t5" are not quantised/,
    );
    await assert.rejects(
      loadModel(familyFolder("extra-t5"), { processing: { foldLn: true } }),
      /"foldLn" has no meaning for t5/,
    );
  });
});
