import assert from "node:assert/strict";
import type { Value } from "../../src/graph/index.js";
import * as g from "../../src/graph/index.js";
import type { Feed } from "../../src/runtime/ort.js";
import { Runtime } from "../../src/runtime/plan.js";
import { checkGradients, type GradientCase } from "./differences.js";

const runtime = new Runtime({ source: () => ({ kind: "fed" }) });

const indices = (): Value => g.constant([2, 0, 1, 1, 2, 0], [2, 3], "int64");

const cases: Record<string, GradientCase> = {
  add: { shapes: [["batch", "pos", 4], [4]], make: (a, b) => g.add(a, b) },
  "sub, broadcast both ways": {
    shapes: [
      ["batch", 1, 4],
      ["pos", 1],
    ],
    make: (a, b) => g.sub(a, b),
  },
  mul: {
    shapes: [
      ["batch", "pos", 4],
      ["batch", "pos", 1],
    ],
    make: (a, b) => g.mul(a, b),
  },
  div: {
    shapes: [
      ["batch", 4],
      ["batch", 4],
    ],
    make: (a, b) => g.div(a, b),
    positive: true,
  },
  pow: {
    shapes: [
      ["batch", 4],
      ["batch", 4],
    ],
    make: (a, b) => g.pow(a, b),
    positive: true,
  },
  "maximum and minimum": {
    shapes: [
      ["batch", 4],
      ["batch", 4],
    ],
    make: (a, b) => g.add(g.maximum(a, b), g.mul(g.minimum(a, b), 3)),
  },
  neg: { shapes: [[4]], make: (a) => g.neg(a) },
  exp: { shapes: [[4]], make: (a) => g.exp(a) },
  log: { shapes: [[4]], make: (a) => g.log(a), positive: true },
  sqrt: { shapes: [[4]], make: (a) => g.sqrt(a), positive: true },
  tanh: { shapes: [[4]], make: (a) => g.tanh(a) },
  sigmoid: { shapes: [[4]], make: (a) => g.sigmoid(a) },
  erf: { shapes: [[4]], make: (a) => g.erf(a) },
  relu: { shapes: [[4]], make: (a) => g.relu(a) },
  abs: { shapes: [[4]], make: (a) => g.abs(a) },
  "sin and cos": { shapes: [[4]], make: (a) => g.mul(g.sin(a), g.cos(a)) },
  silu: { shapes: [["pos", 4]], make: (a) => g.silu(a) },
  "gelu, exact": { shapes: [["pos", 4]], make: (a) => g.gelu(a) },
  "gelu, tanh": { shapes: [["pos", 4]], make: (a) => g.gelu(a, "tanh") },
  where: { shapes: [["pos", 4], [4]], make: (a, b) => g.where(g.greater(a, 0), a, g.mul(b, 2)) },
  "sum over a named axis": { shapes: [["batch", "pos", 4]], make: (a) => g.sum(a, [1]) },
  "mean over named axes": { shapes: [["batch", "pos", 4]], make: (a) => g.mean(a, [0, 1]) },
  "mean, kept": { shapes: [["batch", 4]], make: (a) => g.mul(a, g.mean(a, [-1], true)) },
  max: { shapes: [["batch", 4]], make: (a) => g.max(a, [-1]) },
  softmax: { shapes: [["batch", "pos", 4]], make: (a) => g.softmax(a) },
  logSoftmax: { shapes: [["batch", 4]], make: (a) => g.logSoftmax(a) },
  crossEntropy: { shapes: [[2, 3, 5]], make: (a) => g.crossEntropy(a, indices()) },
  "matmul by a shared matrix": {
    shapes: [
      ["batch", "pos", 4],
      [4, 5],
    ],
    make: (a, b) => g.matmul(a, b),
  },
  "matmul by a shared matrix, transposed and scaled": {
    shapes: [
      ["batch", "pos", 4],
      [5, 4],
    ],
    make: (a, b) => g.matmul(a, b, { transposeB: true, scale: 0.7 }),
  },
  "matmul of batches": {
    shapes: [
      ["batch", 2, "pos", 4],
      ["batch", 2, 4, 3],
    ],
    make: (a, b) => g.matmul(a, b),
  },
  "matmul of batches, one shared": {
    shapes: [
      ["batch", 2, "pos", 4],
      [2, 4, 3],
    ],
    make: (a, b) => g.matmul(a, b),
  },
  "matmul of batches, transposed": {
    shapes: [
      ["batch", 4, 3],
      ["batch", 5, 4],
    ],
    make: (a, b) => g.matmul(a, b, { transposeA: true, transposeB: true, scale: 2 }),
  },
  "matmul of matrices, transposed": {
    shapes: [
      [4, 3],
      [5, 4],
    ],
    make: (a, b) => g.matmul(a, b, { transposeA: true, transposeB: true }),
  },
  layerNorm: { shapes: [["batch", "pos", 6], [6], [6]], make: (x, w, b) => g.layerNorm(x, w, b, 1e-5) },
  rmsNorm: { shapes: [["batch", "pos", 6], [6]], make: (x, w) => g.rmsNorm(x, w, 1e-5) },
  reshape: { shapes: [["batch", "pos", 4]], make: (a) => g.reshape(a, ["batch*pos", 2, 2]) },
  "reshape to unknown sizes": {
    shapes: [["batch*pos", 4]],
    make: (a) => g.reshape(a, ["batch", 2, "pos", 2]),
  },
  transpose: { shapes: [["batch", "pos", 4]], make: (a) => g.transpose(a, [2, 0, 1]) },
  "unsqueeze and squeeze": { shapes: [["batch", 1, 4]], make: (a) => g.squeeze(g.unsqueeze(a, [0]), [2]) },
  expand: { shapes: [["batch", 1, 4]], make: (a) => g.expand(a, ["batch", 3, 4]) },
  concat: {
    shapes: [
      [2, 3],
      [2, 4],
    ],
    make: (a, b) => g.concat([a, b, a], 1),
  },
  slice: { shapes: [[2, 5]], make: (a) => g.slice(a, 1, 1, 4) },
  "slice from the end of a named axis": { shapes: [["batch", "pos"]], make: (a) => g.slice(a, 1, -2, -1) },
  "slice off the end of a named axis": { shapes: [["batch", "pos"]], make: (a) => g.slice(a, 1, 1) },
  place: { shapes: [[2, 2]], make: (a) => g.place(a, 1, 1, 3, 5) },
  "split, parts used unequally": {
    shapes: [["batch", 6]],
    make: (a) => {
      const [first, , third] = g.split(a, 1, [1, 2, 3]);
      return g.mul(first!, third!);
    },
  },
  gather: { shapes: [[3, 4]], make: (a) => g.gather(a, indices()) },
  gatherElements: { shapes: [[2, 3]], make: (a) => g.gatherElements(a, indices()) },
  gatherNd: { shapes: [[3, 4]], make: (a) => g.gatherNd(a, g.constant([0, 1, 2, 3, 0, 1], [3, 2], "int64")) },
  scatterAdd: {
    shapes: [[3, 4]],
    make: (a) => g.scatterAdd([5, 4], g.constant([1, 4, 1], [3, 1], "int64"), a),
  },
  scatterElements: {
    shapes: [
      [2, 3],
      [2, 3],
    ],
    make: (a, b) => g.scatterElements(a, indices(), b),
  },
  "linearScan, forwards and backwards": {
    shapes: [
      ["batch", "pos", 2],
      ["batch", "pos", 2],
    ],
    make: (a, b) => g.add(g.linearScan(a, b, 1), g.square(g.linearScan(b, a, 1, { reverse: true }))),
  },
  "point and cast": {
    shapes: [["batch", 4]],
    make: (a) => g.point("p", g.cast(g.cast(a, "float64"), "float32"), ["batch", "unit"]),
  },
};

describe("gradients beside central differences", () => {
  for (const [name, gradientCase] of Object.entries(cases))
    it(name, () => checkGradients(name, gradientCase));
});

describe("differentiation", () => {
  const x = g.input("x", "float32", [3]);

  it("refuses a metric that is no scalar, with its shape", () => {
    assert.throws(() => g.gradients(g.square(x), [x]), /scalar.*\[3\]/s);
  });

  it("gives nothing for values that the scalar does not depend on, or only by steps", () => {
    const other = g.input("other", "float32", [3]);
    assert.deepEqual(g.gradients(g.sum(x), [other]), [undefined]);
    assert.deepEqual(g.gradients(g.sum(g.cast(g.greater(x, 0), "float32")), [x]), [undefined]);
  });

  it("stops at stopGradient", async () => {
    const [slope] = g.gradients(g.sum(g.mul(x, g.stopGradient(x))), [x]);
    const data = Float32Array.of(1, 2, 3);
    const run = await runtime
      .plan({ outputs: { slope: slope! } })
      .run({ x: { dtype: "float32", shape: [3], data } });
    assert.deepEqual(Array.from(run.slope!.data as Float32Array), [1, 2, 3]);
  });

  it("sums the gradients of all uses of a value", async () => {
    const [slope] = g.gradients(g.add(g.sum(g.square(x)), g.sum(g.mul(x, 3))), [x]);
    const data = Float32Array.of(1, 2, 3);
    const run = await runtime
      .plan({ outputs: { slope: slope! } })
      .run({ x: { dtype: "float32", shape: [3], data } });
    assert.deepEqual(Array.from(run.slope!.data as Float32Array), [5, 7, 9]);
  });
});

describe("adding many updates to few rows", () => {
  it("loses none, on several threads too, and gives the same again", async () => {
    const count = 8192; // enough that the work is shared out among threads
    const rows = g.input("rows", "int64", ["n", 1]);
    const updates = g.input("updates", "float32", ["n", 128]);
    const plan = runtime.plan({ outputs: { sums: g.scatterAdd([16, 128], rows, updates) } });
    const index = BigInt64Array.from({ length: count }, (_, i) => BigInt(i % 4));
    const feeds: Record<string, Feed> = {
      rows: { dtype: "int64", shape: [count, 1], data: index },
      updates: { dtype: "float32", shape: [count, 128], data: new Float32Array(count * 128).fill(1) },
    };
    const expected = Array.from({ length: 16 * 128 }, (_, i) => (i < 4 * 128 ? count / 4 : 0));
    for (let i = 0; i < 5; i++)
      assert.deepEqual(Array.from((await plan.run(feeds)).sums!.data as Float32Array), expected);
  });
});
