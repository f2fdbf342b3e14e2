/** OPT (Zhang et al. 2022): learned positions whose table begins two rows late, ReLU; one size has its norms after the sums. */

import type { Family } from "../family.js";
import { activations, countOf, evenShare, oneOf, requireSettings, specialTokens } from "../hf-config.js";
import { normOf, outIn } from "./layouts.js";

export const opt: Family = {
  modelTypes: ["opt"],
  heads: ["ForCausalLM"],
  prefix: "model.",

  config(json) {
    requireSettings(json, { layer_norm_elementwise_affine: true });
    const dModel = countOf(json, "hidden_size");
    const nHeads = countOf(json, "num_attention_heads");
    const dHead = evenShare(json, dModel, nHeads);
    const dEmbed = countOf(json, "word_embed_proj_dim", dModel);
    return {
      family: "opt",
      task: "nextToken",
      nLayers: countOf(json, "num_hidden_layers"),
      nHeads,
      nKvHeads: nHeads,
      dModel,
      dHead,
      ...(dEmbed === dModel ? {} : { dEmbed }),
      dMlp: countOf(json, "ffn_dim"),
      nCtx: countOf(json, "max_position_embeddings"),
      positionOffset: 2,
      dVocab: countOf(json, "vocab_size"),
      actFn: oneOf(json, "activation_function", activations, "relu"),
      normalization: "LN",
      normPlacement: json.do_layer_norm_before === false ? "after" : "before",
      epsilon: 1e-5,
      gatedMlp: false,
      attentionScale: 1 / Math.sqrt(dHead),
      tiedEmbeddings: json.tie_word_embeddings !== false,
      ...specialTokens(json),
    };
  },

  layout({ dModel, dMlp, dVocab, dEmbed, normPlacement, tiedEmbeddings }, json) {
    const bias = json.enable_bias !== false;
    const decoder = "model.decoder";
    return {
      embed: `${decoder}.embed_tokens.weight`,
      positions: `${decoder}.embed_positions.weight`,
      ...(dEmbed
        ? {
            embedProjection: outIn(`${decoder}.project_in`, dEmbed, dModel),
            unembedProjection: outIn(`${decoder}.project_out`, dModel, dEmbed),
          }
        : {}),
      block: (layer) => {
        const at = `${decoder}.layers.${layer}`;
        const attention = (name: string) => outIn(`${at}.self_attn.${name}_proj`, dModel, dModel, bias);
        return {
          ln1: normOf(`${at}.self_attn_layer_norm`),
          ln2: normOf(`${at}.final_layer_norm`),
          q: attention("q"),
          k: attention("k"),
          v: attention("v"),
          o: attention("out"),
          mlp: { in: outIn(`${at}.fc1`, dModel, dMlp, bias), out: outIn(`${at}.fc2`, dMlp, dModel, bias) },
        };
      },
      ...(normPlacement === "before" && json._remove_final_layer_norm !== true
        ? { lnFinal: normOf(`${decoder}.final_layer_norm`) }
        : {}),
      unembed: outIn(tiedEmbeddings ? `${decoder}.embed_tokens` : "lm_head", dEmbed ?? dModel, dVocab),
    };
  },
};
