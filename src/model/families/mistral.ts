/** Mistral (Jiang et al. 2023): Llama in which every layer sees a window. */

import type { Family } from "../family.js";
import { llamaLikeConfig, llamaLikeLayout, slidingWindow } from "./llama-like.js";

export const mistral: Family = {
  modelTypes: ["mistral"],
  heads: ["ForCausalLM"],
  prefix: "model.",
  config: (json) => {
    const config = llamaLikeConfig(json, "mistral");
    return { ...config, ...slidingWindow(json, config.nLayers) };
  },
  layout: (config) => llamaLikeLayout(config),
};
