/** Elementwise operators. */

import {
  add,
  cast,
  cos,
  div,
  erf,
  exp,
  greater,
  greaterOrEqual,
  log,
  mul,
  neg,
  pow,
  sigmoid,
  sign,
  sin,
  square,
  sub,
  unbroadcast,
  where,
} from "../build.js";
import { onnxType } from "../onnx/types.js";
import { broadcastShapes, sameType } from "../shapes.js";
import type { ElementType, Operator, Value } from "../value.js";

type Rule = (gradient: Value, a: Value, b: Value, result: Value) => [() => Value, () => Value];

/** Two operands of one dtype, broadcast; the rule gives both gradients before they are summed to the operands. */
function binary(type: string, rule: Rule): Operator {
  return {
    infer: ([a, b]) => ({
      dtype: sameType(type, [a!, b!]),
      shape: broadcastShapes(a!.shape, b!.shape, type),
    }),
    gradient: (node, gradient, needs) => {
      const [a, b] = node.inputs as [Value, Value];
      const [left, right] = rule(gradient, a, b, node);
      return [needs[0] ? unbroadcast(left(), a) : undefined, needs[1] ? unbroadcast(right(), b) : undefined];
    },
    emit: ({ inputs }, emitter) =>
      emitter.node(
        type,
        inputs.map((value) => emitter.name(value)),
      ),
  };
}

function comparison(type: string): Operator {
  return {
    infer: ([a, b]) => {
      sameType(type, [a!, b!]);
      return { dtype: "bool", shape: broadcastShapes(a!.shape, b!.shape, type) };
    },
    flat: true,
    emit: ({ inputs }, emitter) =>
      emitter.node(
        type,
        inputs.map((value) => emitter.name(value)),
      ),
  };
}

/** One operand; the rule gives its gradient from that of the result. Without a rule the operator is flat. */
function unary(type: string, rule?: (gradient: Value, x: Value, result: Value) => Value): Operator {
  return {
    infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
    gradient: rule && ((node, gradient) => [rule(gradient, node.inputs[0]!, node)]),
    flat: rule === undefined,
    emit: ({ inputs }, emitter) => emitter.node(type, [emitter.name(inputs[0]!)]),
  };
}

const TWO_OVER_SQRT_PI = 2 / Math.sqrt(Math.PI);
const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);

/**
 * d/dx of GELU (Hendrycks & Gimpel 2016), given its result y. Exact: Φ(x) + x φ(x). In the tanh form y = x s with
 * s = σ(2u), u = √(2/π) (x + 0.044715 x³), so the derivative is s (1 + (x − y) 2u′): fewer passes than by tanh.
 */
function geluDerivative(x: Value, y: Value, approximate: string): Value {
  if (approximate === "none") {
    const phi = mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return add(normalCdf(x), mul(x, phi));
  }
  const x2 = square(x);
  const share = sigmoid(mul(x, add(mul(x2, 2 * SQRT_2_OVER_PI * 0.044715), 2 * SQRT_2_OVER_PI)));
  const slope = add(mul(x2, 6 * SQRT_2_OVER_PI * 0.044715), 2 * SQRT_2_OVER_PI);
  return mul(share, add(mul(sub(x, y), slope), 1));
}

const normalCdf = (x: Value): Value => mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5);

/** Where `first` wins (ties to the first), the gradient goes to `a`, elsewhere to `b`. */
const chosen = (gradient: Value, first: Value): [() => Value, () => Value] => [
  () => where(first, gradient, 0),
  () => where(first, 0, gradient),
];

export const elementwise: Record<string, Operator> = {
  add: binary("Add", (g) => [() => g, () => g]),
  sub: binary("Sub", (g) => [() => g, () => neg(g)]),
  mul: binary("Mul", (g, a, b) => [() => mul(g, b), () => mul(g, a)]),
  div: binary("Div", (g, _, b, result) => [() => div(g, b), () => neg(div(mul(g, result), b))]),
  pow: binary("Pow", (g, a, b, result) => [
    () => mul(g, mul(b, pow(a, sub(b, 1)))),
    () => mul(g, mul(result, log(a))),
  ]),
  maximum: binary("Max", (g, a, b) => chosen(g, greaterOrEqual(a, b))),
  minimum: binary("Min", (g, a, b) => chosen(g, greaterOrEqual(b, a))),
  equal: comparison("Equal"),
  greater: comparison("Greater"),
  greaterOrEqual: comparison("GreaterOrEqual"),
  less: comparison("Less"),
  lessOrEqual: comparison("LessOrEqual"),
  and: comparison("And"),
  or: comparison("Or"),
  not: unary("Not"),
  neg: unary("Neg", (g) => neg(g)),
  exp: unary("Exp", (g, _, result) => mul(g, result)),
  log: unary("Log", (g, x) => div(g, x)),
  sqrt: unary("Sqrt", (g, _, result) => div(mul(g, 0.5), result)),
  tanh: unary("Tanh", (g, _, result) => mul(g, sub(1, square(result)))),
  sigmoid: unary("Sigmoid", (g, _, result) => mul(g, mul(result, sub(1, result)))),
  erf: unary("Erf", (g, x) => mul(g, mul(exp(neg(square(x))), TWO_OVER_SQRT_PI))),
  relu: unary("Relu", (g, x) => where(greater(x, 0), g, 0)),
  abs: unary("Abs", (g, x) => mul(g, sign(x))),
  sign: unary("Sign"),
  sin: unary("Sin", (g, x) => mul(g, cos(x))),
  cos: unary("Cos", (g, x) => neg(mul(g, sin(x)))),
  gelu: {
    infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
    gradient: (node, gradient) => [
      mul(gradient, geluDerivative(node.inputs[0]!, node, node.attributes.approximate as string)),
    ],
    emit: ({ inputs, attributes }, emitter) =>
      emitter.node("Gelu", [emitter.name(inputs[0]!)], { approximate: attributes.approximate as string }),
  },
  where: {
    infer: ([condition, a, b]) => ({
      dtype: sameType("where", [a!, b!]),
      shape: broadcastShapes(condition!.shape, broadcastShapes(a!.shape, b!.shape, "where"), "where"),
    }),
    gradient: ({ inputs: [condition, a, b] }, gradient, needs) => [
      undefined,
      needs[1] ? unbroadcast(where(condition!, gradient, 0), a!) : undefined,
      needs[2] ? unbroadcast(where(condition!, 0, gradient), b!) : undefined,
    ],
    emit: ({ inputs }, emitter) =>
      emitter.node(
        "Where",
        inputs.map((value) => emitter.name(value)),
      ),
  },
  cast: {
    infer: ([x], { dtype }) => ({ dtype: dtype as ElementType, shape: x!.shape }),
    gradient: ({ inputs: [x] }, gradient) => [
      x!.dtype.includes("float") ? cast(gradient, x!.dtype) : undefined,
    ],
    emit: ({ inputs, dtype }, emitter) =>
      emitter.node("Cast", [emitter.name(inputs[0]!)], { to: onnxType(dtype) }),
  },
};
