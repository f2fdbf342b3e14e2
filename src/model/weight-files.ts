/** The tensors in a model's folder, whichever of the usual files they lie in; nothing of their values is read. */

import {
  absolutePath,
  byteRange,
  type DType,
  exists,
  fileName,
  isMappable,
  joinPath,
  type NativeArray,
  readJsonFile,
  readSafetensor,
  readSafetensorsHeader,
  readTorchHeader,
  readTorchTensor,
  realpath,
} from "../array/index.js";

/** A tensor in a file. */
export interface StoredTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** The path of its file, links followed. */
  readonly file: string;
  /** Its bytes in the file, where they stand there as they are used. */
  readonly bytes?: { readonly offset: number; readonly byteLength: number };
  /** Reads its values. */
  read(): Promise<NativeArray>;
}

/** The files that hold weights, the best first. */
export const weightFiles = ["model.safetensors", "pytorch_model.bin"] as const;

/** The tensors of a folder in Hugging Face's layout, by name. */
export async function storedTensors(folder: string): Promise<Map<string, StoredTensor>> {
  for (const name of weightFiles) {
    const path = joinPath(folder, name);
    if (await exists(path)) return tensorsOf(absolutePath(path));
    if (await exists(`${path}.index.json`)) return shardedTensors(folder, `${path}.index.json`);
  }
  const known = weightFiles.flatMap((name) => [name, `${name}.index.json`]).join(", ");
  throw new Error(`The folder ${folder} has no weights; one of these was expected: ${known}.`);
}

/** The file of each tensor by a `*.index.json`. */
export async function readShardIndex(index: string): Promise<Map<string, string>> {
  const json = await readJsonFile(index);
  const map = (json as { weight_map?: unknown } | null)?.weight_map;
  if (!map || typeof map !== "object" || Array.isArray(map))
    throw new Error(`${index} has no "weight_map", which says in which file each tensor is.`);
  const files = new Map(Object.entries(map));
  if (files.size === 0) throw new Error(`The "weight_map" of ${index} is empty.`);
  for (const [tensor, file] of files) {
    if (typeof file !== "string" || fileName(file) !== file || /[\\/]|^\.+$|^$/.test(file))
      throw new Error(
        `${index} names the file ${JSON.stringify(file)} for "${tensor}"; a file in its own folder was expected.`,
      );
  }
  return files;
}

async function shardedTensors(folder: string, index: string): Promise<Map<string, StoredTensor>> {
  const map = await readShardIndex(index);
  const shards = new Map<string, Map<string, StoredTensor>>();
  for (const file of new Set(map.values())) {
    const path = absolutePath(joinPath(folder, file));
    if (!(await exists(path)))
      throw new Error(`${index} names the file "${file}", which is not in ${folder}: a shard is missing.`);
    shards.set(file, await tensorsOf(path));
  }
  const tensors = new Map<string, StoredTensor>();
  for (const [name, file] of map) {
    const found = shards.get(file)!.get(name);
    if (!found) throw new Error(`${index} says that "${name}" is in ${file}, but it is not there.`);
    tensors.set(name, found);
  }
  return tensors;
}

/** The tensors of one file. */
export async function tensorsOf(path: string): Promise<Map<string, StoredTensor>> {
  // The hub's cache is made of links; ONNX Runtime reads only inside the folder that it is told.
  const file = await realpath(path);
  const tensors = new Map<string, StoredTensor>();
  if (path.endsWith(".safetensors")) {
    for (const entry of (await readSafetensorsHeader(file)).tensors.values()) {
      const { dtype, shape } = entry;
      tensors.set(entry.name, { dtype, shape, file, bytes: entry, read: () => readSafetensor(entry) });
    }
    return tensors;
  }
  for (const [name, entry] of await readTorchHeader(file)) {
    const { dtype } = entry.storage;
    const bytes = isMappable(entry) ? { bytes: byteRange(entry) } : {};
    tensors.set(name, { dtype, shape: entry.shape, file, ...bytes, read: () => readTorchTensor(entry) });
  }
  return tensors;
}
