import ndarray, { type NdArray } from "ndarray";
import type { NumberArray, TypedArray } from "./dtype.js";

/** The tensor that users hold: a view of float32 values with a shape and strides. */
export type Tensor = NdArray<Float32Array>;

/**
 * What the data of a tensor may be. The 64-bit integers are spelled as `@types/ndarray` spells them: TypeScript 5.9 takes
 * them for another type than plain `BigInt64Array`.
 */
export type TensorData =
  | NumberArray
  | InstanceType<typeof BigInt64Array>
  | InstanceType<typeof BigUint64Array>;

/** A tensor of any element type, such as token ids in an `Int32Array` or a `BigInt64Array`. */
export type AnyTensor = NdArray<TensorData>;

/** How many elements an array of this shape has; 1 for the empty shape of a scalar. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const dimension of shape) size *= dimension;
  return size;
}

/** The shape as messages write it: `[2, 3]`. */
export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}

/** Throws where a shape has an entry that is not a whole number from 0 on. */
export function checkShape(shape: readonly number[]): void {
  for (const dimension of shape) {
    if (!Number.isSafeInteger(dimension) || dimension < 0) {
      throw new RangeError(`A shape has whole numbers from 0 on; this one is ${shapeText(shape)}.`);
    }
  }
}

/**
 * Data as a tensor of the given shape, rows one after another. A typed array is not copied; a plain array becomes float32.
 *
 * @throws RangeError where the number of elements is not that of the shape.
 * @example
 * ```ts
 * tensor([1, 2, 3, 4, 5, 6], [2, 3]).get(1, 0); // 4
 * ```
 */
export function tensor(data: readonly number[], shape?: readonly number[]): Tensor;
export function tensor<D extends TensorData>(data: D, shape?: readonly number[]): NdArray<D>;
export function tensor(data: TypedArray, shape?: readonly number[]): AnyTensor;
export function tensor(
  data: TypedArray | readonly number[],
  shape: readonly number[] = [data.length],
): AnyTensor {
  checkShape(shape);
  const size = sizeOf(shape);
  if (data.length !== size) {
    throw new RangeError(
      `The shape ${shapeText(shape)} has ${size} elements, but ${data.length} values came.`,
    );
  }
  return ndarray(Array.isArray(data) ? Float32Array.from(data) : (data as TensorData), [
    ...shape,
  ]) as AnyTensor;
}

/** A new tensor of zeros. */
export function zeros(shape: readonly number[]): Tensor {
  checkShape(shape);
  return tensor(new Float32Array(sizeOf(shape)), shape);
}

/** Whether the elements stand in memory row by row without holes. */
export function isContiguous(x: AnyTensor): boolean {
  let expected = 1;
  for (let axis = x.shape.length - 1; axis >= 0; axis--) {
    if (x.shape[axis] === 0) return true;
    if (x.shape[axis] !== 1 && x.stride[axis] !== expected) return false;
    expected *= x.shape[axis]!;
  }
  return true;
}

/**
 * The same values with `data` holding exactly them, row by row, from offset 0 on. Copies nothing where they already
 * stand like that, also inside a larger buffer; so the result may share memory with `x`.
 */
export function contiguous<D extends TensorData>(x: NdArray<D>): NdArray<D> {
  const size = sizeOf(x.shape);
  if (isContiguous(x)) {
    if (x.offset === 0 && x.data.length === size) return x;
    return tensor(x.data.subarray(x.offset, x.offset + size) as D, x.shape);
  }
  return copy(x);
}

/** A copy that shares no memory with `x`, row by row. */
export function copy<D extends TensorData>(x: NdArray<D>): NdArray<D> {
  const size = sizeOf(x.shape);
  if (isContiguous(x)) return tensor(x.data.slice(x.offset, x.offset + size) as D, x.shape);
  const data = new (x.data.constructor as new (length: number) => D)(size);
  copyRows(x, data);
  return tensor(data, x.shape);
}

/** Writes the values of a strided view into `target`, row by row. */
function copyRows(x: AnyTensor, target: TensorData): void {
  const source = x.data as Float32Array;
  const out = target as Float32Array;
  const last = x.shape.length - 1;
  const length = x.shape[last]!;
  const step = x.stride[last]!;
  const counters = new Array<number>(last).fill(0);
  let from = x.offset;
  for (let to = 0; to < out.length; ) {
    for (let i = 0, at = from; i < length; i++, at += step) out[to++] = source[at]!;
    for (let axis = last - 1; axis >= 0; axis--) {
      from += x.stride[axis]!;
      counters[axis]!++;
      if (counters[axis]! < x.shape[axis]!) break;
      from -= x.stride[axis]! * x.shape[axis]!;
      counters[axis] = 0;
    }
  }
}
