/** GPT-J (Wang & Komatsuzaki 2021): attention and MLP in parallel after one norm, rotation of adjacent pairs. */

import type { Family } from "../family.js";
import { activations, countOf, evenShare, numberOf, oneOf, specialTokens } from "../hf-config.js";
import { normOf, outIn } from "./layouts.js";

export const gptj: Family = {
  modelTypes: ["gptj"],
  heads: ["ForCausalLM"],
  prefix: "transformer.",

  config(json) {
    const dModel = countOf(json, "n_embd");
    const nHeads = countOf(json, "n_head");
    const dHead = evenShare(json, dModel, nHeads);
    return {
      family: "gptj",
      task: "nextToken",
      nLayers: countOf(json, "n_layer"),
      nHeads,
      nKvHeads: nHeads,
      dModel,
      dHead,
      dMlp: countOf(json, "n_inner", 4 * dModel),
      nCtx: countOf(json, "n_positions"),
      dVocab: countOf(json, "vocab_size"),
      actFn: oneOf(json, "activation_function", activations, "gelu_new"),
      normalization: "LN",
      normPlacement: "before",
      epsilon: numberOf(json, "layer_norm_epsilon", 1e-5),
      parallel: true,
      gatedMlp: false,
      attentionScale: 1 / Math.sqrt(dHead),
      rotary: { base: 10000, dim: countOf(json, "rotary_dim", dHead), pairs: "adjacent" },
      tiedEmbeddings: json.tie_word_embeddings === true,
      ...specialTokens(json),
    };
  },

  layout: ({ dModel, dMlp, dVocab, tiedEmbeddings }) => ({
    embed: "transformer.wte.weight",
    block: (layer) => {
      const at = `transformer.h.${layer}`;
      const attention = (name: string) => outIn(`${at}.attn.${name}_proj`, dModel, dModel);
      return {
        ln1: normOf(`${at}.ln_1`),
        q: attention("q"),
        k: attention("k"),
        v: attention("v"),
        o: attention("out"),
        mlp: {
          in: outIn(`${at}.mlp.fc_in`, dModel, dMlp, true),
          out: outIn(`${at}.mlp.fc_out`, dMlp, dModel, true),
        },
      };
    },
    lnFinal: normOf("transformer.ln_f"),
    unembed: {
      ...outIn(tiedEmbeddings ? "transformer.wte" : "lm_head", dModel, dVocab),
      bias: "lm_head.bias",
    },
  }),
};
