/** GPT-NeoX and Pythia (Black et al. 2022, Biderman et al. 2023): parallel or not, rotation of a part of each head. */

import type { Family } from "../family.js";
import { activations, countOf, evenShare, numberOf, oneOf, rotaryOf, specialTokens } from "../hf-config.js";
import { interleaved, normOf, outIn } from "./layouts.js";

export const gptNeox: Family = {
  modelTypes: ["gpt_neox"],
  heads: ["ForCausalLM"],
  prefix: "gpt_neox.",

  config(json) {
    const dModel = countOf(json, "hidden_size");
    const nHeads = countOf(json, "num_attention_heads");
    const dHead = evenShare(json, dModel, nHeads);
    return {
      family: "gpt_neox",
      task: "nextToken",
      nLayers: countOf(json, "num_hidden_layers"),
      nHeads,
      nKvHeads: nHeads,
      dModel,
      dHead,
      dMlp: countOf(json, "intermediate_size"),
      nCtx: countOf(json, "max_position_embeddings"),
      dVocab: countOf(json, "vocab_size"),
      actFn: oneOf(json, "hidden_act", activations, "gelu"),
      normalization: "LN",
      normPlacement: "before",
      epsilon: numberOf(json, "layer_norm_eps", 1e-5),
      parallel: json.use_parallel_residual !== false,
      gatedMlp: false,
      attentionScale: 1 / Math.sqrt(dHead),
      rotary: rotaryOf(json, dHead, { base: numberOf(json, "rotary_emb_base", 10000), share: 0.25 }),
      tiedEmbeddings: json.tie_word_embeddings === true,
      ...specialTokens(json),
    };
  },

  layout({ dModel, dMlp, dVocab, dHead, nHeads, tiedEmbeddings }, json) {
    const bias = json.attention_bias !== false;
    return {
      embed: "gpt_neox.embed_in.weight",
      block: (layer) => {
        const at = `gpt_neox.layers.${layer}`;
        return {
          ln1: normOf(`${at}.input_layernorm`),
          ln2: normOf(`${at}.post_attention_layernorm`),
          ...interleaved(outIn(`${at}.attention.query_key_value`, dModel, 3 * dModel, bias), nHeads, dHead),
          o: outIn(`${at}.attention.dense`, dModel, dModel, bias),
          mlp: {
            in: outIn(`${at}.mlp.dense_h_to_4h`, dModel, dMlp, true),
            out: outIn(`${at}.mlp.dense_4h_to_h`, dMlp, dModel, true),
          },
        };
      },
      lnFinal: normOf("gpt_neox.final_layer_norm"),
      unembed: outIn(tiedEmbeddings ? "gpt_neox.embed_in" : "embed_out", dModel, dVocab),
    };
  },
};
