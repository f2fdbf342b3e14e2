/** Logistic regression of two classes, in float64. */

import { Matrix, solve } from "ml-matrix";
import type { Tensor } from "../array/index.js";

/** A fitted regression: P(y = 1 | x) = σ(weights · x + bias). */
export interface LogisticRegression {
  /** `[features]` */
  readonly weights: Float64Array;
  readonly bias: number;
  /** P(y = 1) of each row of `[rows, features]`. */
  probabilities(x: Tensor): Float64Array;
  /** The share of rows whose likelier class is right, from 0 to 1. */
  accuracy(x: Tensor, y: readonly number[]): number;
}

/**
 * Minimises ½ ‖w‖² + c · Σ log(1 + exp(−s (w · x + b))), s = ±1, as scikit-learn's `LogisticRegression(C=c)` does, by
 * Newton's method with step halving. The bias is not penalised.
 *
 * @param x `[rows, features]`
 * @param y 0 or 1 for each row
 * @param options.c the inverse strength of the penalty; 1 by default
 * @throws where rows and labels differ in number, labels are neither 0 nor 1 or all alike, or a value is not finite
 */
export function logisticRegression(
  x: Tensor,
  y: readonly number[],
  { c = 1 }: { c?: number } = {},
): LogisticRegression {
  const [rows, features] = checked(x, y, c);
  const design = rowsOf(x);
  const objective = (theta: Float64Array): number => {
    let sum = 0;
    for (let j = 0; j < features; j++) sum += 0.5 * theta[j]! ** 2;
    design.forEach((row, i) => {
      const margin = (y[i] === 1 ? 1 : -1) * score(row, theta);
      sum += c * (margin > 0 ? Math.log1p(Math.exp(-margin)) : Math.log1p(Math.exp(margin)) - margin);
    });
    return sum;
  };
  let theta = new Float64Array(features + 1);
  let value = objective(theta);
  for (let iteration = 0; iteration < 100; iteration++) {
    const { gradient, hessian } = derivatives(design, y, theta, c);
    const step = solve(hessian, Matrix.columnVector(gradient)).to1DArray();
    // Newton's decrement bounds what is left to gain (Boyd and Vandenberghe 2004, 9.5.1).
    const decrement = step.reduce((sum, d, j) => sum + d * gradient[j]!, 0);
    if (decrement < 1e-14 * Math.max(1, value)) break;
    for (let scale = 1; scale > 1e-10; scale /= 2) {
      const next = theta.map((t, j) => t - scale * step[j]!);
      const nextValue = objective(next);
      if (nextValue <= value - 0.25 * scale * decrement || scale < 1e-9) {
        theta = next;
        value = nextValue;
        break;
      }
    }
  }
  const weights = theta.slice(0, features);
  const bias = theta[features]!;
  const probabilities = (input: Tensor): Float64Array =>
    Float64Array.from(rowsOf(input), (row) => logistic(score(row, theta)));
  return {
    weights,
    bias,
    probabilities,
    accuracy: (input, labels) => {
      const right = [...probabilities(input)].filter((p, i) => (p > 0.5 ? 1 : 0) === labels[i]);
      return right.length / labels.length;
    },
  };
  function derivatives(
    data: readonly Float64Array[],
    labels: readonly number[],
    at: Float64Array,
    strength: number,
  ): { gradient: Float64Array; hessian: Matrix } {
    const gradient = at.slice();
    gradient[features] = 0;
    const hessian = Matrix.zeros(features + 1, features + 1);
    for (let j = 0; j < features; j++) hessian.set(j, j, 1);
    const weighted = new Matrix(rows, features + 1);
    data.forEach((row, i) => {
      const p = logistic(score(row, at));
      const root = Math.sqrt(strength * p * (1 - p));
      for (let j = 0; j <= features; j++) {
        const value = j < features ? row[j]! : 1;
        gradient[j]! += strength * (p - labels[i]!) * value;
        weighted.set(i, j, root * value);
      }
    });
    return { gradient, hessian: hessian.add(weighted.transpose().mmul(weighted)) };
  }
}

const logistic = (z: number): number => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));

function score(row: Float64Array, theta: Float64Array): number {
  let sum = theta[row.length]!;
  for (let j = 0; j < row.length; j++) sum += theta[j]! * row[j]!;
  return sum;
}

function rowsOf(x: Tensor): Float64Array[] {
  const [rows, features] = x.shape as [number, number];
  return Array.from({ length: rows }, (_, i) =>
    Float64Array.from({ length: features }, (_, j) => x.get(i, j)),
  );
}

function checked(x: Tensor, y: readonly number[], c: number): [number, number] {
  const [rows, features] = x.shape as [number, number];
  if (x.shape.length !== 2 || rows !== y.length)
    throw new Error(
      `A probe takes [rows, features] and a label a row; [${x.shape}] and ${y.length} labels came.`,
    );
  if (!(c > 0)) throw new RangeError(`The inverse strength of the penalty is a positive number; ${c} came.`);
  if (!y.every((label) => label === 0 || label === 1))
    throw new Error("The labels of a probe of two classes are 0 and 1.");
  if (new Set(y).size < 2) throw new Error("All labels are alike: there is nothing to tell apart.");
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < features; j++)
      if (!Number.isFinite(x.get(i, j))) throw new Error(`Row ${i} has a value that is no finite number.`);
  return [rows, features];
}
