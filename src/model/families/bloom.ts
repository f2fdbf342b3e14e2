/** BLOOM (Le Scao et al. 2022): positions by ALiBi, and a norm of the embeddings. */

import type { Family } from "../family.js";
import { countOf, evenShare, numberOf, requireSettings, specialTokens } from "../hf-config.js";
import { interleaved, normOf, outIn } from "./layouts.js";

/** ALiBi's slopes (Press et al. 2022); for a number of heads that is no power of two, with those between. */
export function alibiSlopes(nHeads: number): number[] {
  const whole = 2 ** Math.floor(Math.log2(nHeads));
  const slopes = (count: number, powers: readonly number[]): number[] => {
    const base = Math.fround(2 ** -(2 ** -(Math.log2(count) - 3)));
    return powers.map((power) => Math.fround(base ** power));
  };
  const first = slopes(
    whole,
    Array.from({ length: whole }, (_, i) => i + 1),
  );
  const odd = Array.from({ length: nHeads - whole }, (_, i) => 2 * i + 1);
  return [...first, ...slopes(2 * whole, odd)];
}

export const bloom: Family = {
  modelTypes: ["bloom"],
  heads: ["ForCausalLM"],
  prefix: "transformer.",

  config(json) {
    requireSettings(json, { apply_residual_connection_post_layernorm: false });
    const dModel = countOf(json, "hidden_size", countOf(json, "n_embed", 1));
    const nHeads = countOf(json, "n_head", countOf(json, "num_attention_heads", 1));
    const dHead = evenShare(json, dModel, nHeads);
    return {
      family: "bloom",
      task: "nextToken",
      nLayers: countOf(json, "n_layer", countOf(json, "num_hidden_layers", 1)),
      nHeads,
      nKvHeads: nHeads,
      dModel,
      dHead,
      dMlp: 4 * dModel,
      nCtx: countOf(json, "seq_length", 2048),
      dVocab: countOf(json, "vocab_size"),
      actFn: "gelu_new",
      normalization: "LN",
      normPlacement: "before",
      epsilon: numberOf(json, "layer_norm_epsilon", 1e-5),
      gatedMlp: false,
      attentionScale: 1 / Math.sqrt(dHead),
      alibi: alibiSlopes(nHeads),
      tiedEmbeddings: json.tie_word_embeddings !== false,
      ...specialTokens(json),
    };
  },

  layout: ({ dModel, dMlp, dVocab, dHead, nHeads, tiedEmbeddings }) => ({
    embed: "transformer.word_embeddings.weight",
    embedNorm: normOf("transformer.word_embeddings_layernorm"),
    block: (layer) => {
      const at = `transformer.h.${layer}`;
      return {
        ln1: normOf(`${at}.input_layernorm`),
        ln2: normOf(`${at}.post_attention_layernorm`),
        ...interleaved(
          outIn(`${at}.self_attention.query_key_value`, dModel, 3 * dModel, true),
          nHeads,
          dHead,
        ),
        o: outIn(`${at}.self_attention.dense`, dModel, dModel, true),
        mlp: {
          in: outIn(`${at}.mlp.dense_h_to_4h`, dModel, dMlp, true),
          out: outIn(`${at}.mlp.dense_4h_to_h`, dMlp, dModel, true),
        },
      };
    },
    lnFinal: normOf("transformer.ln_f"),
    unembed: outIn(tiedEmbeddings ? "transformer.word_embeddings" : "lm_head", dModel, dVocab),
  }),
};
