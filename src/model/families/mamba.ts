/** Mamba (Gu & Dao 2023): a state space in the place of attention and MLP. */

import type { Family } from "../family.js";
import { activations, countOf, numberOf, oneOf, specialTokens } from "../hf-config.js";
import { outIn } from "./layouts.js";

export const mamba: Family = {
  modelTypes: ["mamba"],
  heads: ["ForCausalLM", "LMHeadModel"],
  prefix: "backbone.",

  config(json) {
    const dModel = countOf(json, "hidden_size");
    const dInner = countOf(json, "intermediate_size", dModel * numberOf(json, "expand", 2));
    const rank = json.time_step_rank === "auto" ? Math.ceil(dModel / 16) : countOf(json, "time_step_rank");
    return {
      family: "mamba",
      task: "nextToken",
      nLayers: countOf(json, "num_hidden_layers"),
      nHeads: 0,
      nKvHeads: 0,
      dModel,
      dHead: 0,
      dMlp: 0,
      // Nothing in the model ends its context; this is the length that the published ones were trained on.
      nCtx: countOf(json, "max_position_embeddings", 2048),
      dVocab: countOf(json, "vocab_size"),
      actFn: oneOf(json, "hidden_act", activations, "silu"),
      normalization: "RMS",
      normPlacement: "before",
      epsilon: numberOf(json, "layer_norm_epsilon", 1e-5),
      gatedMlp: false,
      attentionScale: 1,
      stateSpace: {
        dInner,
        dState: countOf(json, "state_size", 16),
        dtRank: rank,
        kernel: countOf(json, "conv_kernel", 4),
      },
      tiedEmbeddings: json.tie_word_embeddings !== false,
      ...specialTokens(json),
    };
  },

  layout({ dModel, dVocab, stateSpace, tiedEmbeddings }, json) {
    const { dInner, dState, dtRank } = stateSpace!;
    const bias = json.use_bias === true;
    return {
      embed: "backbone.embeddings.weight",
      block: () => {
        throw new Error(
          "Mamba has state spaces in the place of attention, so its blocks have none of its weights.",
        );
      },
      stateSpace: (layer) => {
        const at = `backbone.layers.${layer}`;
        return {
          norm: { weight: `${at}.norm.weight` },
          inProj: outIn(`${at}.mixer.in_proj`, dModel, 2 * dInner, bias),
          conv: {
            weight: `${at}.mixer.conv1d.weight`,
            ...(json.use_conv_bias === false ? {} : { bias: `${at}.mixer.conv1d.bias` }),
          },
          xProj: outIn(`${at}.mixer.x_proj`, dInner, dtRank + 2 * dState),
          dtProj: outIn(`${at}.mixer.dt_proj`, dtRank, dInner, true),
          aLog: `${at}.mixer.A_log`,
          d: `${at}.mixer.D`,
          outProj: outIn(`${at}.mixer.out_proj`, dInner, dModel, bias),
        };
      },
      lnFinal: { weight: "backbone.norm_f.weight" },
      unembed: outIn(tiedEmbeddings ? "backbone.embeddings" : "lm_head", dModel, dVocab),
    };
  },
};
