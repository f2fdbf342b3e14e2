/** Phi 1, 1.5 and 2 (Gunasekar et al. 2023): attention and MLP in parallel after one norm, a part of each head rotated. */

import type { Family } from "../family.js";
import {
  activations,
  countOf,
  evenShare,
  numberOf,
  oneOf,
  requireSettings,
  rotaryOf,
  specialTokens,
} from "../hf-config.js";
import { normOf, outIn } from "./layouts.js";

export const phi: Family = {
  modelTypes: ["phi"],
  heads: ["ForCausalLM"],
  prefix: "model.",

  config(json) {
    requireSettings(json, { qk_layernorm: false });
    const dModel = countOf(json, "hidden_size");
    const nHeads = countOf(json, "num_attention_heads");
    const dHead = evenShare(json, dModel, nHeads);
    return {
      family: "phi",
      task: "nextToken",
      nLayers: countOf(json, "num_hidden_layers"),
      nHeads,
      nKvHeads: countOf(json, "num_key_value_heads", nHeads),
      dModel,
      dHead,
      dMlp: countOf(json, "intermediate_size"),
      nCtx: countOf(json, "max_position_embeddings"),
      dVocab: countOf(json, "vocab_size"),
      actFn: oneOf(json, "hidden_act", activations, "gelu_new"),
      normalization: "LN",
      normPlacement: "before",
      epsilon: numberOf(json, "layer_norm_eps", 1e-5),
      parallel: true,
      gatedMlp: false,
      attentionScale: 1 / Math.sqrt(dHead),
      rotary: rotaryOf(json, dHead, { share: 0.5 }),
      tiedEmbeddings: json.tie_word_embeddings === true,
      ...specialTokens(json),
    };
  },

  layout: ({ dModel, dMlp, dVocab, dHead, nKvHeads, tiedEmbeddings }) => ({
    embed: "model.embed_tokens.weight",
    block: (layer) => {
      const at = `model.layers.${layer}`;
      const attention = (name: string, dOut: number) => outIn(`${at}.self_attn.${name}`, dModel, dOut, true);
      return {
        ln1: normOf(`${at}.input_layernorm`),
        q: attention("q_proj", dModel),
        k: attention("k_proj", nKvHeads * dHead),
        v: attention("v_proj", nKvHeads * dHead),
        o: attention("dense", dModel),
        mlp: {
          in: outIn(`${at}.mlp.fc1`, dModel, dMlp, true),
          out: outIn(`${at}.mlp.fc2`, dMlp, dModel, true),
        },
      };
    },
    lnFinal: normOf("model.final_layernorm"),
    unembed: {
      ...outIn(tiedEmbeddings ? "model.embed_tokens" : "lm_head", dModel, dVocab),
      bias: "lm_head.bias",
    },
  }),
};
