/**
 * PyTorch's files of tensors (`torch.save`): zip archives of a pickle and one entry for each storage, or, before
 * PyTorch 1.6, pickles with the storages behind them. The pickle is read by an allow-list, so nothing of it runs.
 */
import { bytesPerElement, type DType, type NativeArray, typedArrayConstructor, viewBytes } from "./dtype.js";
import { type OpenFile, withFile } from "./files.js";
import { type PickleDict, PickleTuple, unpickle } from "./pickle.js";
import { shapeText, sizeOf } from "./tensor.js";
import { readZipEntries, readZipEntry, type ZipEntry, zipDataOffset } from "./zip.js";

/** One tensor of a PyTorch file; its values stay in the file. */
export interface TorchEntry {
  readonly shape: readonly number[];
  /** How many elements lie between neighbours along each axis. */
  readonly stride: readonly number[];
  /** Where its first element is, in elements from the beginning of its storage. */
  readonly start: number;
  /** Where its storage is. */
  readonly storage: TorchStorage;
  /** The path of the file. */
  readonly file: string;
}

/** The memory that tensors of a file share. */
export interface TorchStorage {
  readonly dtype: DType;
  /** How many elements it has. */
  readonly length: number;
  /** Where it begins in the file, in bytes; `undefined` where it is compressed. */
  readonly offset?: number;
  readonly zipEntry?: ZipEntry;
}

const storageTypes: Readonly<Record<string, DType>> = {
  DoubleStorage: "float64",
  FloatStorage: "float32",
  HalfStorage: "float16",
  BFloat16Storage: "bfloat16",
  LongStorage: "int64",
  IntStorage: "int32",
  ShortStorage: "int16",
  CharStorage: "int8",
  ByteStorage: "uint8",
  BoolStorage: "bool",
};

/** Storages before their place in the file is known. */
interface NamedStorage {
  readonly dtype: DType;
  readonly key: string;
  readonly length: number;
}

/** A tensor before its storage's place is known. */
class PickledTensor {
  constructor(
    readonly storage: NamedStorage,
    readonly start: number,
    readonly shape: readonly number[],
    readonly stride: readonly number[],
  ) {}
}

class StorageType {
  constructor(readonly dtype: DType) {}
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const counts = (value: unknown, what: string): readonly number[] => {
  if (value instanceof PickleTuple && value.items.length <= 32 && value.items.every(isCount))
    return value.items as number[];
  throw new Error(`a tensor has a ${what} that is no list of whole numbers.`);
};

function rebuildTensor(storage: unknown, start: unknown, shape: unknown, stride: unknown): PickledTensor {
  const { dtype, length } = storage as NamedStorage;
  if (dtype === undefined || !isCount(start)) throw new Error("a tensor has no storage.");
  const sizes = counts(shape, "shape");
  const steps = counts(stride, "stride");
  if (sizes.length !== steps.length) throw new Error("a tensor's shape and stride differ in length.");
  const last = sizes.reduce((sum, size, i) => sum + (size - 1) * steps[i]!, start);
  if (!sizes.includes(0) && last >= length)
    throw new Error(
      `a tensor of shape ${shapeText(sizes)} would end at element ${last} of a storage of ${length}.`,
    );
  return new PickledTensor(storage as NamedStorage, start, sizes, steps);
}

const inert = (..._: readonly unknown[]): null => null;

/** The Python names that state dicts use, and what stands for them. */
const allowed: Readonly<Record<string, unknown>> = {
  "collections.OrderedDict": (items?: unknown): PickleDict =>
    new Map(
      Array.isArray(items)
        ? items.map((pair) => [...((pair as PickleTuple).items ?? (pair as unknown[]))] as [unknown, unknown])
        : [],
    ),
  "torch._utils._rebuild_tensor_v2": rebuildTensor,
  "torch._utils._rebuild_tensor": rebuildTensor,
  "torch._utils._rebuild_parameter": (data: unknown): unknown => data,
  "torch._utils._rebuild_parameter_with_state": (data: unknown): unknown => data,
  "torch._tensor._rebuild_from_type_v2": (rebuild: unknown, _: unknown, args: unknown): unknown => {
    if (rebuild !== rebuildTensor) throw new Error("a tensor is of a kind that is not read.");
    return rebuildTensor(...((args as PickleTuple).items as [unknown, unknown, unknown, unknown]));
  },
  "torch.Tensor": inert,
  "torch.nn.parameter.Parameter": inert,
  "torch.Size": (sizes: unknown): unknown => sizes,
  "torch.device": inert,
  ...Object.fromEntries(
    Object.entries(storageTypes).map(([name, dtype]) => [`torch.${name}`, new StorageType(dtype)]),
  ),
  ...Object.fromEntries(
    ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"].map(
      (name) => [`torch.${name}`, name],
    ),
  ),
};
const global = (name: string): unknown => (Object.hasOwn(allowed, name) ? allowed[name] : undefined);

function storageOf(id: unknown): NamedStorage {
  const [kind, type, key, , length] = (id as PickleTuple).items ?? [];
  if (kind !== "storage" || !(type instanceof StorageType) || !isCount(length))
    throw new Error("a tensor's storage is described in a way that is not known.");
  return { dtype: type.dtype, key: String(key), length };
}

/**
 * The tensors of a file that `torch.save` wrote, by their names; of nested dictionaries, such as a checkpoint's
 * `{"model": {…}}`, the names are joined by dots. Values are not read.
 *
 * @throws Error naming the file and what is wrong: a Python object that is no tensor or plain data, a tensor that
 * reaches beyond its storage, a file that is cut off.
 */
export function readTorchHeader(path: string): Promise<Map<string, TorchEntry>> {
  return withFile(path, async (file) => {
    const first = await file.read(0, Math.min(4, file.size));
    const isZip = first[0] === 0x50 && first[1] === 0x4b;
    const { value, storages } = isZip ? await readArchive(file) : await readPlain(file);
    const entries = new Map<string, TorchEntry>();
    collect(value, "", entries, (tensor) => ({ ...tensor, storage: storages(tensor.storage), file: path }));
    if (entries.size === 0) throw new Error(`${path} holds no tensors.`);
    return entries;
  });
}

type Place = (tensor: PickledTensor) => TorchEntry;

function collect(
  value: unknown,
  prefix: string,
  entries: Map<string, TorchEntry>,
  place: Place,
  depth = 0,
): void {
  if (value instanceof PickledTensor) entries.set(prefix, place(value));
  else if (value instanceof Map && depth < 8)
    for (const [key, item] of value) {
      if (typeof key !== "string" && typeof key !== "number") continue;
      collect(item, prefix === "" ? String(key) : `${prefix}.${key}`, entries, place, depth + 1);
    }
}

interface Contents {
  readonly value: unknown;
  readonly storages: (storage: NamedStorage) => TorchStorage;
}

/** PyTorch 1.6 and later: `name/data.pkl`, and `name/data/0`, `name/data/1`, … for the storages. */
async function readArchive(file: OpenFile): Promise<Contents> {
  const entries = await readZipEntries(file);
  const pickle = entries.find(({ name }) => /^[^/]*\/?data\.pkl$/.test(name));
  if (!pickle) throw new Error(`${file.path} is a zip archive without a data.pkl: it is not PyTorch's.`);
  const folder = pickle.name.slice(0, -"data.pkl".length);
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  const order = byName.get(`${folder}byteorder`);
  if (order && new TextDecoder().decode(await readZipEntry(file, order)) === "big")
    throw new Error(`${file.path} was written by a big-endian machine, which is not read.`);
  const found = new Map<string, NamedStorage>();
  const { value } = unpickle(await readZipEntry(file, pickle), {
    source: file.path,
    global,
    persistent: (id) => {
      const storage = storageOf(id);
      const known = found.get(storage.key);
      if (!known) found.set(storage.key, storage);
      return known ?? storage;
    },
  });
  const places = new Map<string, TorchStorage>();
  for (const { key, dtype, length } of found.values()) {
    const entry = byName.get(`${folder}data/${key}`);
    if (!entry) throw new Error(`${file.path} is damaged: its storage "${key}" is missing.`);
    if (entry.size !== length * bytesPerElement(dtype))
      throw new Error(
        `${file.path} is damaged: its storage "${key}" has ${entry.size} bytes; ${length} elements of ${dtype} were expected.`,
      );
    const stored = entry.method === 0 && entry.compressedSize === entry.size;
    const offset = stored ? await zipDataOffset(file, entry) : undefined;
    places.set(key, { dtype, length, zipEntry: entry, ...(offset === undefined ? {} : { offset }) });
  }
  return { value, storages: ({ key }) => places.get(key)! };
}

/** The first value of a file of PyTorch before 1.6. */
const legacyMagic = 0x1950a86a20f9469cfc6cn;
/** The pickles before the storages take some hundred bytes a tensor. */
const maxPickleBytes = 1 << 26;

/** Before PyTorch 1.6: a magic number, a version, the machine, the data, the storages' names, and the storages. */
async function readPlain(file: OpenFile): Promise<Contents> {
  const bytes = await file.read(0, Math.min(file.size, maxPickleBytes));
  const options = { source: file.path, global };
  let at = 0;
  const next = (persistent?: (id: unknown) => unknown): unknown => {
    const { value, end } = unpickle(bytes, { ...options, ...(persistent ? { persistent } : {}) }, at);
    at = end;
    return value;
  };
  if (next() !== legacyMagic)
    throw new Error(`${file.path} is not a file of PyTorch's: its magic number is missing.`);
  next();
  next();
  const found = new Map<string, NamedStorage>();
  const value = next((id) => {
    const [, , , , , view] = (id as PickleTuple).items ?? [];
    if (view) throw new Error("a storage is a part of another one, which is not read.");
    const storage = storageOf(id);
    const known = found.get(storage.key);
    if (!known) found.set(storage.key, storage);
    return known ?? storage;
  });
  const keys = next();
  if (!Array.isArray(keys)) throw new Error(`${file.path} is damaged: it does not list its storages.`);
  const places = new Map<string, TorchStorage>();
  for (const key of keys.map(String)) {
    const storage = found.get(key);
    if (!storage) throw new Error(`${file.path} is damaged: nothing refers to its storage "${key}".`);
    const offset = at + 8;
    const end = offset + storage.length * bytesPerElement(storage.dtype);
    if (end > file.size)
      throw new Error(
        `${file.path} is cut off: a storage would end at byte ${end}, and the file has ${file.size}.`,
      );
    places.set(key, { dtype: storage.dtype, length: storage.length, offset });
    at = end;
  }
  return {
    value,
    storages: ({ key }) => {
      const place = places.get(key);
      if (!place) throw new Error(`${file.path} is damaged: its storage "${key}" is missing.`);
      return place;
    },
  };
}

/** Whether a tensor's elements stand in the file row by row without holes, aligned: so that they can be mapped. */
export function isMappable({ shape, stride, storage, start }: TorchEntry): boolean {
  if (storage.offset === undefined) return false;
  const size = bytesPerElement(storage.dtype);
  if ((storage.offset + start * size) % size !== 0) return false;
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && stride[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** The bytes of a mappable tensor in its file. */
export function byteRange({ shape, storage, start }: TorchEntry): { offset: number; byteLength: number } {
  const size = bytesPerElement(storage.dtype);
  return { offset: storage.offset! + start * size, byteLength: sizeOf(shape) * size };
}

/** Reads the values of one tensor, row by row, in the element type of the file. */
export async function readTorchTensor(entry: TorchEntry): Promise<NativeArray> {
  const { dtype, length, offset, zipEntry } = entry.storage;
  const count = sizeOf(entry.shape);
  // Repeated elements (stride 0) could make a small file ask for any amount of memory.
  if (count > Math.max(length, 1))
    throw new Error(
      `A tensor of ${entry.file} repeats its elements: its shape ${shapeText(entry.shape)} has ${count}, and its storage ${length}. Save a copy of it.`,
    );
  return withFile(entry.file, async (file) => {
    const size = bytesPerElement(dtype);
    if (isMappable(entry)) {
      const range = byteRange(entry);
      const bytes = await file.read(range.offset, range.byteLength);
      return { dtype, shape: entry.shape, data: viewBytes(bytes, dtype) };
    }
    const bytes =
      offset === undefined ? await readZipEntry(file, zipEntry!) : await file.read(offset, length * size);
    return { dtype, shape: entry.shape, data: gathered(viewBytes(bytes, dtype), entry, count) };
  });
}

function gathered(
  storage: NativeArray["data"],
  { shape, stride, start, storage: { dtype } }: TorchEntry,
  count: number,
): NativeArray["data"] {
  const data = new (typedArrayConstructor(dtype))(count) as Float32Array;
  const from = storage as Float32Array;
  const index = new Array<number>(shape.length).fill(0);
  let at = start;
  for (let i = 0; i < count; i++) {
    data[i] = from[at]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += stride[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      at -= stride[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return data;
}
