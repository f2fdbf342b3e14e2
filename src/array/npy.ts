/** NumPy's file formats, https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
import {
  bytesOf,
  bytesPerElement,
  type DType,
  dtypeOfData,
  type NativeArray,
  toFloat32,
  typedArrayConstructor,
  viewBytes,
} from "./dtype.js";
import { readFile, writeFile } from "./files.js";
import { type AnyTensor, contiguous, copy, shapeText, sizeOf, type Tensor, tensor } from "./tensor.js";

/** An array of texts of a NumPy file. */
export interface StringArray {
  readonly dtype: "string";
  readonly shape: readonly number[];
  readonly data: readonly string[];
}

/** What a NumPy file holds; values row by row, whatever the order in the file. */
export type NpyArray = NativeArray | StringArray;

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const maxRank = 32;

const kinds: Record<string, DType> = {
  f2: "float16",
  f4: "float32",
  f8: "float64",
  i1: "int8",
  i2: "int16",
  i4: "int32",
  i8: "int64",
  u1: "uint8",
  u2: "uint16",
  u4: "uint32",
  u8: "uint64",
  b1: "bool",
};
const descriptions: Partial<Record<string, string>> = Object.fromEntries(
  Object.entries(kinds).map(([kind, dtype]) => [dtype, kind]),
);

interface Header {
  readonly description: string;
  readonly fortranOrder: boolean;
  readonly shape: number[];
  readonly dataStart: number;
}

function readHeader(bytes: Uint8Array, source: string): Header {
  if (bytes.length < 10 || magic.some((byte, i) => bytes[i] !== byte)) {
    throw new Error(`${source} is not a NumPy array: it does not begin with "\\x93NUMPY".`);
  }
  const version = bytes[6]!;
  if (version < 1 || version > 3)
    throw new Error(`${source} has format version ${version}; 1 to 3 are known.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = version === 1 ? 10 : 12;
  if (bytes.length < start) throw new Error(`${source} is cut off: it ends within its header.`);
  const dataStart = start + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (dataStart > bytes.length) {
    throw new Error(
      `${source} is cut off: its header would end at byte ${dataStart}, and there are ${bytes.length}.`,
    );
  }
  const text = new TextDecoder(version === 3 ? "utf-8" : "latin1").decode(bytes.subarray(start, dataStart));
  if (/'descr'\s*:\s*\[/.test(text)) {
    throw new Error(`${source} has several fields a row; arrays of one element type are read.`);
  }
  const description = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const shapeList = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(text)?.[1];
  if (description === undefined || order === undefined || shapeList === undefined) {
    const shown = text.trim().slice(0, 200);
    throw new Error(
      `The header of ${source} needs descr, fortran_order and shape; this one is ${JSON.stringify(shown)}.`,
    );
  }
  const shape = [...shapeList.matchAll(/\d+/g)].map(([digits]) => Number(digits));
  if (shape.length > maxRank || !shape.every(Number.isSafeInteger)) {
    throw new Error(`${source} has a shape with too many or too large axes: (${shapeList.slice(0, 200)}).`);
  }
  return { description, fortranOrder: order === "True", shape, dataStart };
}

/** Reverses the bytes of each element in place. */
function swapBytes(bytes: Uint8Array, size: number): void {
  for (let i = 0; i < bytes.length; i += size) bytes.subarray(i, i + size).reverse();
}

function rowMajor(data: NativeArray["data"], shape: readonly number[]): NativeArray["data"] {
  const reversed: AnyTensor = tensor(data, [...shape].reverse());
  return copy(reversed.transpose(...shape.map((_, axis) => shape.length - 1 - axis))).data;
}

function decodeStrings(
  bytes: Uint8Array,
  count: number,
  kind: string,
  width: number,
  bigEndian: boolean,
): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const unit = kind === "U" ? 4 : 1;
  return Array.from({ length: count }, (_, item) => {
    let end = width;
    const code = (i: number): number => {
      const at = (item * width + i) * unit;
      return kind === "U" ? view.getUint32(at, !bigEndian) : view.getUint8(at);
    };
    while (end > 0 && code(end - 1) === 0) end--;
    let text = "";
    for (let i = 0; i < end; i++) {
      const point = code(i);
      if (point > 0x10ffff) throw new RangeError(`item ${item} has the character number ${point}`);
      text += String.fromCodePoint(point);
    }
    return text;
  });
}

/**
 * The array in the bytes of a `.npy` file: floats of 16, 32 and 64 bits, integers, bools, fixed-length texts (`U`, `S`),
 * either byte order, either axis order. Objects are refused: they would be pickled Python.
 *
 * @param source What the bytes are called in errors.
 * @throws Error naming the source and what is wrong: no NumPy array, cut off, an element type that is not read.
 */
export function decodeNpy(bytes: Uint8Array, source = "The array"): NpyArray {
  const { description, fortranOrder, shape, dataStart } = readHeader(bytes, source);
  const match = /^([<>|=]?)([a-zA-Z])(\d*)$/.exec(description);
  const [, order = "", kind = "", digits = ""] = match ?? [];
  if (kind === "O")
    throw new Error(`${source} holds Python objects (pickled); they are not read, because that runs code.`);
  const text = kind === "U" || kind === "S";
  const dtype = kind === "?" ? "bool" : kinds[kind + digits];
  if (!text && !dtype) {
    throw new Error(
      `${source} has the element type "${description}"; floats, integers, bools and texts are read.`,
    );
  }
  const width = Number(digits);
  const elementBytes = text ? width * (kind === "U" ? 4 : 1) : bytesPerElement(dtype!);
  const count = sizeOf(shape);
  const available = bytes.length - dataStart;
  if (
    count * elementBytes !== available ||
    count > Number.MAX_SAFE_INTEGER ||
    (elementBytes === 0 && count > 1e6)
  ) {
    throw new Error(
      `${source} has ${available} bytes of values; ${description} of shape ${shapeText(shape)} takes ${count * elementBytes}.`,
    );
  }
  const values = bytes.subarray(dataStart);
  if (text) {
    try {
      const strings = decodeStrings(values, count, kind, width, order === ">");
      if (!fortranOrder || shape.length < 2) return { dtype: "string", shape, data: strings };
      const places = rowMajor(
        Uint32Array.from(strings, (_, i) => i),
        shape,
      );
      return { dtype: "string", shape, data: Array.from(places as Uint32Array, (place) => strings[place]!) };
    } catch (error) {
      throw new Error(`${source} is damaged: ${(error as Error).message}.`);
    }
  }
  const own = order === ">" && elementBytes > 1 ? values.slice() : values;
  if (own !== values) swapBytes(own, elementBytes);
  const data = viewBytes(own, dtype!);
  return { dtype: dtype!, shape, data: fortranOrder && shape.length > 1 ? rowMajor(data, shape) : data };
}

/** A NumPy array as a float32 tensor; texts are refused. */
export function npyToTensor(array: NpyArray): Tensor {
  if (array.dtype === "string") throw new TypeError("An array of texts has no float32 values.");
  return tensor(toFloat32(array.data, array.dtype), array.shape);
}

/** What can be written as a NumPy array. */
export type WritableNpy = AnyTensor | NpyArray;

/** The bytes of a `.npy` file (version 1.0, row by row, little-endian). bfloat16 is refused: NumPy has no such type. */
export function encodeNpy(value: WritableNpy): Uint8Array {
  const array = "stride" in value ? fromTensor(value) : value;
  const { shape } = array;
  if (sizeOf(shape) !== array.data.length) {
    throw new RangeError(`${array.data.length} values came for the shape ${shapeText(shape)}.`);
  }
  const { description, bytes } = array.dtype === "string" ? encodeStrings(array) : encodeNumbers(array);
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const header = `{'descr': '${description}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // The values begin at a multiple of 64 bytes, and the header ends with a line feed.
  const dataStart = Math.ceil((10 + header.length + 1) / 64) * 64;
  const out = new Uint8Array(dataStart + bytes.length).fill(0x20, 0, dataStart);
  out.set([...magic, 1, 0]);
  new DataView(out.buffer).setUint16(8, dataStart - 10, true);
  out.set(new TextEncoder().encode(header), 10);
  out[dataStart - 1] = 0x0a;
  out.set(bytes, dataStart);
  return out;
}

function fromTensor(x: AnyTensor): NativeArray {
  const { data, shape } = contiguous(x);
  return { dtype: dtypeOfData(data), shape, data };
}

function encodeNumbers({ dtype, data }: NativeArray): { description: string; bytes: Uint8Array } {
  const kind = descriptions[dtype];
  if (!kind) throw new TypeError(`NumPy files have no ${dtype}; convert to float32 first.`);
  if (data.BYTES_PER_ELEMENT !== typedArrayConstructor(dtype).BYTES_PER_ELEMENT) {
    throw new TypeError(`Values of ${dtypeOfData(data)} came as ${dtype}; convert them first.`);
  }
  return { description: `${bytesPerElement(dtype) === 1 ? "|" : "<"}${kind}`, bytes: bytesOf(data) };
}

function encodeStrings({ data }: StringArray): { description: string; bytes: Uint8Array } {
  const points = data.map((text) => Array.from(text, (character) => character.codePointAt(0)!));
  const width = points.reduce((widest, { length }) => Math.max(widest, length), 1);
  const units = new Uint32Array(data.length * width);
  for (const [i, item] of points.entries()) units.set(item, i * width);
  return { description: `<U${width}`, bytes: bytesOf(units) };
}

/** Reads a `.npy` file. */
export async function readNpy(path: string): Promise<NpyArray> {
  return decodeNpy(await readFile(path), path);
}

/** Writes a `.npy` file, whole or not at all. */
export async function writeNpy(path: string, value: WritableNpy): Promise<void> {
  await writeFile(path, encodeNpy(value));
}
