/**
 * Gemma 1–3 (Gemma Team 2024, 2025): Llama with scaled embeddings and norm weights stored without their 1; the second
 * has norms after each part too, caps and windows, the third norms of queries and keys and two rotations.
 */

import type { ModelConfig } from "../config.js";
import type { Family } from "../family.js";
import {
  activations,
  countOf,
  type HfConfig,
  localLayersOf,
  numberOf,
  oneOf,
  optionalNumber,
  requireSettings,
  rotaryOf,
} from "../hf-config.js";
import { llamaLikeConfig, llamaLikeLayout } from "./llama-like.js";

function gemmaConfig(json: HfConfig, family: string): ModelConfig {
  requireSettings(json, { attention_bias: false, use_bidirectional_attention: false });
  // Some older files say "gelu" where the model has always been computed with the tanh form.
  const named = json.hidden_activation ?? (json.hidden_act === "gelu" ? undefined : json.hidden_act);
  const config = llamaLikeConfig({ head_dim: 256, ...json, hidden_act: "gelu_pytorch_tanh" }, family);
  return {
    ...config,
    actFn: oneOf({ hidden_activation: named }, "hidden_activation", activations, "gelu_pytorch_tanh"),
    normOffset: 1,
    embeddingScale: Math.sqrt(config.dModel),
    tiedEmbeddings: json.tie_word_embeddings !== false,
  };
}

/** Settings of the second and third Gemma: caps, the scale of scores, and which layers see a window. */
function laterSettings(
  json: HfConfig,
  nLayers: number,
  isLocal: (layer: number) => boolean,
): Partial<ModelConfig> {
  return {
    attentionScale: numberOf(json, "query_pre_attn_scalar", 256) ** -0.5,
    scoreCap: optionalNumber(json, "attn_logit_softcapping"),
    logitCap: optionalNumber(json, "final_logit_softcapping"),
    window: countOf(json, "sliding_window", 4096),
    localLayers:
      localLayersOf(json, nLayers) ?? Array.from({ length: nLayers }, (_, layer) => isLocal(layer)),
  };
}

const norms = {
  ln1: "input_layernorm",
  ln1Post: "post_attention_layernorm",
  ln2: "pre_feedforward_layernorm",
  ln2Post: "post_feedforward_layernorm",
};

export const gemma: Family = {
  modelTypes: ["gemma"],
  heads: ["ForCausalLM"],
  prefix: "model.",
  config: (json) => gemmaConfig(json, "gemma"),
  layout: (config) => llamaLikeLayout(config),
};

export const gemma2: Family = {
  modelTypes: ["gemma2"],
  heads: ["ForCausalLM"],
  prefix: "model.",
  config: (json) => {
    const config = gemmaConfig(json, "gemma2");
    return { ...config, ...laterSettings(json, config.nLayers, (layer) => layer % 2 === 0) };
  },
  layout: (config) => llamaLikeLayout(config, { norms }),
};

export const gemma3: Family = {
  modelTypes: ["gemma3_text"],
  heads: ["ForCausalLM"],
  prefix: "model.",
  config: (json) => {
    // transformers reads this setting and does not use it; no released model has it.
    requireSettings(json, { attn_logit_softcapping: null });
    const config = gemmaConfig(json, "gemma3");
    const { dHead, nLayers } = config;
    const pattern = countOf(json, "sliding_window_pattern", countOf(json, "_sliding_window_pattern", 6));
    const nested = (json.rope_parameters as HfConfig | undefined)?.sliding_attention !== undefined;
    return {
      ...config,
      ...laterSettings(json, nLayers, (layer) => (layer + 1) % pattern !== 0),
      rotary: rotaryOf(json, dHead, { base: 1e6, part: nested ? "full_attention" : undefined }),
      localRotary: nested
        ? rotaryOf(json, dHead, { part: "sliding_attention" })
        : { base: numberOf(json, "rope_local_base_freq", 10000), dim: dHead },
    };
  },
  layout: (config) => llamaLikeLayout(config, { norms, qkNorm: "head" }),
};
