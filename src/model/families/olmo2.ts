/** OLMo 2 (OLMo Team 2024): Llama with its norms on what attention and MLP add, and on all queries and keys together. */

import type { Family } from "../family.js";
import { numberOf } from "../hf-config.js";
import { llamaLikeConfig, llamaLikeLayout } from "./llama-like.js";

export const olmo2: Family = {
  modelTypes: ["olmo2"],
  heads: ["ForCausalLM"],
  prefix: "model.",
  config: (json) => ({
    ...llamaLikeConfig(json, "olmo2"),
    normPlacement: "branch",
    epsilon: numberOf(json, "rms_norm_eps", 1e-5),
  }),
  layout: (config, json) => {
    const bias = json.attention_bias === true;
    return llamaLikeLayout(config, {
      norms: { ln1: "post_attention_layernorm", ln2: "post_feedforward_layernorm" },
      qkNorm: "all",
      biases: { qkv: bias, o: bias },
    });
  },
};
