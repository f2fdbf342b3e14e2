/** A model's parameters: where they are, and their values for whoever asks. */

import {
  bytesPerElement,
  type DType,
  fileName,
  folderOf,
  type LazyTensor,
  readRangeSync,
  sizeOf,
  type Tensor,
  tensor,
  toFloat32,
  viewBytes,
} from "../array/index.js";
import type { ParameterSource, Value } from "../graph/index.js";
import type { ParameterStore } from "../runtime/plan.js";
import type { StoredTensor } from "./weight-files.js";

/** What is known of a parameter without reading it. */
export interface ParameterInfo {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** A model's parameters. */
export interface Parameters extends ParameterStore {
  /** The names that exist. */
  readonly names: readonly string[];
  /** The files in which they lie; none for those that are in memory. */
  readonly files: readonly string[];
  /** Dtype and shape, or an error if there is no such parameter. */
  info(name: string): ParameterInfo;
  /** The values as float32, read from where they lie. */
  read(name: string): Tensor;
  /** What stands for a parameter in graphs, where it is not simply a stored tensor. */
  value?(name: string): Value | undefined;
}

/**
 * Parameters that are mapped from files: not copied, whatever runs with them.
 *
 * @param source what they are called in errors
 * @param prefix of the family's names, which some files leave out
 */
export function mappedParameters(
  tensors: ReadonlyMap<string, StoredTensor>,
  source: string,
  prefix = "",
): Parameters {
  const found = (name: string): StoredTensor => {
    const entry = tensors.get(name) ?? tensors.get(shortName(name, prefix));
    if (!entry) throw new Error(`The weights of ${source} have no tensor "${name}".`);
    return entry;
  };
  const bytesIn = (name: string): { file: string; offset: number; byteLength: number } => {
    const { file, bytes } = found(name);
    if (!bytes)
      throw new Error(`The tensor "${name}" of ${source} does not stand in its file as it is used.`);
    return { file, ...bytes };
  };
  const files = [...new Set([...tensors.values()].map(({ file }) => file))];
  return {
    folder: folderOf(files[0]!),
    files,
    names: [...tensors.keys()],
    info: found,
    source: (name): ParameterSource => {
      const { file, offset, byteLength } = bytesIn(name);
      return { kind: "file", location: fileName(file), offset, byteLength };
    },
    read: (name) => {
      const { file, offset, byteLength } = bytesIn(name);
      const { dtype, shape } = found(name);
      return tensor(toFloat32(viewBytes(readRangeSync(file, offset, byteLength), dtype), dtype), shape);
    },
  };
}

const shortName = (name: string, prefix: string): string =>
  prefix !== "" && name.startsWith(prefix) ? name.slice(prefix.length) : name;

/** Parameters that are held in memory, such as those of a model in training. */
export function memoryParameters(tensors: ReadonlyMap<string, Tensor>): Parameters {
  const found = (name: string): Tensor => {
    const value = tensors.get(name);
    if (!value) throw new Error(`There is no parameter "${name}".`);
    return value;
  };
  return {
    names: [...tensors.keys()],
    files: [],
    info: (name) => ({ dtype: "float32", shape: found(name).shape }),
    source: (name) => {
      const { data } = found(name);
      return { kind: "inline", bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
    },
    read: found,
  };
}

/** The values of one parameter as they are stored, to be written elsewhere. */
export function storedParameter(parameters: Parameters, name: string): LazyTensor {
  const { dtype, shape } = parameters.info(name);
  return {
    dtype,
    shape,
    read: () => {
      const source = parameters.source(name);
      if (source.kind !== "file") return { dtype, shape, data: parameters.read(name).data };
      const path = parameters.files.find((file) => fileName(file) === source.location)!;
      return { dtype, shape, data: viewBytes(readRangeSync(path, source.offset, source.byteLength), dtype) };
    },
  };
}

/** Bytes that parameters take where they lie. */
export function parameterBytes(parameters: Parameters, names: Iterable<string>): number {
  let bytes = 0;
  for (const name of names) {
    const { dtype, shape } = parameters.info(name);
    bytes += sizeOf(shape) * bytesPerElement(dtype);
  }
  return bytes;
}
