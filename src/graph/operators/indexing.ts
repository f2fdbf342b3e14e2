/** Reading and writing by index. */

import { fill, gatherElements, gatherNd, reshape, scatterAdd, scatterElements } from "../build.js";
import { productDim } from "../shapes.js";
import type { Attributes, Dim, Operator, Shape } from "../value.js";

const target = (attributes: Attributes): Shape => attributes.shape as Shape;

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
    emit: ({ inputs: [indices, updates], attributes, dtype }, emitter) => {
      const zeros = emitter.node("Expand", [emitter.numbers([0], dtype), emitter.dims(target(attributes))]);
      return emitter.node("ScatterND", [zeros, emitter.name(indices!), emitter.name(updates!)], {
        reduction: "add",
      });
    },
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
