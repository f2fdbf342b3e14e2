import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tensor } from "../../src/array/index.js";
import { encodeModel } from "../../src/graph/onnx/schema.js";
import { ablate, loadOnnx, scale } from "../../src/model/index.js";
import { scratchFolder } from "../scratch.js";

const FLOAT = 1;
const HALF = 10;

const info = (name: string, shape: (number | string)[], elemType = FLOAT): object => ({
  name,
  type: {
    tensorType: {
      elemType,
      shape: { dim: shape.map((dim) => (typeof dim === "number" ? { dimValue: dim } : { dimParam: dim })) },
    },
  },
});
const node = (opType: string, input: string[], output: string[], more: object = {}): object => ({
  opType,
  input,
  output,
  ...more,
});
const weight = (name: string, data: Float32Array | BigInt64Array, shape: number[]): object => ({
  name,
  dims: shape,
  dataType: data instanceof Float32Array ? FLOAT : 7,
  rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
});
const model = (graph: object): Uint8Array =>
  encodeModel({
    irVersion: 8,
    opsetImport: [
      { domain: "", version: 17 },
      { domain: "com.microsoft", version: 1 },
    ],
    graph: { name: "g", ...graph },
  });

describe("ONNX models of unusual parts", () => {
  const scratch = scratchFolder();
  const x = tensor(Float32Array.of(1, 2, 4, 6), [2, 2]);

  it("run operators of com.microsoft, and refuse gradients across them by name", async () => {
    const distance = node("CDist", ["x", "w"], ["y"], {
      domain: "com.microsoft",
      attribute: [{ name: "metric", type: 3, s: new TextEncoder().encode("euclidean") }],
    });
    const bytes = model({
      input: [info("x", ["n", 2])],
      output: [info("y", ["n", 1])],
      node: [distance],
      initializer: [weight("w", Float32Array.of(1, 2), [1, 2])],
    });
    await writeFile(scratch("distance.onnx"), bytes);
    const loaded = await loadOnnx(scratch("distance.onnx"));
    const { y } = await loaded.forward({ x });
    assert.deepEqual(Array.from(y!.data), [0, 5]);
    assert.deepEqual(loaded.unsupportedGradients, [{ point: "y", operator: "com.microsoft.CDist" }]);
    await assert.rejects(
      loaded.gradients({ x }, ({ logits }) => logits.sum(), ["x"]),
      /CDist at "y"/,
    );
    // What lies behind the operator has gradients.
    const { cache } = await loaded.gradients({ x }, ({ logits }) => logits.square().sum(), ["y"]);
    assert.deepEqual(Array.from(cache.get("y").data), [0, 10]);
  });

  it("take the branch that a shape decides, so that gradients pass it", async () => {
    const branch = (name: string, type: string): object => ({
      name,
      type: 5,
      g: { name, node: [node(type, ["x"], [`${name} result`])], output: [info(`${name} result`, [2])] },
    });
    const bytes = model({
      input: [info("x", ["n", 2])],
      output: [info("y", ["n", 2])],
      node: [
        node("Shape", ["x"], ["shape"]),
        node("Gather", ["shape", "one"], ["width"], { attribute: [{ name: "axis", type: 2, i: 0 }] }),
        node("Equal", ["width", "two"], ["isTwo"]),
        node("If", ["isTwo"], ["y"], {
          attribute: [branch("then_branch", "Exp"), branch("else_branch", "Relu")],
        }),
      ],
      initializer: [weight("one", BigInt64Array.of(1n), []), weight("two", BigInt64Array.of(2n), [])],
    });
    await writeFile(scratch("branch.onnx"), bytes);
    const loaded = await loadOnnx(scratch("branch.onnx"));
    assert.deepEqual(loaded.unsupportedGradients, []);
    const { cache } = await loaded.gradients({ x }, ({ logits }) => logits.sum(), ["x"]);
    [1, 2, 4, 6].forEach((value, i) => {
      assert.ok(Math.abs(cache.get("x").data[i]! / Math.exp(value) - 1) < 1e-5);
    });
  });

  it("of 16-bit floats are fed and read as 32-bit ones, and edited", async () => {
    const bytes = model({
      input: [info("x", ["n", 2], HALF)],
      output: [info("y", ["n", 2], HALF)],
      node: [node("Relu", ["x"], ["r"]), node("Mul", ["r", "r"], ["y"])],
    });
    await writeFile(scratch("half.onnx"), bytes);
    const loaded = await loadOnnx(scratch("half.onnx"));
    assert.equal(loaded.point("r").dtype, "float16");
    const edited = await loaded.run({ x }, { edits: [scale("r", 0.5)] });
    assert.deepEqual(Array.from(edited.outputs.y!.data), [0.25, 1, 4, 9]);
    const { cache } = await loaded.gradients({ x }, ({ logits }) => logits.sum(), ["x"]);
    assert.deepEqual(Array.from(cache.get("x").data), [2, 4, 8, 12]);
  });

  it("with large weights that stand oddly in the file map them from an aligned copy", async () => {
    const size = 2 ** 22 + 1;
    const large = new Float32Array(size).fill(1);
    large[size - 1] = 5;
    const before = process.env.TSLENS_CACHE;
    process.env.TSLENS_CACHE = scratch("cache");
    try {
      // One byte of the name more or less moves what comes after it.
      for (const name of ["w", "ww", "www", "wwww"]) {
        const bytes = model({
          input: [info("x", ["n", 2])],
          output: [info("y", ["n", 2])],
          node: [
            node("ReduceMax", [name], ["top"], { attribute: [{ name: "keepdims", type: 2, i: 0 }] }),
            node("Mul", ["x", "top"], ["y"]),
          ],
          initializer: [weight(name, large, [size])],
        });
        await writeFile(scratch(`${name}.onnx`), bytes);
        const loaded = await loadOnnx(scratch(`${name}.onnx`));
        const { y } = await loaded.forward({ x });
        assert.deepEqual(Array.from(y!.data), [5, 10, 20, 30]);
        await loaded.exportOnnx(scratch("again.onnx"), { weights: "external", edits: [ablate("x")] });
        const again = await (await loadOnnx(scratch("again.onnx"))).forward({ x });
        assert.deepEqual(Array.from(again.y!.data), [0, 0, 0, 0]);
      }
      assert.ok(existsSync(scratch("cache", "weights")));
      assert.ok(readdirSync(scratch("cache", "weights")).length > 0);
    } finally {
      if (before === undefined) delete process.env.TSLENS_CACHE;
      else process.env.TSLENS_CACHE = before;
    }
  });
});
