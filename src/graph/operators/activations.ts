/**
 * Activation functions and other functions of one number that ONNX has operators for: each with the attributes that the
 * operator takes, their defaults, and its derivative.
 */

import {
  abs,
  activation,
  add,
  div,
  exp,
  greater,
  less,
  mul,
  neg,
  sigmoid,
  sqrt,
  square,
  sub,
  tanh,
  where,
} from "../build.js";
import type { Operator, Value } from "../value.js";

interface Activation {
  /** The operator of ONNX. */
  readonly type: string;
  /** Its attributes, all floats, with their defaults. */
  readonly defaults?: Readonly<Record<string, number>>;
  /** The derivative at `x`, where the result is `y`; none where it is 0 almost everywhere. */
  readonly slope?: (x: Value, y: Value, attributes: Readonly<Record<string, number>>) => Value;
}

const one = (x: Value): Value => add(mul(x, 0), 1);

/** By name; `activation` of `build.ts` applies them. */
export const activationTable: Readonly<Record<string, Activation>> = {
  reciprocal: { type: "Reciprocal", slope: (_, y) => neg(square(y)) },
  softplus: { type: "Softplus", slope: (x) => sigmoid(x) },
  softsign: { type: "Softsign", slope: (x) => div(1, square(add(abs(x), 1))) },
  mish: {
    type: "Mish",
    slope: (x) => {
      const t = tanh(activation("softplus", x));
      return add(t, mul(mul(x, sigmoid(x)), sub(1, square(t))));
    },
  },
  elu: {
    type: "Elu",
    defaults: { alpha: 1 },
    slope: (x, y, { alpha }) => where(greater(x, 0), one(x), add(y, alpha!)),
  },
  celu: {
    type: "Celu",
    defaults: { alpha: 1 },
    slope: (x, y, { alpha }) => where(greater(x, 0), one(x), add(div(y, alpha!), 1)),
  },
  selu: {
    type: "Selu",
    defaults: { alpha: 1.6732632423543772, gamma: 1.0507009873554805 },
    slope: (x, y, { alpha, gamma }) => where(greater(x, 0), gamma!, add(y, alpha! * gamma!)),
  },
  leakyRelu: {
    type: "LeakyRelu",
    defaults: { alpha: 0.01 },
    slope: (x, _, { alpha }) => where(greater(x, 0), one(x), alpha!),
  },
  thresholdedRelu: {
    type: "ThresholdedRelu",
    defaults: { alpha: 1 },
    slope: (x, _, { alpha }) => where(greater(x, alpha!), one(x), 0),
  },
  hardSigmoid: {
    type: "HardSigmoid",
    defaults: { alpha: 0.2, beta: 0.5 },
    slope: (x, y, { alpha }) => where(greater(y, 0), where(less(y, 1), mul(one(x), alpha!), 0), 0),
  },
  hardSwish: {
    type: "HardSwish",
    slope: (x) => where(greater(x, 3), one(x), where(less(x, -3), mul(x, 0), add(mul(x, 1 / 3), 0.5))),
  },
  tan: { type: "Tan", slope: (_, y) => add(square(y), 1) },
  asin: { type: "Asin", slope: (x) => div(1, sqrt(sub(1, square(x)))) },
  acos: { type: "Acos", slope: (x) => div(-1, sqrt(sub(1, square(x)))) },
  atan: { type: "Atan", slope: (x) => div(1, add(square(x), 1)) },
  sinh: { type: "Sinh", slope: (x) => mul(add(exp(x), exp(neg(x))), 0.5) },
  cosh: { type: "Cosh", slope: (x) => mul(sub(exp(x), exp(neg(x))), 0.5) },
  asinh: { type: "Asinh", slope: (x) => div(1, sqrt(add(square(x), 1))) },
  acosh: { type: "Acosh", slope: (x) => div(1, sqrt(sub(square(x), 1))) },
  atanh: { type: "Atanh", slope: (x) => div(1, sub(1, square(x))) },
  floor: { type: "Floor" },
  ceil: { type: "Ceil" },
  round: { type: "Round" },
};

function operatorOf({ type, slope }: Activation): Operator {
  return {
    infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
    gradient:
      slope &&
      ((node, gradient) => [
        mul(gradient, slope(node.inputs[0]!, node, node.attributes as Record<string, number>)),
      ]),
    flat: slope === undefined,
    emit: ({ inputs, attributes }, emitter) =>
      emitter.node(
        type,
        [emitter.name(inputs[0]!)],
        Object.fromEntries(
          Object.entries(attributes).map(([name, value]) => [name, { float: value as number }]),
        ),
      ),
  };
}

export const activations: Record<string, Operator> = Object.fromEntries(
  Object.entries(activationTable).map(([name, entry]) => [name, operatorOf(entry)]),
);
