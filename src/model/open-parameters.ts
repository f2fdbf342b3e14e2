/** Opening the weights of a folder. */

import { folderOf, type LazyTensor, type NativeArray } from "../array/index.js";
import type { ModelConfig } from "./config.js";
import { derivedParameters } from "./derived.js";
import { expectedShapes } from "./expected-parameters.js";
import type { Layout } from "./family.js";
import { mappedParameters, type Parameters } from "./parameters.js";
import { type StoredTensor, storedTensors } from "./weight-files.js";

/**
 * The parameters of a folder in Hugging Face's layout: safetensors or PyTorch's files, whole or in shards with their
 * index. Files are mapped, not copied, unless tensors do not stand in them as they are used (transposed ones, compressed
 * files, shards in several folders): then a copy in the cache folder is.
 *
 * @param prefix of the family's names, which some files leave out
 */
export async function openParameters(
  folder: string,
  prefix: string,
  signal?: AbortSignal,
): Promise<Parameters> {
  const stored = await storedTensors(folder);
  const tensors = new Map([...stored].map(([name, one]) => [nameOfToday(name), one]));
  const all = [...tensors.values()];
  const folders = new Set(all.map(({ file }) => folderOf(file)));
  if (folders.size === 1 && all.every(({ bytes }) => bytes !== undefined))
    return mappedParameters(tensors, folder, prefix);
  const files = [...new Set(all.map(({ file }) => file))];
  const copied = new Map<string, LazyTensor>(
    [...tensors].map(([name, { dtype, shape, read }]: [string, StoredTensor]) => [
      name,
      { dtype, shape, read },
    ]),
  );
  const copy = await derivedParameters(files, {
    name: "copy",
    tensors: copied,
    ...(signal ? { signal } : {}),
  });
  return prefixed(copy, prefix);
}

/** Old files call the weight and bias of a norm gamma and beta. */
const nameOfToday = (name: string): string =>
  name.replace(/LayerNorm\.gamma$/, "LayerNorm.weight").replace(/LayerNorm\.beta$/, "LayerNorm.bias");

/** Parameters as float32: themselves, or a copy in the cache folder where some are stored otherwise. */
export async function float32Parameters(
  { config, layout, parameters }: { config: ModelConfig; layout: Layout; parameters: Parameters },
  signal?: AbortSignal,
): Promise<Parameters> {
  const names = [...expectedShapes(config, layout).keys()];
  if (names.every((name) => parameters.info(name).dtype === "float32")) return parameters;
  const tensors = new Map<string, LazyTensor>(
    names.map((name) => {
      const { shape } = parameters.info(name);
      const read = (): NativeArray => ({ dtype: "float32", shape, data: parameters.read(name).data });
      return [name, { dtype: "float32", shape, read }];
    }),
  );
  return derivedParameters(parameters.files, { name: "float32", tensors, ...(signal ? { signal } : {}) });
}

/** Parameters whose names may lack the family's prefix. */
function prefixed(parameters: Parameters, prefix: string): Parameters {
  const names = new Set(parameters.names);
  const own = (name: string): string =>
    !names.has(name) && name.startsWith(prefix) ? name.slice(prefix.length) : name;
  return {
    ...parameters,
    info: (name) => parameters.info(own(name)),
    source: (name) => parameters.source(own(name)),
    read: (name) => parameters.read(own(name)),
  };
}
