/** BERT (Devlin et al. 2019): an encoder with learned positions, token types, and norms after each sum. */

import type { ModelConfig } from "../config.js";
import type { Family } from "../family.js";
import {
  activations,
  countOf,
  evenShare,
  type HfConfig,
  labelsOf,
  numberOf,
  oneOf,
  requireSettings,
  specialTokens,
} from "../hf-config.js";
import { normOf, outIn } from "./layouts.js";

/** Whether the model that a configuration is of classifies; else it fills in masked tokens. */
export function encoderTask(json: HfConfig): Pick<ModelConfig, "task" | "labels"> {
  const [architecture] = (json.architectures as unknown[] | undefined) ?? [];
  return String(architecture).endsWith("ForSequenceClassification")
    ? { task: "classification", labels: labelsOf(json) }
    : { task: "maskedToken" };
}

export const bert: Family = {
  modelTypes: ["bert"],
  heads: ["ForMaskedLM", "ForPreTraining", "ForSequenceClassification"],
  prefix: "bert.",

  config(json) {
    requireSettings(json, {
      is_decoder: false,
      add_cross_attention: false,
      position_embedding_type: "absolute",
    });
    const dModel = countOf(json, "hidden_size");
    const nHeads = countOf(json, "num_attention_heads");
    const dHead = evenShare(json, dModel, nHeads);
    return {
      family: "bert",
      ...encoderTask(json),
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
      normPlacement: "after",
      epsilon: numberOf(json, "layer_norm_eps", 1e-12),
      gatedMlp: false,
      attentionScale: 1 / Math.sqrt(dHead),
      bidirectional: true,
      tokenTypes: countOf(json, "type_vocab_size", 2),
      tiedEmbeddings: json.tie_word_embeddings !== false,
      ...specialTokens(json),
      padToken: numberOf(json, "pad_token_id", 0),
    };
  },

  layout({ dModel, dMlp, dVocab, labels, tiedEmbeddings }) {
    const linear = (name: string, dIn: number, dOut: number) => outIn(name, dIn, dOut, true);
    const embed = "bert.embeddings.word_embeddings";
    const predictions = "cls.predictions";
    return {
      embed: `${embed}.weight`,
      positions: "bert.embeddings.position_embeddings.weight",
      tokenTypes: "bert.embeddings.token_type_embeddings.weight",
      embedNorm: normOf("bert.embeddings.LayerNorm"),
      block: (layer) => {
        const at = `bert.encoder.layer.${layer}`;
        const attention = (kind: string) => linear(`${at}.attention.self.${kind}`, dModel, dModel);
        return {
          ln1: normOf(`${at}.attention.output.LayerNorm`),
          ln2: normOf(`${at}.output.LayerNorm`),
          q: attention("query"),
          k: attention("key"),
          v: attention("value"),
          o: linear(`${at}.attention.output.dense`, dModel, dModel),
          mlp: {
            in: linear(`${at}.intermediate.dense`, dModel, dMlp),
            out: linear(`${at}.output.dense`, dMlp, dModel),
          },
        };
      },
      ...(labels
        ? {
            classifier: {
              pooler: linear("bert.pooler.dense", dModel, dModel),
              nonlinearity: "tanh",
              out: linear("classifier", dModel, labels.length),
            },
          }
        : {
            transform: {
              dense: linear(`${predictions}.transform.dense`, dModel, dModel),
              norm: normOf(`${predictions}.transform.LayerNorm`),
            },
            unembed: tiedEmbeddings
              ? { ...outIn(embed, dModel, dVocab), bias: `${predictions}.bias` }
              : outIn(`${predictions}.decoder`, dModel, dVocab, true),
          }),
    };
  },
};
