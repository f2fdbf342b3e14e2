/** T5 and Flan-T5 (Raffel et al. 2020): an encoder reads the source, a decoder writes; biases by distance for positions. */

import type { Block, DenseMlp, Family } from "../family.js";
import { activations, countOf, type HfConfig, numberOf, oneOf, specialTokens } from "../hf-config.js";
import { outIn } from "./layouts.js";

/** `relu`, or `gated-gelu` with two branches. */
const isGated = (json: HfConfig): boolean => String(json.feed_forward_proj ?? "relu").startsWith("gated-");

export const t5: Family = {
  modelTypes: ["t5"],
  heads: ["ForConditionalGeneration", "WithLMHeadModel"],
  prefix: "",

  config(json) {
    const dModel = countOf(json, "d_model");
    const nHeads = countOf(json, "num_heads");
    const nLayers = countOf(json, "num_layers");
    const tied = json.tie_word_embeddings !== false;
    const named = String(json.feed_forward_proj ?? "relu").replace(/^gated-/, "");
    // The gated form has always been computed with the tanh form of GELU.
    const act = named === "gelu" && isGated(json) ? "gelu_new" : named;
    return {
      family: "t5",
      task: "nextToken",
      nLayers: countOf(json, "num_decoder_layers", nLayers),
      nHeads,
      nKvHeads: nHeads,
      dModel,
      dHead: countOf(json, "d_kv"),
      dMlp: countOf(json, "d_ff"),
      nCtx: countOf(json, "n_positions", 512),
      dVocab: countOf(json, "vocab_size"),
      actFn: oneOf({ feed_forward_proj: act }, "feed_forward_proj", activations),
      normalization: "RMS",
      normPlacement: "before",
      epsilon: numberOf(json, "layer_norm_epsilon", 1e-6),
      gatedMlp: isGated(json),
      attentionScale: 1,
      relativeBias: {
        buckets: countOf(json, "relative_attention_num_buckets", 32),
        maxDistance: countOf(json, "relative_attention_max_distance", 128),
      },
      encoder: { nLayers, startToken: numberOf(json, "decoder_start_token_id", 0) },
      ...((json.scale_decoder_outputs ?? tied) ? { logitScale: dModel ** -0.5 } : {}),
      tiedEmbeddings: tied,
      ...specialTokens(json),
      padToken: numberOf(json, "pad_token_id", 0),
    };
  },

  layout({ dModel, dMlp, dVocab, dHead, nHeads, gatedMlp, tiedEmbeddings }) {
    const norm = (at: string) => ({ weight: `${at}.layer_norm.weight` });
    const attention = (at: string): Pick<Block, "q" | "k" | "v" | "o"> => ({
      q: outIn(`${at}.q`, dModel, nHeads * dHead),
      k: outIn(`${at}.k`, dModel, nHeads * dHead),
      v: outIn(`${at}.v`, dModel, nHeads * dHead),
      o: outIn(`${at}.o`, nHeads * dHead, dModel),
    });
    const mlp = (at: string): DenseMlp => ({
      ...(gatedMlp ? { gate: outIn(`${at}.wi_0`, dModel, dMlp) } : {}),
      in: outIn(`${at}.${gatedMlp ? "wi_1" : "wi"}`, dModel, dMlp),
      out: outIn(`${at}.wo`, dMlp, dModel),
    });
    const self = (at: string): Pick<Block, "ln1" | "q" | "k" | "v" | "o"> => ({
      ln1: norm(`${at}.layer.0`),
      ...attention(`${at}.layer.0.SelfAttention`),
    });
    const table = (stack: string): string =>
      `${stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`;
    return {
      embed: "shared.weight",
      encoder: {
        block: (layer) => {
          const at = `encoder.block.${layer}`;
          return { ...self(at), ln2: norm(`${at}.layer.1`), mlp: mlp(`${at}.layer.1.DenseReluDense`) };
        },
        lnFinal: { weight: "encoder.final_layer_norm.weight" },
        relativeBias: table("encoder"),
      },
      block: (layer) => {
        const at = `decoder.block.${layer}`;
        return {
          ...self(at),
          cross: { norm: norm(`${at}.layer.1`), ...attention(`${at}.layer.1.EncDecAttention`) },
          ln2: norm(`${at}.layer.2`),
          mlp: mlp(`${at}.layer.2.DenseReluDense`),
        };
      },
      relativeBias: table("decoder"),
      lnFinal: { weight: "decoder.final_layer_norm.weight" },
      unembed: outIn(tiedEmbeddings ? "shared" : "lm_head", dModel, dVocab),
    };
  },
};
