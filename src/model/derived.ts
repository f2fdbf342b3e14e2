/**
 * Weights made from others: converted, processed or quantised ones. They are written once to the cache folder and
 * mapped from there like any model's, so that no more than one tensor is in memory while they are made, and a second
 * load finds them ready.
 */

import {
  cacheFolder,
  exists,
  joinPath,
  type LazyTensor,
  type NativeArray,
  sha256,
  stat,
  type Tensor,
  tensor,
  toFloat32,
  writeSafetensorsLazily,
} from "../array/index.js";
import { reportProgress } from "../runtime/host.js";
import { mappedParameters, memoryParameters, type Parameters } from "./parameters.js";
import { tensorsOf } from "./weight-files.js";

/** Part of every recipe's key: changed where the same recipe begins to give other weights. */
const FORMAT = 1;

/** How weights are made from others. */
export interface Recipe {
  /** What is done, with all of its settings: equal texts for equal results. */
  readonly name: string;
  /** The tensors that are made; their values are asked for one after another. */
  readonly tensors: ReadonlyMap<string, LazyTensor>;
  /** Ends the work. */
  readonly signal?: AbortSignal;
}

/**
 * Weights by a recipe, mapped from the cache folder (`TSLENS_CACHE`, or `tslens` among the user's caches), where they
 * are written if they are not there. Of weights that lie in no file, the result is held in memory.
 *
 * @param files that the weights are made from
 */
export async function derivedParameters(files: readonly string[], recipe: Recipe): Promise<Parameters> {
  const tensors = watched(recipe);
  if (files.length === 0) return memoryParameters(await readAll(tensors));
  const path = joinPath(cacheFolder(), "weights", `${await recipeKey(files, recipe.name)}.safetensors`);
  if (!(await exists(path))) await writeSafetensorsLazily(path, tensors);
  return mappedParameters(await tensorsOf(path), path);
}

/** The tensors of a recipe, which report how far the work is and end it where it is to end. */
function watched({ name, tensors, signal }: Recipe): Map<string, LazyTensor> {
  let done = 0;
  const watch = ({ dtype, shape, read }: LazyTensor): LazyTensor => ({
    dtype,
    shape,
    read: async (): Promise<NativeArray> => {
      signal?.throwIfAborted();
      const values = await read();
      reportProgress({ task: `weights: ${name}`, done: ++done, total: tensors.size });
      return values;
    },
  });
  return new Map([...tensors].map(([key, lazy]) => [key, watch(lazy)]));
}

async function readAll(tensors: ReadonlyMap<string, LazyTensor>): Promise<Map<string, Tensor>> {
  const made = new Map<string, Tensor>();
  for (const [key, { read }] of tensors) {
    const { data, dtype, shape } = await read();
    made.set(key, tensor(toFloat32(data, dtype), shape));
  }
  return made;
}

/** Equal for equal recipes of files that have not changed. */
async function recipeKey(files: readonly string[], name: string): Promise<string> {
  const states = await Promise.all(
    [...files].sort().map(async (file) => {
      const { size, modified } = await stat(file);
      return [file, size, modified];
    }),
  );
  return sha256(JSON.stringify([FORMAT, name, states])).slice(0, 32);
}
