/** StableLM (Bellagente et al. 2024): Llama with layer norms and the rotation of a part of each head. */

import type { Family } from "../family.js";
import { numberOf, requireSettings, rotaryOf } from "../hf-config.js";
import { llamaLikeConfig, llamaLikeLayout } from "./llama-like.js";

export const stablelm: Family = {
  modelTypes: ["stablelm"],
  heads: ["ForCausalLM"],
  prefix: "model.",
  config: (json) => {
    requireSettings(json, { qk_layernorm: false });
    const config = llamaLikeConfig(json, "stablelm");
    return {
      ...config,
      normalization: "LN",
      epsilon: numberOf(json, "layer_norm_eps", 1e-5),
      parallel: json.use_parallel_residual === true,
      rotary: rotaryOf(json, config.dHead, { share: 0.25 }),
    };
  },
  layout: (config, json) =>
    llamaLikeLayout(config, {
      biases: { qkv: json.use_qkv_bias === true, norm: true },
      norms: config.parallel
        ? { ln1: "input_layernorm" }
        : { ln1: "input_layernorm", ln2: "post_attention_layernorm" },
    }),
};
