/**
 * Small transformers for study, in the terms of "A Mathematical Framework for Transformer Circuits" (Elhage et al. 2021)
 * and of compiled programs (Lindner et al. 2023, "Tracr"): with or without MLPs, norms and biases, causal or not, and
 * with heads of any width.
 */

import type { Family, Linear } from "../family.js";
import { activations, countOf, numberOf, oneOf, specialTokens } from "../hf-config.js";

export const toy: Family = {
  modelTypes: ["toy_transformer"],
  heads: ["ToyTransformer"],
  prefix: "",

  config(json) {
    const dHead = countOf(json, "d_head");
    const nHeads = countOf(json, "n_heads");
    return {
      family: "toy_transformer",
      task: "nextToken",
      nLayers: countOf(json, "n_layers"),
      nHeads,
      nKvHeads: nHeads,
      dModel: countOf(json, "d_model"),
      dHead,
      dMlp: json.attn_only === true ? 0 : countOf(json, "d_mlp"),
      nCtx: countOf(json, "n_ctx"),
      dVocab: countOf(json, "d_vocab"),
      actFn: oneOf(json, "act_fn", activations, "gelu_new"),
      normalization: "LN",
      normPlacement: "before",
      epsilon: numberOf(json, "eps", 1e-5),
      gatedMlp: false,
      attentionScale: numberOf(json, "attention_scale", 1 / Math.sqrt(dHead)),
      bidirectional: json.bidirectional === true,
      tiedEmbeddings: false,
      ...specialTokens(json),
    };
  },

  layout({ dModel, dHead, nHeads, dMlp, dVocab }, json) {
    const biased = json.biases !== false;
    const linear = (name: string, dIn: number, dOut: number): Linear => ({
      weight: `${name}.weight`,
      ...(biased ? { bias: `${name}.bias` } : {}),
      layout: "inOut",
      dIn,
      dOut,
    });
    const norm = (name: string) =>
      json.normalization === null ? undefined : { weight: `${name}.weight`, bias: `${name}.bias` };
    const dHeads = nHeads * dHead;
    return {
      embed: "embed.weight",
      positions: "pos_embed.weight",
      block: (layer) => {
        const at = `blocks.${layer}`;
        return {
          ln1: norm(`${at}.ln1`),
          q: linear(`${at}.attn.q`, dModel, dHeads),
          k: linear(`${at}.attn.k`, dModel, dHeads),
          v: linear(`${at}.attn.v`, dModel, dHeads),
          o: linear(`${at}.attn.o`, dHeads, dModel),
          ...(dMlp > 0
            ? {
                ln2: norm(`${at}.ln2`),
                mlp: { in: linear(`${at}.mlp.in`, dModel, dMlp), out: linear(`${at}.mlp.out`, dMlp, dModel) },
              }
            : {}),
        };
      },
      lnFinal: norm("ln_final"),
      unembed: linear("unembed", dModel, countOf(json, "d_vocab_out", dVocab)),
    };
  },
};
