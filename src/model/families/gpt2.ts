/** GPT-2 (Radford et al. 2019): learned positions, layer norm before each part, one matrix for q, k and v. */

import type { Family, Linear } from "../family.js";
import {
  activations,
  countOf,
  evenShare,
  numberOf,
  oneOf,
  requireSettings,
  specialTokens,
} from "../hf-config.js";
import { normOf, stacked } from "./layouts.js";

export const gpt2: Family = {
  modelTypes: ["gpt2"],
  heads: ["LMHeadModel"],
  prefix: "transformer.",

  config(json) {
    requireSettings(json, { add_cross_attention: false });
    const dModel = countOf(json, "n_embd");
    const nHeads = countOf(json, "n_head");
    const dHead = evenShare(json, dModel, nHeads);
    return {
      family: "gpt2",
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
      gatedMlp: false,
      attentionScale: json.scale_attn_weights === false ? 1 : 1 / Math.sqrt(dHead),
      scoresScaledByLayer: json.scale_attn_by_inverse_layer_idx === true,
      tiedEmbeddings: json.tie_word_embeddings !== false,
      ...specialTokens(json),
    };
  },

  layout({ dModel, dMlp, dVocab, tiedEmbeddings }) {
    const linear = (name: string, dIn: number, dOut: number): Linear => ({
      weight: `${name}.weight`,
      bias: `${name}.bias`,
      layout: "inOut",
      dIn,
      dOut,
    });
    return {
      embed: "transformer.wte.weight",
      positions: "transformer.wpe.weight",
      block: (layer) => {
        const at = `transformer.h.${layer}`;
        const qkv = linear(`${at}.attn.c_attn`, dModel, 3 * dModel);
        const [q, k, v] = stacked(qkv, [dModel, dModel, dModel]);
        return {
          ln1: normOf(`${at}.ln_1`),
          ln2: normOf(`${at}.ln_2`),
          qkv,
          q: q!,
          k: k!,
          v: v!,
          o: linear(`${at}.attn.c_proj`, dModel, dModel),
          mlp: { in: linear(`${at}.mlp.c_fc`, dModel, dMlp), out: linear(`${at}.mlp.c_proj`, dMlp, dModel) },
        };
      },
      lnFinal: normOf("transformer.ln_f"),
      unembed: {
        weight: tiedEmbeddings ? "transformer.wte.weight" : "lm_head.weight",
        layout: "outIn",
        dIn: dModel,
        dOut: dVocab,
      },
    };
  },
};
