/** Qwen 2, 2.5 and 3 (Qwen Team 2024, 2025): Llama with biases of q, k and v, or with norms of queries and keys. */

import type { ModelConfig } from "../config.js";
import type { Family } from "../family.js";
import { countOf, type HfConfig } from "../hf-config.js";
import { llamaLikeConfig, llamaLikeLayout, slidingWindow } from "./llama-like.js";

/** Layers from `max_window_layers` on see a window, if the configuration uses it at all. */
function qwenConfig(json: HfConfig, family: string): ModelConfig {
  const config = llamaLikeConfig(json, family);
  if (json.use_sliding_window !== true) return config;
  const { nLayers } = config;
  const first = countOf(json, "max_window_layers", 28);
  const localLayers = Array.from({ length: nLayers }, (_, layer) => layer >= first);
  const window = slidingWindow(json, nLayers);
  return window.window === undefined ? config : { ...config, localLayers, ...window };
}

export const qwen2: Family = {
  modelTypes: ["qwen2"],
  heads: ["ForCausalLM"],
  prefix: "model.",
  config: (json) => qwenConfig(json, "qwen2"),
  layout: (config) => llamaLikeLayout(config, { biases: { qkv: true } }),
};

export const qwen3: Family = {
  modelTypes: ["qwen3"],
  heads: ["ForCausalLM"],
  prefix: "model.",
  config: (json) => qwenConfig({ head_dim: 128, ...json }, "qwen3"),
  layout: (config, json) => {
    const bias = json.attention_bias === true;
    return llamaLikeLayout(config, { biases: { qkv: bias, o: bias }, qkNorm: "head" });
  },
};
