/**
 * Element types of arrays in files and graphs, and exact conversions between them.
 *
 * JavaScript has no 16-bit floats: `float16` and `bfloat16` values are held as their bits in a `Uint16Array`.
 * `bool` is held as a `Uint8Array` of 0 and 1, 64-bit integers as bigints.
 */

/** The name of an element type. */
export type DType =
  | "float32"
  | "float64"
  | "float16"
  | "bfloat16"
  | "int64"
  | "int32"
  | "int16"
  | "int8"
  | "uint8"
  | "uint16"
  | "uint32"
  | "uint64"
  | "bool";

/** A typed array whose elements are numbers. */
export type NumberArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint8Array
  | Uint16Array
  | Uint32Array;

/** Any typed array that holds the elements of a `DType`. */
export type TypedArray = NumberArray | BigInt64Array | BigUint64Array;

/** A constructor of typed arrays. */
export interface TypedArrayConstructor {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): TypedArray;
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): TypedArray;
}

/** An array as a file holds it: elements in their own type, rows one after another. */
export interface NativeArray {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

const constructors: Record<DType, TypedArrayConstructor> = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int16: Int16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
};

/** All element types. */
export const dtypes: readonly DType[] = Object.keys(constructors) as DType[];

/** Bytes of one element: `bytesPerElement("bfloat16")` is 2. */
export function bytesPerElement(dtype: DType): number {
  return constructors[dtype].BYTES_PER_ELEMENT;
}

/** The typed array that holds elements of this type; bits for the 16-bit floats. */
export function typedArrayConstructor(dtype: DType): TypedArrayConstructor {
  return constructors[dtype];
}

/**
 * The element type that a typed array says by itself. A `Uint16Array` may hold 16-bit floats and a `Uint8Array` bools:
 * where that is meant, say so beside the array.
 */
export function dtypeOfData(data: TypedArray): DType {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Float64Array) return "float64";
  if (data instanceof BigInt64Array) return "int64";
  if (data instanceof BigUint64Array) return "uint64";
  if (data instanceof Int32Array) return "int32";
  if (data instanceof Int16Array) return "int16";
  if (data instanceof Int8Array) return "int8";
  if (data instanceof Uint16Array) return "uint16";
  if (data instanceof Uint32Array) return "uint32";
  return "uint8";
}

/**
 * Little-endian bytes as elements: a view where the bytes are aligned, otherwise a copy.
 *
 * @throws where the bytes are not a whole number of elements.
 */
export function viewBytes(bytes: Uint8Array, dtype: DType): TypedArray {
  const ArrayType = constructors[dtype];
  const size = ArrayType.BYTES_PER_ELEMENT;
  if (bytes.byteLength % size !== 0) {
    throw new RangeError(
      `${bytes.byteLength} bytes are not a whole number of ${dtype} elements of ${size} bytes.`,
    );
  }
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return new ArrayType(aligned.buffer, aligned.byteOffset, bytes.byteLength / size);
}

/** The bytes of a typed array, not copied. */
export function bytesOf(data: TypedArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/**
 * The elements as float32. A `Float32Array` comes back itself, not a copy; 16-bit floats convert exactly, float64 and
 * integers beyond 2^24 round to the nearest.
 */
export function toFloat32(data: TypedArray, dtype: DType = dtypeOfData(data)): Float32Array {
  if (data instanceof Float32Array) return data;
  if (dtype === "float16") return float16ToFloat32(data as Uint16Array);
  if (dtype === "bfloat16") return bfloat16ToFloat32(data as Uint16Array);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    const values = new Float32Array(data.length);
    for (let i = 0; i < data.length; i++) values[i] = Number(data[i]);
    return values;
  }
  return new Float32Array(data as NumberArray);
}

/**
 * Elements as the array that holds a type, such as 32-bit integers that stand for 64-bit ones, or floats to be rounded to
 * 16 bits. The array itself where it is of the right kind.
 */
export function elementsAs(data: TypedArray, dtype: DType): TypedArray {
  if (dtype === "float16" && data instanceof Float32Array) return float32ToFloat16(data);
  if (dtype === "bfloat16" && data instanceof Float32Array) return float32ToBfloat16(data);
  const ArrayType = constructors[dtype];
  if (data instanceof (ArrayType as unknown as new () => TypedArray)) return data;
  const result = new ArrayType(data.length) as { [index: number]: number | bigint } & TypedArray;
  const isBig = result instanceof BigInt64Array || result instanceof BigUint64Array;
  for (let i = 0; i < data.length; i++) result[i] = isBig ? BigInt(data[i]!) : Number(data[i]);
  return result;
}

let float16Table: Uint32Array | undefined;

/** float32 bits of each of the 65,536 float16 values. */
function float16Bits(): Uint32Array {
  if (float16Table) return float16Table;
  const table = new Uint32Array(65536);
  const value = new Float32Array(1);
  const bits = new Uint32Array(value.buffer);
  for (let half = 0; half < 65536; half++) {
    const sign = (half & 0x8000) << 16;
    const exponent = (half >>> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 31) table[half] = sign | 0x7f800000 | (fraction << 13);
    else if (exponent > 0) table[half] = sign | ((exponent + 112) << 23) | (fraction << 13);
    else {
      value[0] = fraction * 2 ** -24;
      table[half] = sign | bits[0]!;
    }
  }
  float16Table = table;
  return table;
}

/** float16 bits to float32, exact, NaN payloads and signed zeros included. */
export function float16ToFloat32(halves: Uint16Array): Float32Array {
  const table = float16Bits();
  const values = new Float32Array(halves.length);
  // Bits are copied as integers: a store of a NaN into a Float32Array may change its payload.
  const bits = new Uint32Array(values.buffer);
  for (let i = 0; i < halves.length; i++) bits[i] = table[halves[i]!]!;
  return values;
}

/** float32 to float16 bits, rounding to nearest, ties to even; from 65520 on it is infinity. */
export function float32ToFloat16(values: Float32Array): Uint16Array {
  const halves = new Uint16Array(values.length);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const shifted = new Float32Array(1);
  const shiftedBits = new Uint32Array(shifted.buffer);
  for (let i = 0; i < values.length; i++) {
    const word = bits[i]!;
    const magnitude = word & 0x7fffffff;
    let half: number;
    if (magnitude > 0x7f800000) half = 0x7e00 | ((magnitude >>> 13) & 0x3ff);
    else if (magnitude >= 0x47800000) half = 0x7c00;
    else if (magnitude < 0x38800000) {
      // Below 2^-14 float16 steps by 2^-24, which is the step of float32 at 0.5: the addition does the rounding.
      shifted[0] = Math.abs(values[i]!) + 0.5;
      half = shiftedBits[0]! - 0x3f000000;
    } else half = (magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13;
    halves[i] = half | ((word >>> 16) & 0x8000);
  }
  return halves;
}

/** bfloat16 bits to float32, exact. */
export function bfloat16ToFloat32(halves: Uint16Array): Float32Array {
  const values = new Float32Array(halves.length);
  const bits = new Uint32Array(values.buffer);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16;
  return values;
}

/** float32 to bfloat16 bits, rounding to nearest, ties to even. */
export function float32ToBfloat16(values: Float32Array): Uint16Array {
  const halves = new Uint16Array(values.length);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < values.length; i++) {
    const word = bits[i]!;
    const notANumber = (word & 0x7fffffff) > 0x7f800000;
    halves[i] = notANumber ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return halves;
}
