/** Finding and opening models. */

import { exists, fileName, joinPath, packageFolder, readJsonFile } from "../array/index.js";
import { workSignal } from "../runtime/host.js";
import type { RuntimeOptions } from "../runtime/plan.js";
import { Engine } from "./engine.js";
import { checkParameters } from "./expected-parameters.js";
import { familyOf } from "./families/index.js";
import type { HfConfig } from "./hf-config.js";
import { Model } from "./model.js";
import { openParameters } from "./open-parameters.js";
import { openTokenizer } from "./tokenizer.js";
import { modelWeights } from "./weights.js";

/** How a model is loaded. */
export interface LoadOptions extends RuntimeOptions {
  /** Ends the loading. */
  readonly signal?: AbortSignal;
}

/**
 * Loads a model: a bundled one by its name (`"tiny-world"`), or a folder in Hugging Face's layout (`config.json`,
 * `model.safetensors` or shards of it, and `tokenizer.json` for one that reads text). Weights stay in their file.
 *
 * @throws if there is no such model, if its architecture is not supported, or if a tensor is missing or has another
 * shape than the configuration says
 *
 * @example
 * ```ts
 * const model = await loadModel("tiny-world");
 * ```
 */
export async function loadModel(id: string, options: LoadOptions = {}): Promise<Model> {
  const signal = workSignal(options.signal);
  const folder = await findModel(id);
  const json = await readJsonFile(joinPath(folder, "config.json"));
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw new Error(`${joinPath(folder, "config.json")} does not hold a JSON object.`);
  const family = familyOf(json as HfConfig);
  const config = family.config(json as HfConfig);
  signal?.throwIfAborted();
  const layout = family.layout(config, json as HfConfig);
  const parameters = await openParameters(folder, family.prefix, signal);
  checkParameters(parameters, config, layout, { source: folder, prefix: family.prefix });
  const tokenizer = await openTokenizer(folder, config.bosToken);
  signal?.throwIfAborted();
  const engine = new Engine(config, layout, parameters, options);
  return new Model({
    engine,
    weights: modelWeights(config, layout, parameters),
    tokenizer,
    name: fileName(folder),
  });
}

/** The names of the models that come with this package. */
export function bundledModels(): string[] {
  return ["tiny-world"];
}

/** The folder of a model: the path itself, or a bundled model's. */
async function findModel(id: string): Promise<string> {
  if (await exists(joinPath(id, "config.json"))) return id;
  const bundled = joinPath(packageFolder(), "models", id);
  if (/^[\w-]+$/.test(id) && (await exists(joinPath(bundled, "config.json")))) return bundled;
  if (await exists(id)) throw new Error(`${id} has no config.json; a model's folder has one.`);
  const bundledNames = bundledModels().map((name) => `"${name}"`);
  throw new Error(
    `There is no model "${id}": bundled is ${bundledNames.join(", ")}; any other is the path of a folder with a config.json.`,
  );
}
