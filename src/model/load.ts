/** Finding and opening models. */

import { exists, fileName, joinPath, list, packageFolder, readJsonFile } from "../array/index.js";
import { type Progress, workSignal } from "../runtime/host.js";
import type { RuntimeOptions } from "../runtime/plan.js";
import { Engine } from "./engine.js";
import { checkParameters } from "./expected-parameters.js";
import { familyOf } from "./families/index.js";
import type { HfConfig } from "./hf-config.js";
import { downloadModel, type HubOptions, isHubName } from "./hub.js";
import { Model } from "./model.js";
import { float32Parameters, openParameters } from "./open-parameters.js";
import { allProcessing, type Processed, type Processing, processWeights } from "./processing.js";
import { type Quantization, quantizeParameters } from "./quantize.js";
import { openTokenizer } from "./tokenizer.js";
import { modelWeights } from "./weights.js";

/** How a model is loaded. */
export interface LoadOptions extends RuntimeOptions {
  /** Ends the loading. */
  readonly signal?: AbortSignal;
  /**
   * For models of the hub: a branch, a tag or a commit; `"main"` by default. For bundled models and folders: a checkpoint
   * of their training, such as `"step-1000"`; `modelRevisions` lists them.
   */
  readonly revision?: string;
  /** Called while files are downloaded, with bytes. */
  readonly onProgress?: (progress: Progress) => void;
  /**
   * `"stored"` (the default) keeps weights of 16 bits as they are in the file and makes them float32 while they are used,
   * which takes no more memory than the file; `"float32"` makes a float32 copy in the cache folder once, which takes
   * twice the file's size and runs faster.
   */
  readonly dtype?: "stored" | "float32";
  /** Rewrites of the weights that keep the model's function; `true` for all that have a meaning for the model. */
  readonly processing?: Processing | true;
  /**
   * Makes the matrices of the blocks smaller: `"int8"` or `"int4"`, with one scale for each 32 weights. Values at points
   * become approximate; gradients pass through the quantised weights, and there are none with respect to them.
   */
  readonly quantization?: Quantization;
}

/**
 * Loads a model: a bundled one by its name (`"tiny-world"`), a folder in Hugging Face's layout (`config.json`,
 * `model.safetensors` or `pytorch_model.bin` or shards of them, and a tokenizer for one that reads text), or one of the
 * hub by its name (`"openai-community/gpt2"`), which is downloaded to the cache that the hub's clients share. Weights stay
 * in their file.
 *
 * @throws if there is no such model, if its architecture is not supported, if a tensor is missing or has another shape than
 * the configuration says, or if files are missing and the hub cannot be reached
 *
 * @example
 * ```ts
 * const model = await loadModel("tiny-world");
 * ```
 */
export async function loadModel(id: string, options: LoadOptions = {}): Promise<Model> {
  const signal = workSignal(options.signal);
  const folder = await findModel(id, { ...options, ...(signal ? { signal } : {}) });
  const json = await readJsonFile(joinPath(folder, "config.json"));
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw new Error(`${joinPath(folder, "config.json")} does not hold a JSON object.`);
  const family = familyOf(json as HfConfig);
  const config = family.config(json as HfConfig);
  signal?.throwIfAborted();
  const layout = family.layout(config, json as HfConfig);
  const source = await weightsFolder(id, folder, options.revision);
  const parameters = await openParameters(source, family.prefix, signal);
  checkParameters(parameters, config, layout, { source, prefix: family.prefix });
  const made = await prepare({ config, layout, parameters }, options, signal);
  const tokenizer = await openTokenizer(folder, config.bosToken);
  signal?.throwIfAborted();
  const engine = new Engine(made.config, made.layout, made.parameters, options);
  return new Model({
    engine,
    weights: modelWeights(made.config, made.layout, made.parameters),
    tokenizer,
    name: isHubName(id) ? id : [fileName(folder), ...(options.revision ? [options.revision] : [])].join("@"),
  });
}

/** The weights as they are asked for: processed, in another type, quantised. */
async function prepare(
  parts: Processed,
  { processing, dtype, quantization }: LoadOptions,
  signal: AbortSignal | undefined,
): Promise<Processed> {
  let made = parts;
  if (processing) {
    const chosen = processing === true ? allProcessing(made.config, made.layout) : processing;
    if (Object.values(chosen).some(Boolean)) made = await processWeights(made, chosen, signal);
  }
  if (dtype === "float32") made = { ...made, parameters: await float32Parameters(made, signal) };
  else if (dtype !== undefined && dtype !== "stored")
    throw new Error(`The dtype ${JSON.stringify(dtype)} is not known; it is "stored" or "float32".`);
  if (quantization !== undefined)
    made = { ...made, parameters: await quantizeParameters(made, quantization, signal) };
  return made;
}

/** Where a model's folder has its weights: in itself, or for a revision where checkpoints of its training are kept. */
async function weightsFolder(id: string, folder: string, revision: string | undefined): Promise<string> {
  if (revision === undefined || (folder !== id && isHubName(hubName(id)))) return folder;
  const known = await checkpointsIn(folder);
  if (known.includes(revision)) return joinPath(folder, "checkpoints", revision);
  const listed = known.length > 0 ? `it has ${known.join(", ")}` : "it has none but itself";
  throw new Error(`The model "${id}" has no revision "${revision}"; ${listed}.`);
}

/** The checkpoints of a folder, earliest first. */
async function checkpointsIn(folder: string): Promise<string[]> {
  const checkpoints = joinPath(folder, "checkpoints");
  if (!(await exists(checkpoints))) return [];
  const stepOf = (name: string): number => Number(/\d+/.exec(name)?.[0] ?? Number.POSITIVE_INFINITY);
  return (await list(checkpoints)).sort((a, b) => stepOf(a) - stepOf(b));
}

/**
 * The checkpoints of training that a bundled model or a folder has, earliest first: each can be given to `loadModel` as
 * its `revision`.
 *
 * @throws if there is no such model
 * @example
 * ```ts
 * const [first] = await modelRevisions("tiny-world");
 * const young = await loadModel("tiny-world", { revision: first });
 * ```
 */
export async function modelRevisions(id: string): Promise<string[]> {
  if (isHubName(hubName(id)) && !(await exists(joinPath(id, "config.json"))))
    throw new Error(
      `The revisions of "${id}" are listed on the hub; those of bundled models and folders are known here.`,
    );
  return checkpointsIn(await findModel(id, {}));
}

/** The names of the models that come with this package. */
export function bundledModels(): string[] {
  return ["tiny-world", "attn-only-2l", "tiny-sentiment"];
}

/** Names that the hub's models had before they had owners. */
const formerNames: Readonly<Record<string, string>> = {
  gpt2: "openai-community/gpt2",
  "gpt2-medium": "openai-community/gpt2-medium",
  "gpt2-large": "openai-community/gpt2-large",
  "gpt2-xl": "openai-community/gpt2-xl",
  distilgpt2: "distilbert/distilgpt2",
  "bert-base-uncased": "google-bert/bert-base-uncased",
  "bert-base-cased": "google-bert/bert-base-cased",
};

/** The name that the hub has for a model now. */
const hubName = (id: string): string => (Object.hasOwn(formerNames, id) ? formerNames[id]! : id);

/** The folder of a model: the path itself, a bundled model's, or that of a model of the hub in its cache. */
async function findModel(id: string, options: HubOptions): Promise<string> {
  if (await exists(joinPath(id, "config.json"))) return id;
  const bundled = joinPath(packageFolder(), "models", id);
  if (/^[\w-]+$/.test(id) && (await exists(joinPath(bundled, "config.json")))) return bundled;
  if (await exists(id)) throw new Error(`${id} has no config.json; a model's folder has one.`);
  const name = hubName(id);
  if (isHubName(name)) return downloadModel(name, options);
  const bundledNames = bundledModels().map((bundledName) => `"${bundledName}"`);
  throw new Error(
    `There is no model "${id}": bundled are ${bundledNames.join(", ")}; any other is the path of a folder with a config.json, or the name of a model on the hub, such as "openai-community/gpt2".`,
  );
}
