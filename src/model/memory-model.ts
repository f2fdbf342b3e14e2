/** Models whose parameters are made by a program and lie in memory. */

import type { Tensor } from "../array/index.js";
import type { RuntimeOptions } from "../runtime/plan.js";
import { Engine } from "./engine.js";
import { checkParameters } from "./expected-parameters.js";
import { familyOf } from "./families/index.js";
import type { HfConfig } from "./hf-config.js";
import { Model } from "./model.js";
import { memoryParameters } from "./parameters.js";
import type { Tokenizer } from "./tokenizer.js";
import { modelWeights } from "./weights.js";

/** What a model in memory is made of, beside its configuration. */
export interface MemoryModelOptions extends RuntimeOptions {
  /** The parameters by the names of the family's state dict. */
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** What reads text; without one the model takes token ids only. */
  readonly tokenizer?: Tokenizer;
  /** What the model is called; the family's name by default. */
  readonly name?: string;
}

/**
 * A model with parameters in memory: one that has just been trained, or a program written by hand.
 *
 * @param json a `config.json` of a family that the engine knows
 * @throws if a parameter is missing, or has another shape than the configuration says
 *
 * @example
 * ```ts
 * const json = { model_type: "toy_transformer", n_layers: 1, n_heads: 2, d_model: 8, d_head: 4, attn_only: true, n_ctx: 8, d_vocab: 10 };
 * const { parameters } = newLanguageModel(json, { seed: 1 });
 * const fresh = modelInMemory(json, { parameters });
 * await fresh.forward([1, 2, 3]); // [1, 3, 10]
 * ```
 */
export function modelInMemory(json: HfConfig, options: MemoryModelOptions): Model {
  const { parameters: given, tokenizer, name, ...runtime } = options;
  const family = familyOf(json);
  const config = family.config(json);
  const layout = family.layout(config, json);
  const parameters = memoryParameters(given);
  const called = name ?? config.family;
  checkParameters(parameters, config, layout, { source: called, prefix: family.prefix });
  return new Model({
    engine: new Engine(config, layout, parameters, runtime),
    weights: modelWeights(config, layout, parameters),
    tokenizer,
    name: called,
  });
}
