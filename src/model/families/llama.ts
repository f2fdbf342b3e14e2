/** Llama 1–3 (Touvron et al. 2023): rotary positions, RMS norm, gated MLP, grouped-query attention. */

import type { Family } from "../family.js";
import { llamaLikeConfig, llamaLikeLayout } from "./llama-like.js";

export const llama: Family = {
  modelTypes: ["llama"],
  heads: ["ForCausalLM"],
  prefix: "model.",
  config: (json) => llamaLikeConfig(json, "llama"),
  layout: (config, json) => {
    const attention = json.attention_bias === true;
    const biases = { qkv: attention, o: attention, mlp: json.mlp_bias === true };
    return llamaLikeLayout(config, { biases });
  },
};
