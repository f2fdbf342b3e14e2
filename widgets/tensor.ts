/** The number types that cross between kernel and browser, each with its array. */
const arrayTypes: Record<DType, Float32ArrayConstructor | Int32ArrayConstructor | Uint8ArrayConstructor> = {
  float32: Float32Array,
  int32: Int32Array,
  uint8: Uint8Array,
};

/** The name of a tensor's number type. */
export type DType = "float32" | "int32" | "uint8";

/** The array that holds a tensor's numbers. */
export type TensorData = Float32Array | Int32Array | Uint8Array;

/** A tensor on the wire: `data` travels as a binary buffer, row-major and little-endian. */
export interface WireTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** The bytes. Hosts deliver a DataView or a Uint8Array at any byte offset, or the ArrayBuffer itself. */
  readonly data: ArrayBuffer | ArrayBufferView;
}

/** A tensor that can be computed with. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/**
 * Makes the wire form of an array. The bytes are copied, so later changes of `data` are not sent.
 *
 * @throws RangeError when the shape does not hold as many numbers as `data`
 */
export function encodeTensor(data: TensorData, shape: readonly number[]): WireTensor {
  const size = shape.reduce((product, length) => product * length, 1);
  if (size !== data.length)
    throw new RangeError(
      `A tensor of shape [${shape.join(", ")}] holds ${size} numbers, but ${data.length} came.`,
    );
  const dtype = data instanceof Float32Array ? "float32" : data instanceof Int32Array ? "int32" : "uint8";
  return { dtype, shape: [...shape], data: data.slice().buffer as ArrayBuffer };
}

/**
 * Reads the wire form of a tensor. The bytes are copied, because a buffer may start at an offset where a
 * Float32Array cannot.
 *
 * @throws TypeError when `wire` is no tensor, as when its buffer was lost on the way
 * @throws RangeError when shape and bytes disagree
 */
export function decodeTensor(wire: WireTensor | null | undefined): Tensor {
  if (!wire || typeof wire !== "object" || !Array.isArray(wire.shape))
    throw new TypeError("Expected a tensor {dtype, shape, data}, but its description is missing.");
  const { dtype, shape, data } = wire;
  const ArrayType = arrayTypes[dtype];
  if (!ArrayType)
    throw new TypeError(`Expected a tensor of float32, int32 or uint8, but its dtype is ${String(dtype)}.`);
  const bytes = bytesOf(data);
  const size = shape.reduce((product, length) => product * length, 1);
  if (bytes.byteLength !== size * ArrayType.BYTES_PER_ELEMENT)
    throw new RangeError(
      `A ${dtype} tensor of shape [${shape.join(", ")}] takes ${size * ArrayType.BYTES_PER_ELEMENT} bytes, but ${bytes.byteLength} came.`,
    );
  return { shape, data: new ArrayType(bytes.slice().buffer) };
}

/** The bytes of whatever a host delivers as a buffer. */
function bytesOf(data: unknown): Uint8Array {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  throw new TypeError(
    "Expected the bytes of a tensor, but they are missing: they were not saved with the notebook.",
  );
}
