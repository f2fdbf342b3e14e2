/** DistilBERT (Sanh et al. 2019): BERT without token types, and with a classifier on the first position itself. */

import type { Family } from "../family.js";
import {
  activations,
  countOf,
  evenShare,
  numberOf,
  oneOf,
  requireSettings,
  specialTokens,
} from "../hf-config.js";
import { encoderTask } from "./bert.js";
import { normOf, outIn } from "./layouts.js";

export const distilbert: Family = {
  modelTypes: ["distilbert"],
  heads: ["ForMaskedLM", "ForSequenceClassification"],
  prefix: "distilbert.",

  config(json) {
    // Sinusoidal positions are written into the table of positions when a model is made, so they read like learned ones.
    requireSettings(json, { is_decoder: false, add_cross_attention: false });
    const dModel = countOf(json, "dim");
    const nHeads = countOf(json, "n_heads");
    const dHead = evenShare(json, dModel, nHeads);
    return {
      family: "distilbert",
      ...encoderTask(json),
      nLayers: countOf(json, "n_layers"),
      nHeads,
      nKvHeads: nHeads,
      dModel,
      dHead,
      dMlp: countOf(json, "hidden_dim"),
      nCtx: countOf(json, "max_position_embeddings"),
      dVocab: countOf(json, "vocab_size"),
      actFn: oneOf(json, "activation", activations, "gelu"),
      normalization: "LN",
      normPlacement: "after",
      epsilon: 1e-12,
      gatedMlp: false,
      attentionScale: 1 / Math.sqrt(dHead),
      bidirectional: true,
      tiedEmbeddings: json.tie_word_embeddings !== false,
      ...specialTokens(json),
      padToken: numberOf(json, "pad_token_id", 0),
    };
  },

  layout({ dModel, dMlp, dVocab, labels, tiedEmbeddings }) {
    const linear = (name: string, dIn: number, dOut: number) => outIn(name, dIn, dOut, true);
    const embed = "distilbert.embeddings.word_embeddings";
    return {
      embed: `${embed}.weight`,
      positions: "distilbert.embeddings.position_embeddings.weight",
      embedNorm: normOf("distilbert.embeddings.LayerNorm"),
      block: (layer) => {
        const at = `distilbert.transformer.layer.${layer}`;
        const attention = (kind: string) => linear(`${at}.attention.${kind}_lin`, dModel, dModel);
        return {
          ln1: normOf(`${at}.sa_layer_norm`),
          ln2: normOf(`${at}.output_layer_norm`),
          q: attention("q"),
          k: attention("k"),
          v: attention("v"),
          o: attention("out"),
          mlp: { in: linear(`${at}.ffn.lin1`, dModel, dMlp), out: linear(`${at}.ffn.lin2`, dMlp, dModel) },
        };
      },
      ...(labels
        ? {
            classifier: {
              pooler: linear("pre_classifier", dModel, dModel),
              nonlinearity: "relu",
              out: linear("classifier", dModel, labels.length),
            },
          }
        : {
            transform: {
              dense: linear("vocab_transform", dModel, dModel),
              norm: normOf("vocab_layer_norm"),
            },
            unembed: {
              ...outIn(tiedEmbeddings ? embed : "vocab_projector", dModel, dVocab),
              bias: "vocab_projector.bias",
            },
          }),
    };
  },
};
