/** Mixtral (Jiang et al. 2024): Mistral whose MLPs are several experts, of which each token uses some. */

import type { Family } from "../family.js";
import { countOf, numberOf, rotaryOf } from "../hf-config.js";
import { outIn } from "./layouts.js";
import { llamaLikeConfig, llamaLikeLayout, slidingWindow } from "./llama-like.js";

export const mixtral: Family = {
  modelTypes: ["mixtral"],
  heads: ["ForCausalLM"],
  prefix: "model.",
  config: (json) => {
    const config = llamaLikeConfig(json, "mixtral");
    const experts = {
      count: countOf(json, "num_local_experts", 8),
      perToken: countOf(json, "num_experts_per_tok", 2),
    };
    if (experts.perToken > experts.count)
      throw new Error(
        `config.json: a token cannot use ${experts.perToken} experts ("num_experts_per_tok") of ${experts.count}.`,
      );
    return {
      ...config,
      experts,
      epsilon: numberOf(json, "rms_norm_eps", 1e-5),
      rotary: rotaryOf(json, config.dHead, { base: 1e6 }),
      ...slidingWindow(json, config.nLayers),
    };
  },
  layout: (config) =>
    llamaLikeLayout(config, {
      mlp: (at) => {
        const { dModel, dMlp, experts } = config;
        const moe = at.replace(/mlp$/, "block_sparse_moe");
        return {
          router: outIn(`${moe}.gate`, dModel, experts!.count),
          experts: Array.from({ length: experts!.count }, (_, e) => ({
            gate: outIn(`${moe}.experts.${e}.w1`, dModel, dMlp),
            in: outIn(`${moe}.experts.${e}.w3`, dModel, dMlp),
            out: outIn(`${moe}.experts.${e}.w2`, dMlp, dModel),
          })),
        };
      },
    }),
};
