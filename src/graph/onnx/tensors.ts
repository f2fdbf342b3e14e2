/** Tensors that an ONNX file holds or points to: their types, and where their bytes are. */

import { bytesOf, bytesPerElement, type TypedArray, typedArrayConstructor } from "../../array/dtype.js";
import { shapeText, sizeOf } from "../../array/tensor.js";
import type { ElementType } from "../value.js";
import { type TensorProto, toNumber } from "./schema.js";
import { elementType, typeText } from "./types.js";

/** Where the bytes of a tensor are. */
export type TensorSource =
  /** In the ONNX file itself, at an offset. */
  | { readonly kind: "inside"; readonly offset: number; readonly byteLength: number }
  /** In a file beside the ONNX file. */
  | {
      readonly kind: "beside";
      readonly location: string;
      readonly offset: number;
      readonly byteLength: number;
    }
  /** Given here: what the file holds as a list of numbers. */
  | { readonly kind: "given"; readonly bytes: Uint8Array };

/** A tensor of an ONNX file. */
export interface StoredTensor {
  readonly name: string;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  readonly source: TensorSource;
  /** The bytes, of tensors that the ONNX file itself holds; a view of the file. */
  readonly bytes?: Uint8Array;
}

/** What tensors are checked against. */
export interface TensorContext {
  /** The bytes of the ONNX file. */
  readonly file: Uint8Array;
  /** The size in bytes of a file beside it, or an error that says why it cannot be read. */
  readonly sizeBeside: (location: string) => number;
  /** Reads part of such a file. */
  readonly readBeside?: (location: string, offset: number, byteLength: number) => Uint8Array;
}

/** What is smaller is held, not mapped: ONNX Runtime wants the numbers of shapes in the model itself. */
export const SMALL_TENSOR = 1024;

const MOST_AXES = 32;

/** The dimensions of a tensor, checked. */
export function shapeOf({ dims }: TensorProto, what: string): number[] {
  const shape = dims.map(toNumber);
  if (shape.length > MOST_AXES || !shape.every((size) => Number.isSafeInteger(size) && size >= 0))
    throw new Error(`${what} has the shape ${shapeText(shape.slice(0, MOST_AXES))}, which no tensor has.`);
  if (!Number.isSafeInteger(sizeOf(shape.filter((size) => size > 0)) * 8))
    throw new Error(`${what} has the shape ${shapeText(shape)}, which is larger than any memory.`);
  return shape;
}

/** Reads a tensor's description, and checks that its bytes are as many as its shape says. */
export function readTensor(proto: TensorProto, context: TensorContext, what: string): StoredTensor {
  const dtype = elementType(proto.dataType);
  if (!dtype)
    throw new Error(`${what} holds ${typeText(proto.dataType)}, an element type that is not supported.`);
  const shape = shapeOf(proto, what);
  const byteLength = sizeOf(shape) * bytesPerElement(dtype);
  const base = { name: proto.name, dtype, shape };
  if (proto.dataLocation === 1) {
    const source = readExternal(proto, byteLength, context, what);
    if (byteLength > SMALL_TENSOR || !context.readBeside) return { ...base, source };
    const bytes = context.readBeside(source.location, source.offset, byteLength);
    return { ...base, source: { kind: "given", bytes }, bytes };
  }
  if (proto.dataLocation !== 0)
    throw new Error(`${what} lies in the place ${proto.dataLocation}, which ONNX does not have.`);
  const isRaw = Object.hasOwn(proto, "rawData");
  const bytes = isRaw ? proto.rawData! : listedBytes(proto, dtype, sizeOf(shape), what);
  if (bytes.byteLength !== byteLength)
    throw new Error(
      `${what} is ${dtype} of shape ${shapeText(shape)}, which takes ${byteLength} bytes; the file has ${bytes.byteLength} for it.`,
    );
  const isView = isRaw && bytes.buffer === context.file.buffer;
  const source: TensorSource = isView
    ? { kind: "inside", offset: bytes.byteOffset - context.file.byteOffset, byteLength }
    : { kind: "given", bytes };
  return { ...base, source, bytes };
}

/** The numbers of a tensor that is stored as a list of them. */
function listedBytes(proto: TensorProto, dtype: ElementType, count: number, what: string): Uint8Array {
  const list: readonly unknown[] =
    dtype === "float32"
      ? proto.floatData
      : dtype === "float64"
        ? proto.doubleData
        : dtype === "int64"
          ? proto.int64Data
          : dtype === "uint64" || dtype === "uint32"
            ? proto.uint64Data
            : proto.int32Data;
  if (list.length !== count)
    throw new Error(`${what} has ${list.length} numbers for a shape of ${count} elements.`);
  const ArrayType = typedArrayConstructor(dtype);
  const data = new ArrayType(count) as TypedArray;
  const isBig = data instanceof BigInt64Array || data instanceof BigUint64Array;
  for (let i = 0; i < count; i++)
    (data as { [index: number]: number | bigint })[i] = isBig ? BigInt(String(list[i])) : Number(list[i]);
  return bytesOf(data);
}

function readExternal(
  { externalData }: TensorProto,
  byteLength: number,
  context: TensorContext,
  what: string,
): Extract<TensorSource, { kind: "beside" }> {
  const entries = new Map(externalData.map(({ key, value }) => [key, value]));
  const location = entries.get("location");
  if (!location) throw new Error(`${what} lies in another file, but the model does not say in which.`);
  checkLocation(location, what);
  const whole = (key: string): number | undefined => {
    const text = entries.get(key);
    if (text === undefined) return undefined;
    const number = Number(text);
    if (/^\d{1,15}$/.test(text)) return number;
    throw new Error(
      `${what} has the ${key} ${JSON.stringify(text)} in ${location}; a whole number was expected.`,
    );
  };
  const offset = whole("offset") ?? 0;
  const length = whole("length") ?? byteLength;
  if (length !== byteLength)
    throw new Error(
      `${what} takes ${byteLength} bytes by its shape; the model says ${length} of ${location}.`,
    );
  const size = context.sizeBeside(location);
  if (offset + length > size)
    throw new Error(
      `${what} would end at byte ${offset + length} of ${location}, which has ${size}: the file is cut off or belongs to another model.`,
    );
  return { kind: "beside", location, offset, byteLength };
}

/** Throws where a path leads out of the model's folder. */
function checkLocation(location: string, what: string): void {
  const parts = location.split(/[/\\]/);
  if (/^([/\\]|[A-Za-z]:)/.test(location) || parts.includes("..") || location.includes("\0"))
    throw new Error(
      `${what} is said to lie in ${JSON.stringify(location)}, outside of the model's folder; that is refused.`,
    );
}
