import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import fc from "fast-check";
import { type AnyTensor, readNpz, tensor, zeros } from "../../src/array/index.js";
import { encodeModel } from "../../src/graph/onnx/schema.js";
import { loadOnnx } from "../../src/model/index.js";
import { scratchFolder } from "../scratch.js";
import { fixture } from "../shared.js";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const dims = (shape: (number | string)[]): object[] =>
  shape.map((size) => (typeof size === "number" ? { dimValue: size } : { dimParam: size }));
const info = (name: string, shape: (number | string)[] = [2], elemType = 1): object => ({
  name,
  type: { tensorType: { elemType, shape: { dim: dims(shape) } } },
});
const node = (opType: string, input: string[], output: string[], more: object = {}): object => ({
  opType,
  input,
  output,
  ...more,
});
const floats = (name: string, shape: number[], values: number[]): object => ({
  name,
  dims: shape,
  dataType: 1,
  rawData: new Uint8Array(Float32Array.from(values).buffer),
});

/** A model that is right, but for what is changed. */
function model(graph: object, more: object = {}): Uint8Array {
  return encodeModel({
    irVersion: 8,
    opsetImport: [{ domain: "", version: 17 }],
    graph: {
      name: "g",
      input: [info("x")],
      output: [info("y")],
      node: [node("Relu", ["x"], ["y"])],
      ...graph,
    },
    ...more,
  });
}

const external = (location: string, offset = "0", length = "8"): object => ({
  initializer: [
    {
      name: "w",
      dims: [2],
      dataType: 1,
      dataLocation: 1,
      externalData: Object.entries({ location, offset, length }).map(([key, value]) => ({ key, value })),
    },
  ],
  node: [node("Add", ["x", "w"], ["y"])],
});

/** Graphs in graphs. */
function nested(depth: number): object {
  const inner = depth === 0 ? node("Relu", ["x"], [`y${depth}`]) : nested(depth - 1);
  const branch = { name: "b", node: [inner], output: [info(`y${depth === 0 ? 0 : depth - 1}`)] };
  return node("If", ["c"], [`y${depth}`], {
    attribute: [{ name: "then_branch", type: 5, g: branch }],
  });
}

const wrong: Record<string, [bytes: () => Uint8Array, ...words: (string | RegExp)[]]> = {
  "an empty file": [() => new Uint8Array(), "empty"],
  "a text": [() => text("this is no ONNX model, whatever its name says"), "not an ONNX model"],
  "a model without a graph": [() => encodeModel({ irVersion: 8 }), "no graph"],
  "no operator set": [() => model({}, { opsetImport: [] }), "operator set"],
  "an operator set that is too old": [
    () => model({}, { opsetImport: [{ domain: "", version: 11 }] }),
    "operator set 11",
    "13 to 23",
  ],
  "an operator set that is too new": [() => model({}, { opsetImport: [{ domain: "", version: 99 }] }), "99"],
  "functions of its own": [
    () => model({}, { functions: [{ name: "Block", domain: "mine" }] }),
    "mine.Block",
    "inline",
  ],
  "an operator that ONNX does not have": [
    () => model({ node: [node("Relo", ["x"], ["y"])] }),
    "Relo",
    "Relu",
  ],
  "a domain that nobody knows": [
    () => model({ node: [node("Relu", ["x"], ["y"], { domain: "evil.corp" })] }),
    '"evil.corp"',
    "Relu",
  ],
  "an operator of com.microsoft that ONNX Runtime does not have": [
    () => model({ node: [node("Nothing", ["x"], ["y"], { domain: "com.microsoft" })] }),
    "Nothing",
  ],
  "an input that nothing gives": [() => model({ node: [node("Add", ["x", "z"], ["y"])] }), '"z"', "Add"],
  "an output that nothing gives": [() => model({ output: [info("z")] }), '"z"'],
  "a missing operand": [() => model({ node: [node("Add", ["x"], ["y"])] }), "Add", "input 1 is missing"],
  "no outputs": [() => model({ output: [] }), "no outputs"],
  "two tensors of one name": [
    () => model({ node: [node("Relu", ["x"], ["y"]), node("Abs", ["x"], ["y"])] }),
    '"y"',
    "Two",
  ],
  "a weight that is called as an input is made": [
    () => model({ initializer: [floats("y", [2], [1, 2])] }),
    '"y"',
  ],
  "a cycle": [
    () =>
      model({
        node: [node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"]), node("Abs", ["b"], ["y"])],
      }),
    "cycles",
  ],
  "a weight with too few bytes": [
    () => model({ initializer: [floats("w", [1000000], [1])], node: [node("Add", ["x", "w"], ["y"])] }),
    '"w"',
    "4000000 bytes",
  ],
  "a weight larger than any memory": [
    () => model({ initializer: [{ ...floats("w", [], []), dims: [2 ** 40, 2 ** 40] }] }),
    '"w"',
    "memory",
  ],
  "a weight of a negative size": [
    () => model({ initializer: [{ ...floats("w", [], []), dims: [-1] }] }),
    '"w"',
    "[-1]",
  ],
  "a weight of texts": [() => model({ initializer: [{ ...floats("w", [], []), dataType: 8 }] }), "string"],
  "an input of texts": [() => model({ input: [info("x", [2], 8)] }), "string"],
  "an input of no shape": [
    () => model({ input: [{ name: "x", type: { tensorType: { elemType: 1 } } }] }),
    "dimensions",
  ],
  "sizes that do not fit together": [
    () => model({ initializer: [floats("w", [3], [1, 2, 3])], node: [node("Add", ["x", "w"], ["y"])] }),
    "Add",
    "2 and 3",
  ],
  "an axis that is not there": [
    () => model({ node: [node("Softmax", ["x"], ["y"], { attribute: [{ name: "axis", type: 2, i: 5 }] })] }),
    "Softmax",
    "axis 5",
  ],
  "a convolution in no groups": [
    () =>
      model({ node: [node("Conv", ["x", "x"], ["y"], { attribute: [{ name: "group", type: 2, i: 0 }] })] }),
    "group 0",
  ],
  "weights outside of its folder, from the root": [() => model(external("/etc/passwd")), "outside"],
  "weights outside of its folder, upwards": [() => model(external("../weights.bin")), "outside"],
  "weights outside of its folder, from within": [() => model(external("a/../../weights.bin")), "outside"],
  "weights outside of its folder, on Windows": [() => model(external("C:\\weights.bin")), "outside"],
  "weights that are not there": [() => model(external("none.bin")), "none.bin"],
  "weights beyond the end of their file": [() => model(external("short.bin", "4")), "short.bin", "12"],
  "an offset that is no number": [() => model(external("short.bin", "-4")), '"-4"'],
  "a length that is not the weight's": [() => model(external("short.bin", "0", "4")), "8 bytes"],
  "subgraphs nested without end": [
    () => model({ input: [info("x"), info("c", [], 9)], node: [nested(20)], output: [info("y20")] }),
    "nested",
  ],
  "a subgraph that reads what is not there": [
    () =>
      model({
        input: [info("x"), info("c", [], 9)],
        node: [
          node("If", ["c"], ["y"], {
            attribute: ["then_branch", "else_branch"].map((name) => ({
              name,
              type: 5,
              g: { name, node: [node("Relu", ["ghost"], ["r"])], output: [info("r")] },
            })),
          }),
        ],
      }),
    '"ghost"',
  ],
};

describe("malformed ONNX files", () => {
  const scratch = scratchFolder();

  for (const [what, [bytes, ...words]] of Object.entries(wrong))
    it(`${what}: refused in a sentence`, async () => {
      await writeFile(scratch("short.bin"), new Uint8Array(8));
      await writeFile(scratch("wrong.onnx"), bytes());
      await assert.rejects(
        async () => (await loadOnnx(scratch("wrong.onnx"))).forward({ x: zeros([2]) }),
        (error: Error) => {
          assert.match(error.message, /[.!]$/);
          for (const word of words)
            assert.ok(
              typeof word === "string" ? error.message.includes(word) : word.test(error.message),
              `"${error.message}" lacks "${word}"`,
            );
          return true;
        },
      );
    });

  it("the model that these are changed from runs", async () => {
    await writeFile(scratch("right.onnx"), model({}));
    const { y } = await (await loadOnnx(scratch("right.onnx"))).forward({ x: tensor([-1, 2]) });
    assert.deepEqual(Array.from(y!.data), [0, 2]);
  });

  it("weights in a folder beside it, and small ones, are read", async () => {
    await writeFile(scratch("near.bin"), new Uint8Array(Float32Array.of(5, 1, 2).buffer));
    await writeFile(scratch("near.onnx"), model(external("near.bin", "4")));
    const { y } = await (await loadOnnx(scratch("near.onnx"))).forward({ x: tensor([10, 20]) });
    assert.deepEqual(Array.from(y!.data), [11, 22]);
  });
});

describe("ONNX files with flipped bits, or cut off", () => {
  const scratch = scratchFolder();
  const damage = (size: number): fc.Arbitrary<{ cut?: number; flips: number[] }> =>
    fc.oneof(
      { weight: 1, arbitrary: fc.integer({ min: 0, max: size - 1 }).map((cut) => ({ cut, flips: [] })) },
      {
        weight: 4,
        arbitrary: fc
          .array(fc.integer({ min: 0, max: size * 8 - 1 }), { minLength: 1, maxLength: 3 })
          .map((flips) => ({ flips })),
      },
    );

  for (const name of ["classifier-torchscript", "decoder-dynamo", "lstm", "loop", "gpt2-dynamo"])
    it(`${name}: run, or are refused in a sentence`, async () => {
      const whole = readFileSync(fixture("onnx", `${name}.onnx`));
      const arrays = await readNpz(fixture("onnx", `${name}.npz`));
      const inputs: Record<string, AnyTensor> = {};
      for (const [key, { data, shape }] of arrays)
        if (key.startsWith("input.")) inputs[key.slice(6)] = tensor(data as never, shape);
      let refused = 0;
      await fc.assert(
        fc.asyncProperty(damage(whole.length), async ({ cut, flips }) => {
          const bytes = Uint8Array.from(whole.subarray(0, cut));
          for (const flip of flips) bytes[flip >> 3]! ^= 1 << (flip & 7);
          await writeFile(scratch("damaged.onnx"), bytes);
          try {
            const model = await loadOnnx(scratch("damaged.onnx"));
            await model.forward(inputs);
            await model.release();
          } catch (error) {
            refused++;
            assert.ok(error instanceof Error);
            assert.match(error.message, /^(?!TypeError|undefined).*[.!]$/s);
            assert.ok(!(error instanceof TypeError), error.stack);
          }
        }),
        { numRuns: 80, seed: 1 },
      );
      assert.ok(refused > 0);
    });
});
