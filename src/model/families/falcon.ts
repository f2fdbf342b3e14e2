/** Falcon (Almazrouei et al. 2023): attention and MLP in parallel, with few heads of keys and values. */

import type { Family } from "../family.js";
import {
  activations,
  countOf,
  evenShare,
  type HfConfig,
  numberOf,
  oneOf,
  requireSettings,
  rotaryOf,
  specialTokens,
} from "../hf-config.js";
import { grouped, normOf, outIn } from "./layouts.js";

const isNew = (json: HfConfig): boolean => json.new_decoder_architecture === true;
const isParallel = (json: HfConfig): boolean => isNew(json) || json.parallel_attn !== false;

export const falcon: Family = {
  modelTypes: ["falcon"],
  heads: ["ForCausalLM"],
  prefix: "transformer.",

  config(json) {
    // Falcon's ALiBi is rounded to bfloat16 on its way, which this engine does not imitate.
    requireSettings(json, { alibi: false, apply_residual_connection_post_layernorm: false });
    const dModel = countOf(json, "hidden_size");
    const nHeads = countOf(json, "num_attention_heads", countOf(json, "n_head", 1));
    const dHead = evenShare(json, dModel, nHeads);
    const one = json.multi_query !== false ? 1 : nHeads;
    return {
      family: "falcon",
      task: "nextToken",
      nLayers: countOf(json, "num_hidden_layers", countOf(json, "n_layer", 1)),
      nHeads,
      nKvHeads: isNew(json) ? countOf(json, "num_kv_heads", nHeads) : one,
      dModel,
      dHead,
      dMlp: countOf(json, "ffn_hidden_size", 4 * dModel),
      nCtx: countOf(json, "max_position_embeddings", 2048),
      dVocab: countOf(json, "vocab_size"),
      actFn: oneOf(json, "activation", activations, "gelu"),
      normalization: "LN",
      normPlacement: "before",
      epsilon: numberOf(json, "layer_norm_epsilon", 1e-5),
      parallel: isParallel(json),
      gatedMlp: false,
      attentionScale: 1 / Math.sqrt(dHead),
      rotary: rotaryOf(json, dHead),
      tiedEmbeddings: json.tie_word_embeddings !== false,
      ...specialTokens(json),
    };
  },

  layout({ dModel, dMlp, dVocab, dHead, nHeads, nKvHeads, tiedEmbeddings }, json) {
    const bias = json.bias === true;
    const twoNorms = isNew(json) && numberOf(json, "num_ln_in_parallel_attn", 2) === 2;
    return {
      embed: "transformer.word_embeddings.weight",
      block: (layer) => {
        const at = `transformer.h.${layer}`;
        const width = (nHeads + 2 * nKvHeads) * dHead;
        return {
          ln1: normOf(`${at}.${twoNorms ? "ln_attn" : "input_layernorm"}`),
          ...(twoNorms ? { ln2: normOf(`${at}.ln_mlp`) } : {}),
          ...(isParallel(json) ? {} : { ln2: normOf(`${at}.post_attention_layernorm`) }),
          ...grouped(
            outIn(`${at}.self_attention.query_key_value`, dModel, width, bias),
            nKvHeads,
            nHeads / nKvHeads,
            dHead,
          ),
          o: outIn(`${at}.self_attention.dense`, dModel, dModel, bias),
          mlp: {
            in: outIn(`${at}.mlp.dense_h_to_4h`, dModel, dMlp, bias),
            out: outIn(`${at}.mlp.dense_4h_to_h`, dMlp, dModel, bias),
          },
        };
      },
      lnFinal: normOf("transformer.ln_f"),
      unembed: outIn(tiedEmbeddings ? "transformer.word_embeddings" : "lm_head", dModel, dVocab),
    };
  },
};
