/** Granite (Granite Team 2024): Llama with multipliers of embeddings, scores, branches and logits. */

import type { Family } from "../family.js";
import { numberOf } from "../hf-config.js";
import { llamaLikeConfig, llamaLikeLayout } from "./llama-like.js";

export const granite: Family = {
  modelTypes: ["granite"],
  heads: ["ForCausalLM"],
  prefix: "model.",
  config: (json) => ({
    ...llamaLikeConfig(json, "granite"),
    embeddingScale: numberOf(json, "embedding_multiplier", 1),
    attentionScale: numberOf(json, "attention_multiplier", 1),
    residualScale: numberOf(json, "residual_multiplier", 1),
    logitScale: 1 / numberOf(json, "logits_scaling", 1),
  }),
  layout: (config, json) => {
    const attention = json.attention_bias === true;
    return llamaLikeLayout(config, {
      biases: { qkv: attention, o: attention, mlp: json.mlp_bias === true },
    });
  },
};
