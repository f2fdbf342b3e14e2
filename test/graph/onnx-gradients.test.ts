import fc from "fast-check";
import type { Value } from "../../src/graph/index.js";
import * as g from "../../src/graph/index.js";
import { activationTable } from "../../src/graph/operators/activations.js";
import { checkGradients, type GradientCase } from "./differences.js";

const integers = (...values: number[]): Value => g.constant(values, [values.length], "int64");
const shape1d = (size: number, kernel: number, { strides, pads, dilations, ceil }: Windows): number => {
  const room = size + pads[0]! + pads[1]! - dilations[0]! * (kernel - 1) - 1;
  return (ceil ? Math.ceil : Math.floor)(room / strides[0]!) + 1;
};

interface Windows {
  strides: number[];
  pads: number[];
  dilations: number[];
  ceil?: boolean;
}

/** One spatial axis and one of size 5 with a kernel of 2. */
const planes = (windows: Windows): Record<"strides" | "pads" | "dilations", number[]> => ({
  strides: [windows.strides[0]!, 1],
  pads: [windows.pads[0]!, 0, windows.pads[1]!, 1],
  dilations: [windows.dilations[0]!, 1],
});

function convolutionCase(size: number, kernel: number, group: number, windows: Windows): GradientCase {
  const out = shape1d(size, kernel, windows);
  const attributes = { ...planes(windows), group, shape: ["batch", 2 * group, out, 5] };
  return {
    shapes: [["batch", 3 * group, size, 5], [2 * group, 3, kernel, 2], [2 * group]],
    make: (x, w, b) => g.convolution(x!, w!, b!, attributes),
    scale: 0.5,
  };
}

function transposedCase(size: number, kernel: number, group: number, windows: Windows): GradientCase {
  const [stride] = windows.strides as [number];
  const outputPadding = [stride - 1, 0];
  const { pads, ...rest } = planes(windows);
  const out =
    (size - 1) * stride + windows.dilations[0]! * (kernel - 1) + 1 - pads[0]! - pads[2]! + stride - 1;
  const attributes = { ...rest, pads, group, outputPadding, shape: ["batch", 2 * group, out, 5] };
  return {
    shapes: [["batch", 3 * group, size, 5], [3 * group, 2, kernel, 2], [2 * group]],
    make: (x, w, b) => g.transposedConvolution(x!, w!, b!, attributes),
    scale: 0.5,
  };
}

const pool = (size: number, kernel: number, windows: Windows): Record<string, unknown> => ({
  kernel: [kernel, 2],
  ...planes(windows),
  ceil: windows.ceil ?? false,
  shape: ["batch", 2, shape1d(size, kernel, windows), 5],
});

const cases: Record<string, GradientCase> = {
  assume: {
    shapes: [
      ["batch", "pos"],
      ["batch", 1],
    ],
    make: (a, b) => g.mul(g.assume(a!, ["batch", "other"]), g.assume(b!, ["batch", "other"])),
  },
  "assume, where nothing is repeated": {
    shapes: [["batch", "pos"], ["pos"]],
    make: (a, b) => g.mul(g.assume(a!, ["batch", "other"]), g.assume(b!, ["other"])),
  },
  reshapeBy: { shapes: [["batch", 6]], make: (a) => g.reshapeBy(a!, integers(-1, 3), ["rows", 3]) },
  reshapeLike: {
    shapes: [["batch", 6]],
    make: (a) => g.reshapeLike(a!, g.constant(new Array(12).fill(0), [4, 3])),
  },
  expandBy: { shapes: [[1, 3]], make: (a) => g.expandBy(a!, integers(2, 4, 1), ["two", 4, 3]) },
  "pickBy: a slice with steps": {
    shapes: [["batch", 7]],
    make: (a) =>
      g.pickBy("Slice", [a!, integers(5), integers(0), integers(1), integers(-2)], {}, ["batch", "some"]),
  },
  "pickBy: a gather that takes rows twice": {
    shapes: [["batch", 4]],
    make: (a) => g.pickBy("Gather", [a!, integers(3, 0, 3, -1)], { $axis: 1 }, ["batch", 4]),
  },
  "pickBy: a tile": {
    shapes: [["batch", 2]],
    make: (a) => g.pickBy("Tile", [a!, integers(2, 3)], {}, ["rows", 6]),
  },
  "pickBy: a nearest upsampling, whose indices are 32-bit": {
    shapes: [[1, 2, 3, 2]],
    make: (a) =>
      g.pickBy(
        "Resize",
        [a!, g.constant([1, 1, 2, 2], [4])],
        {
          $mode: "nearest",
          $coordinate_transformation_mode: "asymmetric",
          $nearest_mode: "floor",
          slots: [0, 2],
          indexType: "int32",
        },
        [1, 2, 6, 4],
      ),
  },
  "pickBy: depth to space, whose indices are floats": {
    shapes: [[1, 8, 2, 3]],
    make: (a) => g.pickBy("DepthToSpace", [a!], { $blocksize: 2, indexType: "float64" }, [1, 2, 4, 6]),
  },
  "pickBy: a reflecting pad": {
    shapes: [[2, 4]],
    make: (a) => g.pickBy("Pad", [a!, integers(0, 2, 0, 1)], { $mode: "reflect" }, [2, 7]),
  },
  "concat along a named axis": {
    shapes: [
      ["batch", "pos", 2],
      ["batch", 1, 2],
      ["batch", "pos", 2],
    ],
    make: (a, b, c) => g.concat([a!, b!, c!], 1),
  },
  "the largest elements, by topIndices": {
    shapes: [["batch", 5]],
    make: (a) => {
      const indices = g.topIndices(a!, integers(2), { axis: 1, largest: true, sorted: true }, ["batch", 2]);
      return g.pickBy("GatherElements", [a!, indices], { $axis: 1 }, ["batch", 2]);
    },
  },
  "putBy: rows, one of them twice": {
    shapes: [
      [5, 3],
      [3, 3],
    ],
    make: (x, updates) => g.putBy("ScatterND", [x!, g.constant([1, 4, 1], [3, 1], "int64"), updates!]),
  },
  "putBy: elements along an axis": {
    shapes: [
      [4, 3],
      [2, 3],
    ],
    make: (x, updates) =>
      g.putBy("ScatterElements", [x!, g.constant([0, 3, 1, 2, 3, -4], [2, 3], "int64"), updates!], {
        axis: 0,
      }),
  },
  "putBy: on top": {
    shapes: [
      [5, 3],
      [3, 3],
    ],
    make: (x, updates) =>
      g.putBy("ScatterND", [x!, g.constant([1, 4, 1], [3, 1], "int64"), updates!], { reduction: "add" }),
  },
  einsum: {
    shapes: [
      ["batch", 3, 4],
      ["batch", 4, 2],
      [2, 3],
    ],
    make: (a, b, c) => g.einsum("bij,bjk,ki->bk", [a!, b!, c!], ["batch", 2]),
  },
  "the upper triangle": {
    shapes: [["batch", 3, 4]],
    make: (a) => g.triangle(a!, true, g.constant([1], [], "int64")),
  },
  "the lower triangle": { shapes: [["batch", 3, 4]], make: (a) => g.triangle(a!, false) },
  cumulativeSum: {
    shapes: [["batch", 4]],
    make: (a) => g.cumulativeSum(a!, g.constant([1], [], "int64"), { exclusive: true }),
  },
  "cumulativeSum from the end": {
    shapes: [["batch", 4]],
    make: (a) => g.cumulativeSum(a!, g.constant([0], [], "int64"), { reverse: true }),
  },
  padBy: {
    shapes: [["batch", 4]],
    make: (a) => g.padBy(a!, integers(1, -1, 0, 2), { value: g.scalar(3) }, ["more", 5]),
  },
  "padBy, the value": {
    shapes: [["batch", 4], []],
    make: (a, value) => g.padBy(a!, integers(1, -1, 0, 2), { value }, ["more", 5]),
  },
  "padBy chosen axes": {
    shapes: [["batch", 4]],
    make: (a) => g.padBy(a!, integers(1, 2), { axes: integers(1) }, ["batch", 7]),
  },
  batchNorm: {
    shapes: [["batch", 3, "pos"], [3], [3], [3], [3]],
    make: (x, weight, bias, mean, variance) =>
      g.batchNorm(x!, { weight: weight!, bias: bias!, mean: mean!, variance: variance! }, 1e-3),
    positive: true,
  },
};

/** Numbers in disorder, each far from the next. */
function apart(shape: number[]): Value {
  const count = shape.reduce((a, b) => a * b, 1);
  return g.constant(
    Array.from({ length: count }, (_, i) => ((i * 37) % 211) * 0.4),
    shape,
  );
}

const between1 = new Set(["asin", "acos", "atanh", "tan"]);

for (const [name, { defaults, slope }] of Object.entries(activationTable)) {
  if (!slope) continue;
  const positive = name === "acosh";
  cases[name] = {
    shapes: [["batch", 4]],
    make: (x) => g.activation(name, positive ? g.add(x!, 1) : x!, defaults),
    positive,
    scale: between1.has(name) ? 0.2 : 1,
  };
}

describe("gradients of operators from elsewhere beside central differences", () => {
  for (const [name, gradientCase] of Object.entries(cases))
    it(name, () => checkGradients(name, gradientCase));

  const windows = fc
    .record({
      size: fc.integer({ min: 4, max: 7 }),
      kernel: fc.integer({ min: 1, max: 3 }),
      group: fc.integer({ min: 1, max: 2 }),
      strides: fc.integer({ min: 1, max: 3 }).map((stride) => [stride]),
      dilations: fc.integer({ min: 1, max: 2 }).map((dilation) => [dilation]),
      pads: fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 1 })),
      ceil: fc.boolean(),
      countPadding: fc.boolean(),
    })
    .filter(({ size, kernel, dilations }) => size > dilations[0]! * (kernel - 1))
    // A padding as wide as the window would make windows of nothing but padding.
    .filter(({ kernel, pads }) => Math.max(...pads) < kernel);
  const options = { numRuns: 12, seed: 1, endOnFailure: true };

  it("convolutions of any kernel, stride, dilation, padding and group", () =>
    fc.assert(
      fc.asyncProperty(windows, async ({ size, kernel, group, ...rest }) =>
        checkGradients(JSON.stringify(rest), convolutionCase(size, kernel, group, { ...rest, ceil: false })),
      ),
      options,
    ));

  it("transposed convolutions", () =>
    fc.assert(
      fc.asyncProperty(windows, async ({ size, kernel, group, ...rest }) =>
        checkGradients(JSON.stringify(rest), transposedCase(size - 2, kernel, group, rest)),
      ),
      options,
    ));

  it("maxima in windows", () =>
    fc.assert(
      fc.asyncProperty(windows, async ({ size, kernel, group, ...rest }) =>
        checkGradients(JSON.stringify(rest), {
          scale: 0.02,
          shapes: [["batch", 2, size, 5]],
          // Far apart, so that no step changes which is the largest.
          make: (x) =>
            g.maxPool(
              g.add(x!, apart([1, 2, size, 5])),
              pool(size, kernel, { ...rest, ceil: false }) as never,
            ),
        }),
      ),
      options,
    ));

  it("means in windows", () =>
    fc.assert(
      fc.asyncProperty(windows, async ({ size, kernel, group, countPadding, ...rest }) =>
        checkGradients(JSON.stringify(rest), {
          shapes: [["batch", 2, size, 5]],
          make: (x) =>
            g.averagePool(x!, {
              ...pool(size, kernel, { ...rest, ceil: false }),
              countPadding,
              dilations: [1, 1],
              ...{ shape: ["batch", 2, shape1d(size, kernel, { ...rest, dilations: [1], ceil: false }), 5] },
            } as never),
        }),
      ),
      options,
    ));
});
