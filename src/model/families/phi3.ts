/** Phi-3 and Phi-4 (Abdin et al. 2024): Llama with q, k, v in one matrix and both branches of the MLP in another. */

import type { Family } from "../family.js";
import { numberOf, rotaryOf } from "../hf-config.js";
import { outIn, stacked } from "./layouts.js";
import { llamaLikeConfig, llamaLikeLayout, slidingWindow } from "./llama-like.js";

export const phi3: Family = {
  modelTypes: ["phi3"],
  heads: ["ForCausalLM"],
  prefix: "model.",
  config: (json) => {
    const config = llamaLikeConfig(json, "phi3");
    return {
      ...config,
      epsilon: numberOf(json, "rms_norm_eps", 1e-5),
      rotary: rotaryOf({ original_max_position_embeddings: 4096, ...json }, config.dHead),
      ...slidingWindow(json, config.nLayers),
    };
  },
  layout: (config) => {
    const { dModel, dMlp } = config;
    return llamaLikeLayout(config, {
      qkv: "qkv_proj",
      mlp: (at) => {
        const gateIn = outIn(`${at}.gate_up_proj`, dModel, 2 * dMlp);
        const [gate, up] = stacked(gateIn, [dMlp, dMlp]);
        return { gateIn, gate: gate!, in: up!, out: outIn(`${at}.down_proj`, dMlp, dModel) };
      },
    });
  },
};
