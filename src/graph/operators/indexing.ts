/** Reading and writing by index. */

import { fill, gatherElements, gatherNd, reshape, scatterAdd, scatterElements } from "../build.js";
import { productDim } from "../shapes.js";
import {
  type Attributes,
  type Dim,
  type Emitter,
  type Operator,
  type Shape,
  showShape,
  type Value,
} from "../value.js";

const target = (attributes: Attributes): Shape => attributes.shape as Shape;

/** Adds updates to the rows of a matrix of zeros, which the leading axes and the other axes of the result make up. */
function addRows({ inputs: [indices, updates], shape, dtype }: Value, emitter: Emitter): string {
  const depth = indices!.shape.at(-1) as number;
  const leading = shape.slice(0, depth);
  const width = productDim(shape.slice(depth));
  if (depth > 1 && !leading.every((dim) => typeof dim === "number"))
    throw new Error(
      `scatterAdd: ${indices} points into the named axes of ${showShape(shape)}, whose sizes are not known.`,
    );
  const strides = leading.map((_, i) =>
    (leading as number[]).slice(i + 1).reduce((product, dim) => product * dim, 1),
  );
  const weighted = emitter.node("Mul", [emitter.name(indices!), emitter.integers(strides)]);
  const row = emitter.node("ReduceSum", [weighted, emitter.integers([-1])], { keepdims: 1 });
  const flat = emitter.node("Reshape", [
    emitter.name(updates!),
    emitter.node("Concat", [emitter.integers([-1]), emitter.dims([width])], { axis: 0 }),
  ]);
  const column = emitter.node("Reshape", [row, emitter.integers([-1, 1])]);
  const places = emitter.node("Expand", [column, emitter.node("Shape", [flat])]);
  const zeros = emitter.node("Expand", [
    emitter.numbers([0], dtype),
    emitter.dims([productDim(leading), width]),
  ]);
  return emitter.node("ScatterElements", [zeros, places, flat], { axis: 0, reduction: "add" });
}

export const indexing: Record<string, Operator> = {
  gather: {
    infer: ([x, indices]) => ({ dtype: x!.dtype, shape: [...indices!.shape, ...x!.shape.slice(1)] }),
    gradient: ({ inputs: [x, indices] }, gradient) => {
      const count: Dim = productDim(indices!.shape);
      const rows = reshape(gradient, [count, ...x!.shape.slice(1)]);
      return [scatterAdd(x!.shape, reshape(indices!, [count, 1]), rows), undefined];
    },
    emit: ({ inputs }, emitter) =>
      emitter.node(
        "Gather",
        inputs.map((value) => emitter.name(value)),
        { axis: 0 },
      ),
  },
  gatherElements: {
    infer: ([x, indices]) => ({ dtype: x!.dtype, shape: indices!.shape }),
    gradient: ({ inputs: [x, indices] }, gradient) => [
      scatterElements(fill(0, x!.shape, x!.dtype), indices!, gradient),
      undefined,
    ],
    emit: ({ inputs }, emitter) =>
      emitter.node(
        "GatherElements",
        inputs.map((value) => emitter.name(value)),
        { axis: -1 },
      ),
  },
  gatherNd: {
    infer: ([x, indices]) => ({
      dtype: x!.dtype,
      shape: [...indices!.shape.slice(0, -1), ...x!.shape.slice(indices!.shape.at(-1) as number)],
    }),
    gradient: ({ inputs: [x, indices] }, gradient) => [scatterAdd(x!.shape, indices!, gradient), undefined],
    emit: ({ inputs }, emitter) =>
      emitter.node(
        "GatherND",
        inputs.map((value) => emitter.name(value)),
      ),
  },
  scatterAdd: {
    infer: ([, updates], attributes) => ({ dtype: updates!.dtype, shape: target(attributes) }),
    gradient: ({ inputs: [indices] }, gradient) => [undefined, gatherNd(gradient, indices!)],
    // Not by ScatterND: on several threads it loses additions to one place that come at the same time.
    emit: (node, emitter) => emitter.node("Reshape", [addRows(node, emitter), emitter.dims(node.shape)]),
  },
  scatterElements: {
    infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
    gradient: ({ inputs: [, indices] }, gradient) => [
      gradient,
      undefined,
      gatherElements(gradient, indices!),
    ],
    emit: ({ inputs }, emitter) =>
      emitter.node(
        "ScatterElements",
        inputs.map((value) => emitter.name(value)),
        { axis: -1, reduction: "add" },
      ),
  },
  range: {
    infer: ([start], { length }) => ({ dtype: start!.dtype, shape: [length as Dim] }),
    flat: true,
    emit: ({ inputs: [start, end] }, emitter) =>
      emitter.node("Range", [emitter.name(start!), emitter.name(end!), emitter.numbers([1], "int64")]),
  },
};
