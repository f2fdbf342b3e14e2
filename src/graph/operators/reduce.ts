/** Reductions and the softmax family. */

import { cast, div, dimension, equal, exp, expand, mul, sub, sum, unsqueeze } from "../build.js";
import type { Attributes, Dim, Operator, Shape, Value } from "../value.js";

function reducedShape(shape: Shape, { axes, keepDims }: Attributes): Shape {
  const reduced = axes as readonly number[];
  return keepDims
    ? shape.map((dim, i) => (reduced.includes(i) ? 1 : dim))
    : shape.filter((_, i) => !reduced.includes(i));
}

/** A reduction's result, or its gradient, with the reduced axes back as size 1. */
const restore = (value: Value, { axes, keepDims }: Attributes): Value =>
  keepDims ? value : unsqueeze(value, axes as readonly number[]);

function reduction(type: string, gradient: Operator["gradient"]): Operator {
  return {
    infer: ([x], attributes) => ({ dtype: x!.dtype, shape: reducedShape(x!.shape, attributes) }),
    gradient,
    emit: ({ inputs, attributes }, emitter) =>
      emitter.node(type, [emitter.name(inputs[0]!), emitter.integers(attributes.axes as readonly number[])], {
        keepdims: attributes.keepDims ? 1 : 0,
      }),
  };
}

/** The number of elements that a mean is taken over, as a divisor. */
function divide(value: Value, dims: readonly Dim[]): Value {
  return dims.reduce<Value>((result, dim) => {
    return typeof dim === "number" ? mul(result, 1 / dim) : div(result, cast(dimension(dim), value.dtype));
  }, value);
}

export const reduce: Record<string, Operator> = {
  sum: reduction("ReduceSum", ({ inputs: [x], attributes }, gradient) => [
    expand(restore(gradient, attributes), x!.shape),
  ]),
  mean: reduction("ReduceMean", ({ inputs: [x], attributes }, gradient) => {
    const dims = (attributes.axes as readonly number[]).map((axis) => x!.shape[axis]!);
    return [expand(divide(restore(gradient, attributes), dims), x!.shape)];
  }),
  max: reduction("ReduceMax", (node, gradient) => {
    const [x] = node.inputs as [Value];
    const { attributes } = node;
    const winners = cast(equal(x, restore(node, attributes)), x.dtype);
    const share = div(winners, sum(winners, attributes.axes as readonly number[], true));
    return [mul(share, restore(gradient, attributes))];
  }),
  softmax: {
    infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
    gradient: (node, gradient) => [mul(node, sub(gradient, sum(mul(gradient, node), [-1], true)))],
    emit: ({ inputs }, emitter) => emitter.node("Softmax", [emitter.name(inputs[0]!)], { axis: -1 }),
  },
  logSoftmax: {
    infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
    gradient: (node, gradient) => [sub(gradient, mul(exp(node), sum(gradient, [-1], true)))],
    emit: ({ inputs }, emitter) => emitter.node("LogSoftmax", [emitter.name(inputs[0]!)], { axis: -1 }),
  },
};
