import assert from "node:assert/strict";
import * as ort from "onnxruntime-node";
import {
  type AnyTensor,
  contiguous,
  type NpyArray,
  npyToTensor,
  readNpz,
  type Tensor,
  tensor,
  zeros,
} from "../../src/array/index.js";
import * as g from "../../src/graph/index.js";
import { Expression, type Value } from "../../src/graph/index.js";
import {
  ablate,
  add,
  clamp,
  type Edit,
  loadOnnx,
  type OnnxInputs,
  type OnnxMetric,
  type OnnxModel,
  patch,
  project,
  scale,
} from "../../src/model/index.js";
import { scratchFolder } from "../scratch.js";
import { fixture } from "../shared.js";
import { scaledError, Worst } from "./reference.js";

const file = (name: string): string => fixture("onnx", `${name}.onnx`);

/** A model with the values and gradients that PyTorch gives for it. */
interface Case {
  readonly model: OnnxModel;
  readonly inputs: Record<string, AnyTensor>;
  readonly names: readonly string[];
  readonly expected: (name: string) => Tensor;
  /** The sum of all outputs, each times its weight. */
  readonly metric: OnnxMetric;
}

async function open(name: string): Promise<Case> {
  const model = await loadOnnx(file(name));
  const arrays = await readNpz(fixture("onnx", `${name}.npz`));
  const expected = (key: string): Tensor => npyToTensor(arrays.get(key) as NpyArray);
  const inputs = Object.fromEntries(
    model.inputs.map(({ name: input }) => {
      const { data, shape } = arrays.get(`input.${input}`) as NpyArray;
      return [input, tensor(data as never, shape) as AnyTensor];
    }),
  );
  const metric: OnnxMetric = ({ outputs }) =>
    Object.entries(outputs)
      .map(([output, value]) => {
        const { data, shape } = contiguous(expected(`weight.${output}`));
        const weight = new Expression(g.constant(Array.from(data), shape));
        // The sizes of the reference are numbers, those of the model names.
        const sized: Value = g.assume(value.value, shape);
        return new Expression(sized).mul(weight).sum();
      })
      .reduce((a, b) => a.add(b));
  return { model, inputs, names: [...arrays.keys()], expected, metric };
}

const under = ({ names }: Case, prefix: string): string[] =>
  names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));

const sources = {
  "classifier-torchscript": "a convolutional classifier of PyTorch's older exporter",
  "classifier-dynamo": "a convolutional classifier of PyTorch's newer exporter",
  "decoder-torchscript": "a decoder of images of PyTorch's older exporter",
  "decoder-dynamo": "a decoder of images of PyTorch's newer exporter",
  "gpt2-torchscript": "a GPT-2 of PyTorch's older exporter",
  "gpt2-dynamo": "a GPT-2 of PyTorch's newer exporter",
  "llama-cached": "a Llama that takes and gives keys and values",
  lstm: "an LSTM and a GRU",
  loop: "a loop with a branch in it",
};

for (const [name, what] of Object.entries(sources))
  describe(`${what} (${name}.onnx)`, () => {
    let known: Case;

    before(async () => {
      known = await open(name);
    });

    it("agrees with PyTorch on outputs and points", async () => {
      const { model, inputs, expected } = known;
      const { outputs, cache } = await model.run(inputs);
      const worst = new Worst();
      for (const [output, value] of Object.entries(outputs))
        worst.add(output, scaledError(value, expected(`output.${output}`)));
      for (const point of under(known, "value."))
        worst.add(point, scaledError(cache.get(point), expected(`value.${point}`)));
      console.log(`      ${worst}`);
      assert.ok(worst.error < 5e-5);
    });

    it("has the points of the file, with the shapes that they turn out to have", async () => {
      const { model, inputs } = known;
      const { cache } = await model.run(inputs);
      const sizes = new Map<string, number>();
      for (const point of model.hookNames) {
        const { shape, axes } = model.point(point);
        const running = cache.get(point).shape;
        assert.equal(running.length, shape.length, point);
        assert.equal(axes.length, shape.length, point);
        shape.forEach((dim, i) => {
          if (typeof dim === "number") assert.equal(running[i], dim, `axis ${i} of ${point}`);
          else if (sizes.has(dim)) assert.equal(running[i], sizes.get(dim), `${dim} of ${point}`);
          else sizes.set(dim, running[i]!);
        });
      }
    });

    it("agrees with PyTorch on gradients, or says across what they cannot go", async () => {
      const { model, inputs, metric, expected } = known;
      const points = under(known, "gradient.");
      const worst = new Worst();
      for (const point of points) {
        const reach = model.gradients(inputs, metric, [point]);
        if (model.unsupportedGradients.length > 0 && point !== "tags") {
          await assert.rejects(reach, /GRU at "\/gru\/GRU_output_0"/);
          continue;
        }
        const { cache } = await reach;
        worst.add(point, scaledError(cache.get(point), expected(`gradient.${point}`)));
      }
      console.log(`      ${worst}`);
      assert.ok(worst.error < 1e-4);
    });

    it("hands a value on unchanged to what follows a hook, at every point", async () => {
      const { model, inputs } = known;
      const plain = await model.forward(inputs);
      const seen: string[] = [];
      const hooks = model.hookNames
        .filter((_, i) => i % 7 === 3)
        .map((point) => [point, (): void => void seen.push(point)] as const);
      const { outputs } = await model.runWithHooks(inputs, { hooks });
      assert.deepEqual(seen.sort(), hooks.map(([point]) => point).sort());
      for (const [output, value] of Object.entries(outputs))
        assert.ok(scaledError(value, plain[output]!) < 1e-5, output);
    });
  });

/** What plain ONNX Runtime makes of a file. */
async function runPlain(path: string, inputs: OnnxInputs): Promise<Record<string, Tensor>> {
  const session = await ort.InferenceSession.create(path);
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, { data, shape }]) => [name, new ort.Tensor(data as never, shape)]),
  );
  const results = await session.run(feeds);
  await session.release();
  return Object.fromEntries(
    Object.entries(results).map(([name, { data, dims }]) => [
      name,
      tensor(Float32Array.from(data as Float32Array, Number), dims),
    ]),
  );
}

describe("surgery on ONNX models", () => {
  const scratch = scratchFolder();

  for (const name of Object.keys(sources))
    for (const weights of ["inline", "external"] as const)
      it(`${name} is written with ${weights} weights, and read again with the same values and points`, async () => {
        const { model, inputs } = await open(name);
        const path = scratch("again.onnx");
        await model.exportOnnx(path, { weights });
        const again = await loadOnnx(path);
        assert.deepEqual(
          again.inputs.map((input) => input.name),
          model.inputs.map((input) => input.name),
        );
        const first = await model.run(inputs);
        const second = await again.run(inputs);
        const shared = model.hookNames.filter((point) => again.hookNames.includes(point));
        assert.ok(shared.length > 0.5 * model.hookNames.length);
        for (const point of shared) {
          assert.deepEqual(again.point(point).axes, model.point(point).axes, point);
          assert.ok(scaledError(second.cache.get(point), first.cache.get(point)) < 1e-5, point);
        }
        const plain = await runPlain(path, inputs);
        for (const [output, value] of Object.entries(first.outputs))
          assert.ok(scaledError(plain[output]!, value) < 1e-5, output);
      });

  it("writes an edited classifier that plain ONNX Runtime runs, points as outputs too", async () => {
    const { model, inputs } = await open("classifier-torchscript");
    const edits: Edit[] = [
      scale("image", 0.5),
      ablate("/conv1/Conv_output_0", { mode: "mean" }),
      add("logits", Float32Array.of(1, 2, 3, 4, 5), { coefficient: 0.25 }),
      clamp(/Relu/, { max: 0.5 }),
      scale("conv2.weight", 2),
    ];
    const path = scratch("edited.onnx");
    const outputs = ["/pool/MaxPool_output_0"];
    await model.withEdits(edits.slice(0, 2)).exportOnnx(path, { edits: edits.slice(2), outputs });
    const plain = await runPlain(path, inputs);
    const expected = await model.run(inputs, { edits, names: outputs });
    assert.deepEqual(Object.keys(plain).sort(), ["/pool/MaxPool_output_0", "logits"]);
    assert.ok(scaledError(plain.logits!, expected.outputs.logits!) < 1e-5);
    assert.ok(scaledError(plain[outputs[0]!]!, expected.cache.get(outputs[0]!)) < 1e-5);
    assert.ok(scaledError(plain.logits!, (await model.forward(inputs)).logits!) > 0.05);
  });
});

describe("edits of ONNX models", () => {
  const conv = "/conv1/Conv_output_0";
  let known: Case;

  before(async () => {
    known = await open("classifier-torchscript");
  });

  it("do what a hook that computes the same does", async () => {
    const { model, inputs } = known;
    const { cache } = await model.run(inputs);
    const value = cache.get(conv);
    const other = tensor(
      Float32Array.from(contiguous(value).data, (x) => Math.sin(7 * x)),
      value.shape,
    );
    const width = value.shape[3]!;
    const direction = Float32Array.from({ length: width }, (_, i) => Math.cos(i));
    const norm = Math.hypot(...direction);
    const alongLast = (change: (row: Float32Array) => Float32Array) => (x: Tensor) => {
      const { data, shape } = contiguous(x);
      const result = Float32Array.from(data);
      for (let at = 0; at < data.length; at += width) result.set(change(data.slice(at, at + width)), at);
      return tensor(result, shape);
    };
    const each = (change: (x: number) => number) => (x: Tensor) =>
      tensor(Float32Array.from(contiguous(x).data, change), x.shape);
    const cases: [Edit, (value: Tensor) => Tensor][] = [
      [ablate(conv), each(() => 0)],
      [ablate(conv, { mode: "mean", source: 0.25 }), each(() => 0.25)],
      [scale(conv, -2), each((x) => -2 * x)],
      [clamp(conv, { min: -0.1, max: 0.3 }), each((x) => Math.min(Math.max(x, -0.1), 0.3))],
      [patch(conv, other), () => other],
      [
        add(conv, direction, { coefficient: 3 }),
        alongLast((row) => row.map((x, i) => x + 3 * direction[i]!)),
      ],
      [
        project(conv, direction),
        alongLast((row) => {
          const along = row.reduce((sum, x, i) => sum + x * (direction[i]! / norm), 0);
          return row.map((x, i) => x - along * (direction[i]! / norm));
        }),
      ],
    ];
    for (const [edit, hook] of cases) {
      const edited = await model.forward(inputs, { edits: [edit] });
      const hooked = await model.runWithHooks(inputs, { hooks: [[conv, hook]] });
      assert.ok(scaledError(edited.logits!, hooked.outputs.logits!) < 1e-5, edit.kind);
    }
    const rows = await model.forward(inputs, {
      edits: [add("logits", Float32Array.of(1, 0, 0, 0, 0), { coefficient: [1, -1] })],
    });
    const plain = await model.forward(inputs);
    assert.ok(Math.abs(rows.logits!.get(0, 0) - plain.logits!.get(0, 0) - 1) < 1e-5);
    assert.ok(Math.abs(rows.logits!.get(1, 0) - plain.logits!.get(1, 0) + 1) < 1e-5);
  });

  it("are seen by what is computed after them, and gradients are those of the edited network", async () => {
    const { model, inputs, metric } = known;
    const edits = [scale(conv, 1.5)];
    const { cache, value } = await model.gradients(inputs, metric, [conv, "image"], { edits });
    const step = 1e-2;
    const moved = async (by: number): Promise<number> => {
      const image = contiguous(inputs.image as Tensor);
      const data = Float32Array.from(image.data);
      data[77]! += by;
      return model.metric({ image: tensor(data, image.shape) }, metric, { edits });
    };
    const numeric = ((await moved(step)) - (await moved(-step))) / (2 * step);
    assert.ok(Math.abs(numeric - cache.get("image").data[77]!) < 2e-2 * Math.max(1, Math.abs(numeric)));
    assert.ok(Math.abs(value - (await model.metric(inputs, metric, { edits }))) < 1e-5);
  });

  it("choose positions where a dimension is called pos", async () => {
    const { model, inputs } = await open("lstm");
    const point = "/embed/Gather_output_0";
    assert.deepEqual(model.point(point).axes, ["batch", "pos", "axis2"]);
    const { cache } = await model.run(inputs, { edits: [ablate(point, { pos: -1 })] });
    const plain = (await model.run(inputs)).cache.get(point);
    const value = cache.get(point);
    assert.equal(value.get(1, 5, 3), 0);
    assert.equal(value.get(1, 4, 3), plain.get(1, 4, 3));
  });

  it("GradCAM's weights are the means of a gradient at a convolution", async () => {
    const { model, inputs } = known;
    const { cache } = await model.gradients(inputs, ({ logits }) => logits.at(0, 2), [conv]);
    const slopes = cache.get(conv);
    assert.deepEqual(slopes.shape, [2, 8, 11, 9]);
    // The second row of the batch has nothing to do with the logit of the first.
    assert.ok(
      contiguous(slopes)
        .data.slice(8 * 99)
        .every((slope) => slope === 0),
    );
    assert.ok(
      contiguous(slopes)
        .data.slice(0, 8 * 99)
        .some((slope) => slope !== 0),
    );
  });
});

describe("what an ONNX model refuses, and what it says", () => {
  let known: Case;
  const scratch = scratchFolder();

  before(async () => {
    known = await open("classifier-torchscript");
  });

  const refuses = (what: string, run: () => Promise<unknown>, ...words: (string | RegExp)[]): void => {
    it(what, async () => {
      await assert.rejects(run, (error: Error) => {
        for (const word of words)
          if (typeof word === "string")
            assert.ok(error.message.includes(word), `"${error.message}" lacks "${word}"`);
          else assert.match(error.message, word);
        return true;
      });
    });
  };

  const images = (): OnnxInputs => ({ image: zeros([1, 3, 21, 18]) });
  refuses("an input that is missing", () => known.model.run({}), '"image"', "missing");
  refuses("an input of another name", () => known.model.run({ imag: zeros([1]) }), '"imag"', "image");
  refuses(
    "an array in place of arrays by name",
    () => known.model.run(zeros([1]) as never),
    '{ "image": array }',
  );
  refuses(
    "another shape",
    () => known.model.run({ image: zeros([1, 4, 9, 9]) }),
    "[1, 4, 9, 9]",
    "[batch, 3, height, width]",
  );
  refuses(
    "floats for integers",
    async () => (await open("lstm")).model.run({ tokens: zeros([1, 2]) }),
    "float32[1, 2]",
    "int64[batch, pos]",
  );
  refuses(
    "a wrong name",
    () => known.model.run(images(), { names: ["/conv1/Conv_output"] }),
    "/conv1/Conv_output_0",
  );
  refuses("a pattern that fits nothing", () => known.model.run(images(), { names: /LSTM/ }), "LSTM");
  refuses(
    "an edit of integers",
    async () =>
      (await open("gpt2-torchscript")).model.forward(
        { input_ids: tensor(Int32Array.of(1), [1, 1]) },
        { edits: [scale("input_ids", 2)] },
      ),
    "input_ids",
    "int64",
    "floats",
  );
  refuses(
    "a gradient of integers",
    async () =>
      (await open("lstm")).model.gradients(
        { tokens: tensor(Int32Array.of(1), [1, 1]) },
        ({ logits }) => logits.sum(),
        ["tokens"],
      ),
    "tokens",
    "int64",
  );
  refuses(
    "a hook that returns another shape",
    () => known.model.runWithHooks(images(), { hooks: [["image", () => tensor([1])]] }),
    "image",
    "[1, 3, 21, 18]",
  );
  refuses(
    "to export an edit that belongs to one input",
    async () => {
      const { cache } = await known.model.run(images());
      await known.model.exportOnnx(scratch("x.onnx"), { edits: [patch("/conv1/Conv_output_0", cache)] });
    },
    /belongs to one input/,
  );
  refuses("a file that is not there", () => loadOnnx(scratch("none.onnx")), "none.onnx");
  it("lists what no gradient passes", async () => {
    const { model } = await open("lstm");
    assert.deepEqual(
      [...new Set(model.unsupportedGradients.map(({ operator }) => operator))],
      ["LSTM", "GRU"],
    );
    assert.deepEqual((await open("gpt2-dynamo")).model.unsupportedGradients, []);
  });
});
