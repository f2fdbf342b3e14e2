/**
 * safetensors files (https://github.com/huggingface/safetensors): eight bytes with the length of a JSON header, the
 * header, the bytes of the tensors without gaps.
 */
import {
  bytesOf,
  bytesPerElement,
  type DType,
  dtypeOfData,
  float32ToBfloat16,
  float32ToFloat16,
  type NativeArray,
  type TypedArray,
  toFloat32,
  viewBytes,
} from "./dtype.js";
import { type OpenFile, readRange, withFile, writeFile } from "./files.js";
import { type AnyTensor, contiguous, shapeText, sizeOf, type Tensor, tensor } from "./tensor.js";

/** One tensor of a safetensors file; its values stay in the file. */
export interface SafetensorsEntry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Where the values begin, in bytes from the beginning of the file. */
  readonly offset: number;
  readonly byteLength: number;
  /** The path of the file. */
  readonly file: string;
}

/** What a safetensors file says before its values. */
export interface SafetensorsHeader {
  readonly file: string;
  /** By name, in the order of their values in the file. */
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
  /** The texts under `__metadata__`. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The limit of the reference implementation. */
const maxHeaderBytes = 100_000_000;
/** Views of more axes are of no use, and each number of axes costs a compiled class. */
const maxRank = 32;

const dtypeNames: Record<string, DType> = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
  I64: "int64",
  I32: "int32",
  I16: "int16",
  I8: "int8",
  U64: "uint64",
  U32: "uint32",
  U16: "uint16",
  U8: "uint8",
  BOOL: "bool",
};
const fileNames = Object.fromEntries(
  Object.entries(dtypeNames).map(([name, dtype]) => [dtype, name]),
) as Record<DType, string>;

async function readHeaderText(file: OpenFile): Promise<{ text: string; dataStart: number }> {
  if (file.size < 8) {
    throw new Error(
      `${file.path} is not a safetensors file: it has ${file.size} bytes, and its first 8 give a length.`,
    );
  }
  const first = await file.read(0, 8);
  const length = new DataView(first.buffer).getBigUint64(0, true);
  if (length > BigInt(maxHeaderBytes)) {
    throw new Error(
      `${file.path} is not a safetensors file: its header would have ${length} bytes; at most ${maxHeaderBytes} are allowed.`,
    );
  }
  const dataStart = 8 + Number(length);
  if (dataStart > file.size) {
    throw new Error(
      `${file.path} is cut off or not a safetensors file: its header would end at byte ${dataStart}, and the file has ${file.size}.`,
    );
  }
  const bytes = await file.read(8, Number(length));
  if (bytes[0] !== 0x7b)
    throw new Error(`${file.path} is not a safetensors file: its header does not begin with "{".`);
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), dataStart };
  } catch {
    throw new Error(`The header of ${file.path} is not UTF-8 text.`);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function parseMetadata(value: unknown, file: string): Record<string, string> {
  if (value === undefined) return {};
  if (!isObject(value) || Object.values(value).some((entry) => typeof entry !== "string")) {
    throw new Error(`The metadata of ${file} must be an object of texts.`);
  }
  return value as Record<string, string>;
}

function parseEntry(name: string, value: unknown, file: OpenFile, dataStart: number): SafetensorsEntry {
  const where = `Tensor "${name}" of ${file.path}`;
  if (!isObject(value))
    throw new Error(`${where} must be described by an object; ${JSON.stringify(value)} came.`);
  const { dtype: dtypeName, shape, data_offsets: offsets } = value;
  const dtype =
    typeof dtypeName === "string" && Object.hasOwn(dtypeNames, dtypeName) ? dtypeNames[dtypeName] : undefined;
  if (!dtype) {
    throw new Error(
      `${where} has the dtype ${JSON.stringify(dtypeName)}; known are ${Object.keys(dtypeNames).join(", ")}.`,
    );
  }
  if (!Array.isArray(shape) || !shape.every(isCount) || shape.length > maxRank) {
    throw new Error(
      `${where} has the shape ${JSON.stringify(shape)}; at most ${maxRank} whole numbers were expected.`,
    );
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount) || offsets[1] < offsets[0]) {
    throw new Error(
      `${where} has the offsets ${JSON.stringify(offsets)}; a beginning and an end were expected.`,
    );
  }
  const [begin, end] = offsets as [number, number];
  if (dataStart + end > file.size) {
    throw new Error(
      `${where} would end at byte ${dataStart + end}, and the file has ${file.size}: it is cut off or its header is wrong.`,
    );
  }
  const expected = sizeOf(shape) * bytesPerElement(dtype);
  if (expected !== end - begin) {
    throw new Error(
      `${where} is ${dtypeName} of shape ${shapeText(shape)}, which takes ${expected} bytes; its offsets span ${end - begin}.`,
    );
  }
  return { name, dtype, shape, offset: dataStart + begin, byteLength: end - begin, file: file.path };
}

function checkLayout(entries: readonly SafetensorsEntry[], file: OpenFile, dataStart: number): void {
  let end = dataStart;
  let before = "the header";
  for (const entry of entries) {
    if (entry.offset !== end) {
      const what = entry.offset < end ? "overlaps with" : "leaves a gap after";
      throw new Error(
        `Tensor "${entry.name}" of ${file.path} ${what} ${before}: it begins at byte ${entry.offset}, not ${end}.`,
      );
    }
    end = entry.offset + entry.byteLength;
    before = `"${entry.name}"`;
  }
  if (end !== file.size) {
    throw new Error(
      `${file.path} has ${file.size} bytes, but its tensors end at ${end}: the header does not belong to these values.`,
    );
  }
}

/**
 * Reads and checks the header of a safetensors file; the values are not read.
 *
 * @throws Error saying what is wrong with which file and tensor: a length that is too large, broken JSON, an unknown
 * dtype, a shape that does not fit its bytes, offsets that overlap, leave gaps or reach beyond the file.
 * @example
 * ```ts
 * const header = await readSafetensorsHeader("model.safetensors");
 * for (const { name, dtype, shape } of header.tensors.values()) console.log(name, dtype, shape);
 * ```
 */
export function readSafetensorsHeader(path: string): Promise<SafetensorsHeader> {
  return withFile(path, async (file) => {
    const { text, dataStart } = await readHeaderText(file);
    let header: unknown;
    try {
      header = JSON.parse(text);
    } catch (error) {
      throw new Error(`The header of ${path} is not valid JSON: ${(error as Error).message}.`);
    }
    if (!isObject(header)) throw new Error(`The header of ${path} must be an object.`);
    const entries = Object.entries(header)
      .filter(([name]) => name !== "__metadata__")
      .map(([name, value]) => parseEntry(name, value, file, dataStart))
      .sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
    checkLayout(entries, file, dataStart);
    return {
      file: path,
      tensors: new Map(entries.map((entry) => [entry.name, entry])),
      metadata: parseMetadata(header.__metadata__, path),
    };
  });
}

/** Reads the values of one tensor in the element type of the file; nothing else of the file is read. */
export async function readSafetensor(entry: SafetensorsEntry): Promise<NativeArray> {
  const bytes = await readRange(entry.file, entry.offset, entry.byteLength);
  return { dtype: entry.dtype, shape: entry.shape, data: viewBytes(bytes, entry.dtype) };
}

/** Reads the values of one tensor as float32, exactly where the file has 16- or 32-bit floats. */
export async function readSafetensorFloat32(entry: SafetensorsEntry): Promise<Tensor> {
  const { data, dtype, shape } = await readSafetensor(entry);
  return tensor(toFloat32(data, dtype), shape);
}

/** Reads a whole safetensors file as float32 tensors by name. */
export async function readSafetensors(path: string): Promise<Map<string, Tensor>> {
  const { tensors } = await readSafetensorsHeader(path);
  const read = new Map<string, Tensor>();
  for (const entry of tensors.values()) read.set(entry.name, await readSafetensorFloat32(entry));
  return read;
}

/** What can be written: a tensor as it is, or values with the element type they are or shall be stored in. */
export type WritableTensor = AnyTensor | NativeArray;

function native(name: string, value: WritableTensor): NativeArray {
  if (!("stride" in value)) {
    if (sizeOf(value.shape) !== value.data.length) {
      throw new RangeError(
        `Tensor "${name}" has ${value.data.length} values, and its shape ${shapeText(value.shape)} has ${sizeOf(value.shape)}.`,
      );
    }
    return value;
  }
  const { data, shape } = contiguous(value);
  return { dtype: dtypeOfData(data), shape, data };
}

function converted({ dtype, data }: NativeArray, name: string): TypedArray {
  if (data instanceof Float32Array && dtype === "float16") return float32ToFloat16(data);
  if (data instanceof Float32Array && dtype === "bfloat16") return float32ToBfloat16(data);
  const own = dtypeOfData(data);
  const bits = { float16: "uint16", bfloat16: "uint16", bool: "uint8" } as Partial<Record<DType, DType>>;
  if (own !== dtype && own !== bits[dtype]) {
    throw new TypeError(`Tensor "${name}" holds ${own} and cannot be stored as ${dtype}; convert it first.`);
  }
  return data;
}

/**
 * Writes a safetensors file, whole or not at all. Values are aligned to eight bytes, wider types first, as the reference
 * implementation does.
 *
 * @param tensors By name. `{ dtype: "float16", shape, data: Float32Array }` rounds to that type on the way.
 * @param metadata Texts to be stored under `__metadata__`.
 * @example
 * ```ts
 * await writeSafetensors("out.safetensors", { weight: zeros([2, 3]) }, { format: "pt" });
 * ```
 */
export async function writeSafetensors(
  path: string,
  tensors: Readonly<Record<string, WritableTensor>> | ReadonlyMap<string, WritableTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const named =
    tensors instanceof Map ? [...tensors] : Object.entries(tensors as Record<string, WritableTensor>);
  const lazy = new Map<string, LazyTensor>();
  for (const [name, value] of named) {
    const array = native(name, value);
    const data = converted(array, name);
    lazy.set(name, { dtype: array.dtype, shape: array.shape, read: () => ({ ...array, data }) });
  }
  await writeSafetensorsLazily(path, lazy, metadata);
}

/** A tensor whose values are made when it is their turn to be written. */
export interface LazyTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** The values, already of that type. */
  read(): NativeArray | Promise<NativeArray>;
}

/**
 * As `writeSafetensors`, one tensor after another: no more than one is in memory.
 *
 * @throws Error where values come that are not of the announced size
 */
export async function writeSafetensorsLazily(
  path: string,
  tensors: ReadonlyMap<string, LazyTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  if (tensors.has("__metadata__")) throw new Error('A tensor cannot be called "__metadata__".');
  const parts = [...tensors].sort(
    ([a, { dtype: x }], [b, { dtype: y }]) => bytesPerElement(y) - bytesPerElement(x) || (a < b ? -1 : 1),
  );
  const header = new Map<string, unknown>();
  if (Object.keys(metadata).length > 0) header.set("__metadata__", metadata);
  let end = 0;
  for (const [name, { dtype, shape }] of parts) {
    const begin = end;
    end += sizeOf(shape) * bytesPerElement(dtype);
    header.set(name, { dtype: fileNames[dtype], shape, data_offsets: [begin, end] });
  }
  const pairs = [...header].map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  const text = new TextEncoder().encode(`{${pairs.join(",")}}`);
  const padded = new Uint8Array(Math.ceil(text.byteLength / 8) * 8).fill(0x20);
  padded.set(text);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(padded.byteLength), true);
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield length;
    yield padded;
    for (const [name, { dtype, shape, read }] of parts) {
      const bytes = bytesOf((await read()).data);
      if (bytes.byteLength !== sizeOf(shape) * bytesPerElement(dtype))
        throw new Error(
          `Tensor "${name}" came with ${bytes.byteLength} bytes, not those of ${dtype} ${shapeText(shape)}.`,
        );
      yield bytes;
    }
  }
  await writeFile(path, pieces());
}
