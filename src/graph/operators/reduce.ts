/** Reductions and the softmax family. */

import {
  cast,
  dimension,
  div,
  equal,
  exp,
  expand,
  mul,
  neg,
  scatterElements,
  softmax,
  squeeze,
  sub,
  sum,
  unsqueeze,
} from "../build.js";
import { sameShape } from "../shapes.js";
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

/** The one number that fills a value, as in the gradient of a mean: to multiply by it is faster than by a row. */
function repeated(value: Value): Value | undefined {
  const [source] = value.inputs;
  const isOne = value.op === "expand" && source!.shape.every((dim) => dim === 1);
  return isOne ? squeeze(source!, [...source!.shape.keys()]) : undefined;
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
  crossEntropy: {
    infer: ([logits, target]) => {
      if (!sameShape(logits!.shape.slice(0, -1), target!.shape))
        throw new Error(`crossEntropy: ${target} does not name one class for each row of ${logits}.`);
      return { dtype: logits!.dtype, shape: target!.shape };
    },
    // softmax − one-hot, made in place of a chain of passes over all classes
    gradient: ({ inputs: [logits, target] }, gradient) => {
      const last = target!.rank;
      const row = unsqueeze(gradient, [last]);
      const scaled = mul(softmax(logits!), repeated(gradient) ?? row);
      return [scatterElements(scaled, unsqueeze(target!, [last]), neg(row)), undefined];
    },
    emit: ({ inputs: [logits, target] }, emitter) => {
      const last = emitter.integers([-1]);
      const logProbs = emitter.node("LogSoftmax", [emitter.name(logits!)], { axis: -1 });
      const index = emitter.node("Unsqueeze", [emitter.name(target!), last]);
      const chosen = emitter.node("GatherElements", [logProbs, index], { axis: -1 });
      return emitter.node("Neg", [emitter.node("Squeeze", [chosen, last])]);
    },
  },
};
