/** Small sums and choices along the last axis. Anything heavy is a graph, not a loop here. */
import type { TypedArray } from "./dtype.js";
import { type AnyTensor, contiguous, shapeText, sizeOf, type Tensor, tensor } from "./tensor.js";

interface Rows {
  readonly data: Float32Array;
  readonly count: number;
  readonly length: number;
  /** The shape without its last axis. */
  readonly outer: number[];
}

function rowsOf(x: AnyTensor, what: string): Rows {
  if (x.shape.length === 0) throw new RangeError(`${what} needs at least one axis; a scalar came.`);
  if (x.data instanceof BigInt64Array || x.data instanceof BigUint64Array) {
    throw new TypeError(`${what} takes numbers; 64-bit integers came. Convert them first.`);
  }
  const outer = x.shape.slice(0, -1);
  return {
    data: contiguous(x).data as Float32Array,
    count: sizeOf(outer),
    length: x.shape.at(-1)!,
    outer,
  };
}

function rejectEmpty(rows: Rows, what: string, shape: readonly number[]): void {
  if (rows.length === 0)
    throw new RangeError(`${what} of an empty row does not exist; the shape is ${shapeText(shape)}.`);
}

/** Sums over the last axis, `[..., n]` → `[...]`, added up in float64. */
export function sum(x: AnyTensor): Tensor {
  const { data, count, length, outer } = rowsOf(x, "sum");
  const out = new Float32Array(count);
  for (let row = 0; row < count; row++) {
    let total = 0;
    for (let i = row * length; i < (row + 1) * length; i++) total += data[i]!;
    out[row] = total;
  }
  return tensor(out, outer);
}

/** Means over the last axis, `[..., n]` → `[...]`, added up in float64. */
export function mean(x: AnyTensor): Tensor {
  const rows = rowsOf(x, "mean");
  rejectEmpty(rows, "The mean", x.shape);
  const { data, count, length, outer } = rows;
  const out = new Float32Array(count);
  for (let row = 0; row < count; row++) {
    let total = 0;
    for (let i = row * length; i < (row + 1) * length; i++) total += data[i]!;
    out[row] = total / length;
  }
  return tensor(out, outer);
}

/** Largest value of a row and the logarithm of the sum of exp(value − largest), in float64. */
function logSumExp(data: Float32Array, from: number, to: number): { largest: number; logSum: number } {
  let largest = -Infinity;
  for (let i = from; i < to; i++) if (data[i]! > largest || Number.isNaN(data[i])) largest = data[i]!;
  let total = 0;
  for (let i = from; i < to; i++) total += Math.exp(data[i]! - largest);
  return { largest, logSum: Math.log(total) };
}

/** Softmax over the last axis; `-Infinity` gives 0. Computed in float64. */
export function softmax(x: AnyTensor): Tensor {
  const { data, count, length } = rowsOf(x, "softmax");
  const out = new Float32Array(data.length);
  for (let row = 0; row < count; row++) {
    const { largest, logSum } = logSumExp(data, row * length, (row + 1) * length);
    const total = Math.exp(logSum);
    for (let i = row * length; i < (row + 1) * length; i++) out[i] = Math.exp(data[i]! - largest) / total;
  }
  return tensor(out, x.shape);
}

/** Logarithm of the softmax over the last axis, in nats. Computed in float64. */
export function logSoftmax(x: AnyTensor): Tensor {
  const { data, count, length } = rowsOf(x, "logSoftmax");
  const out = new Float32Array(data.length);
  for (let row = 0; row < count; row++) {
    const { largest, logSum } = logSumExp(data, row * length, (row + 1) * length);
    for (let i = row * length; i < (row + 1) * length; i++) out[i] = data[i]! - largest - logSum;
  }
  return tensor(out, x.shape);
}

function rejectNaN(data: TypedArray, what: string): void {
  for (let i = 0; i < data.length; i++) {
    if (Number.isNaN(data[i]))
      throw new RangeError(`${what} is not defined for NaN, and the values contain NaN (at ${i}).`);
  }
}

/** Index of the largest value along the last axis, `[..., n]` → `[...]`; of equal ones the first. Refuses NaN. */
export function argmax(x: AnyTensor): number[] {
  const rows = rowsOf(x, "argmax");
  rejectEmpty(rows, "argmax", x.shape);
  const { data, count, length } = rows;
  rejectNaN(data, "argmax");
  const out: number[] = [];
  for (let row = 0; row < count; row++) {
    let best = row * length;
    for (let i = best + 1; i < (row + 1) * length; i++) if (data[i]! > data[best]!) best = i;
    out.push(best - row * length);
  }
  return out;
}

/** The largest values of a row and where they stand, largest first. */
export interface TopK {
  readonly indices: number[];
  readonly values: number[];
}

/**
 * The `k` largest values of each row along the last axis, largest first, of equal ones the first; one entry a row, rows
 * in row-major order. `k` larger than the row gives the whole row. Refuses NaN.
 *
 * @example
 * ```ts
 * topK(tensor([0.1, 0.7, 0.2]), 2)[0]; // { indices: [1, 2], values: [0.7, 0.2] }, as float32
 * ```
 */
export function topK(x: AnyTensor, k: number): TopK[] {
  if (!Number.isInteger(k) || k < 0) throw new RangeError(`topK takes a whole number from 0 on; ${k} came.`);
  const { data, count, length } = rowsOf(x, "topK");
  rejectNaN(data, "topK");
  const kept = Math.min(k, length);
  return Array.from({ length: count }, (_, row) => {
    const start = row * length;
    const indices: number[] = [];
    for (let i = 0; i < length && kept > 0; i++) {
      const value = data[start + i]!;
      if (indices.length === kept && value <= data[start + indices[kept - 1]!]!) continue;
      let at = indices.length;
      while (at > 0 && value > data[start + indices[at - 1]!]!) at--;
      indices.splice(at, 0, i);
      if (indices.length > kept) indices.pop();
    }
    return { indices, values: indices.map((i) => data[start + i]!) };
  });
}
