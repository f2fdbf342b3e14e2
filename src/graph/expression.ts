/**
 * Graph values with methods, for metrics that users write:
 * `({ logits }) => logits.at(0, -1, a).sub(logits.at(0, -1, b))`.
 */

import * as g from "./build.js";
import type { Shape, Value } from "./value.js";

/** An operand: another graph value, or a number. */
export type ExpressionLike = Expression | number;

const unwrap = (x: ExpressionLike): Value | number => (typeof x === "number" ? x : x.value);

/** A graph value with methods. Negative indices and axes count from the end. */
export class Expression {
  constructor(readonly value: Value) {}

  /** Dimensions: numbers, or names such as `"batch"` where the size is known only when the graph runs. */
  get shape(): Shape {
    return this.value.shape;
  }

  /** The part at these indices of the leading axes, without those axes: `logits.at(0, -1)` is `[dVocab]`. */
  at(...indices: number[]): Expression {
    if (indices.length > this.value.rank)
      throw new Error(`at(${indices.join(", ")}): ${this.value} has only ${this.value.rank} axes.`);
    const picked = indices.reduce((value, index, axis) => pick(value, axis, index), this.value);
    return new Expression(
      g.squeeze(
        picked,
        indices.map((_, axis) => axis),
      ),
    );
  }

  /** Elements `start..end` (end exclusive) along an axis. */
  slice(axis: number, start: number, end?: number): Expression {
    return new Expression(g.slice(this.value, axis, start, end));
  }

  /** The sum, elementwise with broadcasting. */
  add(other: ExpressionLike): Expression {
    return new Expression(g.add(this.value, unwrap(other)));
  }
  /** The difference, elementwise with broadcasting. */
  sub(other: ExpressionLike): Expression {
    return new Expression(g.sub(this.value, unwrap(other)));
  }
  /** The product, elementwise with broadcasting. */
  mul(other: ExpressionLike): Expression {
    return new Expression(g.mul(this.value, unwrap(other)));
  }
  /** The quotient, elementwise with broadcasting. */
  div(other: ExpressionLike): Expression {
    return new Expression(g.div(this.value, unwrap(other)));
  }
  /** The matrix product over the last two axes. */
  matmul(other: Expression): Expression {
    return new Expression(g.matmul(this.value, other.value));
  }
  /** The value with its sign turned. */
  neg(): Expression {
    return new Expression(g.neg(this.value));
  }
  /** `eˣ`, elementwise. */
  exp(): Expression {
    return new Expression(g.exp(this.value));
  }
  /** The natural logarithm, elementwise. */
  log(): Expression {
    return new Expression(g.log(this.value));
  }
  /** `max(x, 0)`, elementwise. */
  relu(): Expression {
    return new Expression(g.relu(this.value));
  }
  /** The magnitude, elementwise. */
  abs(): Expression {
    return new Expression(g.abs(this.value));
  }
  /** `x²`, elementwise. */
  square(): Expression {
    return new Expression(g.square(this.value));
  }
  /** Softmax over the last axis. */
  softmax(): Expression {
    return new Expression(g.softmax(this.value));
  }
  /** The logarithm of softmax over the last axis. */
  logSoftmax(): Expression {
    return new Expression(g.logSoftmax(this.value));
  }
  /** The sum over one axis, or over everything. */
  sum(axis?: number): Expression {
    return new Expression(g.sum(this.value, axis === undefined ? undefined : [axis]));
  }
  /** The mean over one axis, or over everything. */
  mean(axis?: number): Expression {
    return new Expression(g.mean(this.value, axis === undefined ? undefined : [axis]));
  }
  /** The maximum over one axis, or over everything. */
  max(axis?: number): Expression {
    return new Expression(g.max(this.value, axis === undefined ? undefined : [axis]));
  }
}

function pick(value: Value, axis: number, index: number): Value {
  const size = value.shape[axis]!;
  if (!Number.isInteger(index) || (typeof size === "number" && (index >= size || index < -size)))
    throw new Error(`Index ${index} is out of range for axis ${axis} of ${value}.`);
  return g.slice(value, axis, index, index === -1 ? undefined : index + 1);
}
