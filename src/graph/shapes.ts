/** Arithmetic of symbolic shapes. */

import { addDims, multiplyDims } from "./dims.js";
import { type Dim, type Shape, showShape, type Value } from "./value.js";

/** The shape that two tensors broadcast to, by NumPy's rule; a named dimension equals itself only. */
export function broadcastShapes(a: Shape, b: Shape, what = "broadcasting"): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x === 1) return y;
    if (y === 1 || x === y) return x;
    throw new Error(`${what}: the shapes ${showShape(a)} and ${showShape(b)} do not fit together.`);
  });
}

/** An axis counted from the front; negative ones count from the end. */
export function normalizeAxis(axis: number, rank: number, what: string): number {
  const found = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || found < 0 || found >= rank)
    throw new Error(`${what}: axis ${axis} is out of range for a tensor of ${rank} dimensions.`);
  return found;
}

/** The product of dimensions: a number where all are, otherwise a name such as `"batch*pos"`. */
export function productDim(dims: Shape): Dim {
  return dims.reduce(multiplyDims, 1);
}

/** The sum of dimensions: a number where all are, otherwise a name such as `"past+pos"`. */
export function sumDim(dims: Shape): Dim {
  return dims.reduce((sum, dim) => addDims(sum, dim), 0);
}

/** The length of `start..end` (end exclusive, both may be negative) of a dimension, named where it is not known. */
export function sliceDim(dim: Dim, start: number, end: number | undefined): Dim {
  if (typeof dim === "number") {
    const from = start < 0 ? Math.max(0, start + dim) : Math.min(start, dim);
    const to = end === undefined ? dim : end < 0 ? Math.max(0, end + dim) : Math.min(end, dim);
    return Math.max(0, to - from);
  }
  if (end === undefined) return start < 0 ? -start : addDims(dim, start, -1);
  if (start < 0 === end < 0) return Math.max(0, end - start);
  return end < 0 ? addDims(dim, start - end, -1) : `${dim}[${start}:${end}]`;
}

/** Whether two shapes are the same. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

/** Requires values of one dtype; gives it. */
export function sameType(what: string, values: readonly Value[]): Value["dtype"] {
  const { dtype } = values[0]!;
  for (const value of values)
    if (value.dtype !== dtype)
      throw new Error(`${what}: operands must have one dtype, but came as ${dtype} and ${value.dtype}.`);
  return dtype;
}
