import type { NdArray } from "ndarray";
import { contiguous, shapeText, type Tensor, type TensorData, tensor } from "./tensor.js";

/** Numbers in arrays in arrays, as deep as there are axes. */
export type Nested<T = number> = T | Nested<T>[];

/**
 * A tensor as arrays in arrays; a scalar as a number, 64-bit integers as bigints.
 *
 * @example
 * ```ts
 * toNested(tensor([1, 2, 3, 4], [2, 2])); // [[1, 2], [3, 4]]
 * ```
 */
export function toNested<D extends TensorData>(x: NdArray<D>): Nested<D[number]> {
  const { data, shape } = contiguous(x);
  let position = 0;
  const build = (axis: number): Nested<D[number]> => {
    if (axis === shape.length) return data[position++] as D[number];
    return Array.from({ length: shape[axis]! }, () => build(axis + 1));
  };
  return build(0);
}

/**
 * Arrays in arrays as a float32 tensor.
 *
 * @throws TypeError where an entry is not a number; RangeError where rows differ in length, both naming the place.
 * @example
 * ```ts
 * fromNested([[1, 2], [3, 4]]).shape; // [2, 2]
 * ```
 */
export function fromNested(nested: Nested): Tensor {
  const shape: number[] = [];
  for (let level: Nested = nested; Array.isArray(level); level = level[0]!) {
    shape.push(level.length);
    if (level.length === 0) break;
  }
  const values: number[] = [];
  const visit = (value: Nested, path: number[]): void => {
    const depth = path.length;
    if (depth === shape.length) {
      if (typeof value !== "number") {
        const what = Array.isArray(value)
          ? `an array of ${value.length}`
          : `${typeof value} ${String(value)}`;
        throw new TypeError(`A number was expected at ${shapeText(path)}; ${what} came.`);
      }
      values.push(value);
      return;
    }
    if (!Array.isArray(value) || value.length !== shape[depth]) {
      const what = Array.isArray(value) ? `one of ${value.length}` : `the ${typeof value} ${String(value)}`;
      throw new RangeError(
        `Rows must be of one length: an array of ${shape[depth]} was expected at ${shapeText(path)}, ${what} came.`,
      );
    }
    for (let i = 0; i < value.length; i++) visit(value[i]!, [...path, i]);
  };
  visit(nested, []);
  return tensor(values, shape);
}
