import { type AnyTensor, contiguous, shapeText } from "./tensor.js";

/** Whether two shapes are equal. */
export function equalShapes(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dimension, axis) => dimension === b[axis]);
}

/**
 * Throws where two tensors differ in shape, with both shapes in the message.
 *
 * @param what What is compared, for the message, such as `"a patch and its point"`.
 */
export function sameShape(a: AnyTensor, b: AnyTensor, what = "the two tensors"): void {
  if (!equalShapes(a.shape, b.shape)) {
    throw new RangeError(`Shapes differ between ${what}: ${shapeText(a.shape)} and ${shapeText(b.shape)}.`);
  }
}

/**
 * The largest absolute difference between two tensors of one shape; 0 for empty ones. Equal infinities differ by 0; NaN
 * on either side gives NaN.
 */
export function maxAbsDifference(a: AnyTensor, b: AnyTensor): number {
  sameShape(a, b);
  const left = contiguous(a).data;
  const right = contiguous(b).data;
  let largest = 0;
  for (let i = 0; i < left.length; i++) {
    const x = Number(left[i]);
    const y = Number(right[i]);
    if (x === y) continue;
    const difference = Math.abs(x - y);
    if (!(difference <= largest)) largest = difference;
    if (Number.isNaN(largest)) return Number.NaN;
  }
  return largest;
}
