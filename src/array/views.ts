import ndarray, { type NdArray } from "ndarray";
import { checkShape, shapeText, type TensorData } from "./tensor.js";

/** Part of an axis: `from` (included, default 0) to `to` (excluded, default the end) by `step` (default 1). */
export interface AxisRange {
  /** First index; negative counts from the end. */
  from?: number;
  /** Index after the last one; negative counts from the end. */
  to?: number;
  /** Distance between two indices, at least 1. */
  step?: number;
}

/** An axis as a number from 0 on; `axis` may be negative and then counts from the end. */
export function resolveAxis(shape: readonly number[], axis: number): number {
  const resolved = axis < 0 ? axis + shape.length : axis;
  if (!Number.isInteger(resolved) || resolved < 0 || resolved >= shape.length) {
    throw new RangeError(
      `There is no axis ${axis} in the shape ${shapeText(shape)}: axes go from ${-shape.length} to ${shape.length - 1}.`,
    );
  }
  return resolved;
}

/**
 * A view of part of one axis; nothing is copied. A number takes one index and drops the axis, a range keeps it.
 *
 * @param x Any tensor.
 * @param axis Which axis; negative counts from the end.
 * @param range An index (negative counts from the end) or `{ from, to, step }`; ranges are cut to the axis as in NumPy.
 * @throws RangeError where the axis or the index does not exist.
 * @example
 * ```ts
 * const logits = zeros([1, 5, 100]); // [batch, pos, dVocab]
 * slice(logits, 1, -1).shape; // [1, 100]
 * slice(logits, 1, { from: 1, to: 3 }).shape; // [1, 2, 100]
 * ```
 */
export function slice<D extends TensorData>(
  x: NdArray<D>,
  axis: number,
  range: number | AxisRange,
): NdArray<D> {
  const at = resolveAxis(x.shape, axis);
  const length = x.shape[at]!;
  const shape = [...x.shape];
  const stride = [...x.stride];
  if (typeof range === "number") {
    const index = range < 0 ? range + length : range;
    if (!Number.isInteger(index) || index < 0 || index >= length) {
      throw new RangeError(`Index ${range} is outside axis ${axis} of the shape ${shapeText(x.shape)}.`);
    }
    shape.splice(at, 1);
    stride.splice(at, 1);
    return ndarray(x.data, shape, stride, x.offset + index * x.stride[at]!);
  }
  const { from = 0, to = length, step = 1 } = range;
  if (!Number.isInteger(step) || step < 1)
    throw new RangeError(`A step is a whole number from 1 on; ${step} came.`);
  const clamp = (index: number): number => Math.min(Math.max(index < 0 ? index + length : index, 0), length);
  const start = clamp(from);
  shape[at] = Math.max(0, Math.ceil((clamp(to) - start) / step));
  stride[at] = x.stride[at]! * step;
  return ndarray(x.data, shape, stride, x.offset + start * x.stride[at]!);
}

/**
 * A view of the values repeated to a larger shape (stride 0 where they repeat), by NumPy's rule: axes are matched from
 * the last, and an axis of 1 stretches.
 *
 * @throws RangeError with both shapes where they do not match.
 * @example
 * ```ts
 * broadcastTo(tensor([1, 2, 3]), [2, 3]).get(1, 2); // 3
 * ```
 */
export function broadcastTo<D extends TensorData>(x: NdArray<D>, shape: readonly number[]): NdArray<D> {
  checkShape(shape);
  const added = shape.length - x.shape.length;
  const stride = shape.map((dimension, axis) => {
    const own = axis < added ? 1 : x.shape[axis - added]!;
    if (own === dimension) return axis < added ? 0 : x.stride[axis - added]!;
    return own === 1 ? 0 : Number.NaN;
  });
  if (added < 0 || stride.some(Number.isNaN)) {
    throw new RangeError(
      `${shapeText(x.shape)} does not broadcast to ${shapeText(shape)}: from the last axis on, each must be equal or 1.`,
    );
  }
  return ndarray(x.data, [...shape], stride, x.offset);
}
