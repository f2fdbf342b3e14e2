/** Rules for elementwise operators. */

import * as g from "../../build.js";
import { activationTable } from "../../operators/activations.js";
import type { Value } from "../../value.js";
import { fitted, type NodeView } from "../node.js";
import { elementType } from "../types.js";
import type { Rule, Rules } from "./rule.js";

type Binary = (a: Value, b: Value) => Value;

const two =
  (word: Binary): Rule =>
  (at) => {
    const [a, b] = fitted(at.input(0), at.input(1)) as [Value, Value];
    return word(a, b);
  };

const one =
  (word: (x: Value) => Value): Rule =>
  (at) =>
    word(at.input(0));

/** An operator of any number of operands. */
const fold = (at: NodeView, word: Binary): Value =>
  at.inputs().reduce((a, b) => {
    const [left, right] = fitted(a, b) as [Value, Value];
    return word(left, right);
  });

const isFloat = (x: Value): boolean => x.dtype.includes("float");

const functions = Object.fromEntries(
  Object.entries(activationTable).map(([name, { type, defaults = {} }]): [string, Rule] => [
    type,
    (at) => {
      const given = Object.entries(defaults).map(([key, value]) => [key, at.float(key, value)]);
      return g.activation(name, at.input(0), Object.fromEntries(given));
    },
  ]),
);

export const elementwiseRules: Rules = {
  ...functions,
  Add: two(g.add),
  Sub: two(g.sub),
  Mul: two(g.mul),
  Div: two(g.div),
  Equal: two(g.equal),
  Greater: two(g.greater),
  GreaterOrEqual: two(g.greaterOrEqual),
  Less: two(g.less),
  LessOrEqual: two(g.lessOrEqual),
  And: two(g.and),
  Or: two(g.or),
  Not: one(g.not),
  Pow: (at) => {
    const [a, b] = fitted(at.input(0), at.input(1)) as [Value, Value];
    if (a.dtype === b.dtype) return g.pow(a, b);
    return isFloat(a) ? g.pow(a, g.cast(b, a.dtype)) : undefined;
  },
  Max: (at) => fold(at, g.maximum),
  Min: (at) => fold(at, g.minimum),
  Sum: (at) => fold(at, g.add),
  Mean: (at) => g.mul(fold(at, g.add), 1 / at.count),
  Neg: one(g.neg),
  Exp: one(g.exp),
  Log: one(g.log),
  Sqrt: one(g.sqrt),
  Tanh: one(g.tanh),
  Sigmoid: one(g.sigmoid),
  Erf: one(g.erf),
  Relu: one(g.relu),
  Abs: one(g.abs),
  Sign: one(g.sign),
  Sin: one(g.sin),
  Cos: one(g.cos),
  Identity: one((x) => x),
  Gelu: (at) => g.gelu(at.input(0), at.text("approximate", "none") === "tanh" ? "tanh" : "none"),
  "com.microsoft.Gelu": one((x) => g.gelu(x)),
  "com.microsoft.QuickGelu": (at) => {
    const x = at.input(0);
    return g.mul(x, g.sigmoid(g.mul(x, at.float("alpha", 1.702))));
  },
  "com.microsoft.BiasGelu": two((x, bias) => g.gelu(g.add(x, bias))),
  "com.microsoft.FastGelu": (at) => g.gelu(at.has(1) ? g.add(at.input(0), at.input(1)) : at.input(0), "tanh"),
  PRelu: two((x, slope) => g.where(g.greater(x, 0), x, g.mul(x, slope))),
  Clip: (at) => {
    const [x, min, max] = [at.input(0), at.optional(1), at.optional(2)];
    const above = min ? g.maximum(x, min) : x;
    return max ? g.minimum(above, max) : above;
  },
  Where: (at) => {
    const [condition, a, b] = fitted(at.input(0), at.input(1), at.input(2)) as [Value, Value, Value];
    return g.where(condition, a, b);
  },
  Cast: (at) => {
    const dtype = elementType(at.int("to", 0));
    return dtype && g.cast(at.input(0), dtype);
  },
  CastLike: (at) => g.cast(at.input(0), at.input(1).dtype),
  // Of a finished model: nothing is dropped.
  Dropout: (at) => (at.gives(1) || at.has(2) ? undefined : at.input(0)),
};
