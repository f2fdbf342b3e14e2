/** Llama 1–3 (Touvron et al. 2023): rotary positions, RMS norm, gated MLP, grouped-query attention. */

import {
  activations,
  countOf,
  type HfConfig,
  type Llama3Scaling,
  numberOf,
  oneOf,
  type RotaryConfig,
  tokenIds,
} from "../config.js";
import type { Family, Linear } from "../family.js";

/** Rotary settings as transformers writes them: `rope_parameters` now, `rope_theta` and `rope_scaling` before. */
function rotary(json: HfConfig, dim: number): RotaryConfig {
  const rope = (json.rope_parameters ?? json.rope_scaling ?? {}) as HfConfig;
  const type = (rope.rope_type ?? rope.type ?? "default") as string;
  const base = numberOf(rope, "rope_theta", numberOf(json, "rope_theta", 10000));
  if (type === "default") return { base, dim };
  if (type !== "llama3")
    throw new Error(`config.json: rope scaling of type "${type}" is not supported; known is "llama3".`);
  const scaling: Llama3Scaling = {
    factor: numberOf(rope, "factor"),
    lowFreqFactor: numberOf(rope, "low_freq_factor"),
    highFreqFactor: numberOf(rope, "high_freq_factor"),
    originalContext: numberOf(rope, "original_max_position_embeddings"),
  };
  return { base, dim, scaling };
}

export const llama: Family = {
  modelTypes: ["llama"],
  prefix: "model.",

  config(json) {
    const dModel = countOf(json, "hidden_size");
    const nHeads = countOf(json, "num_attention_heads");
    const nKvHeads = countOf(json, "num_key_value_heads", nHeads);
    const dHead = countOf(json, "head_dim", dModel / nHeads);
    if (nHeads % nKvHeads !== 0)
      throw new Error(
        `config.json: ${nHeads} heads cannot be shared out evenly among ${nKvHeads} key-value heads.`,
      );
    if (json.attention_bias || json.mlp_bias)
      throw new Error("config.json: Llama with biases is not supported.");
    return {
      family: "llama",
      nLayers: countOf(json, "num_hidden_layers"),
      nHeads,
      nKvHeads,
      dModel,
      dHead,
      dMlp: countOf(json, "intermediate_size"),
      nCtx: countOf(json, "max_position_embeddings"),
      dVocab: countOf(json, "vocab_size"),
      actFn: oneOf(json, "hidden_act", activations, "silu"),
      normalization: "RMS",
      epsilon: numberOf(json, "rms_norm_eps", 1e-6),
      gatedMlp: true,
      attentionScale: 1 / Math.sqrt(dHead),
      rotary: rotary(json, dHead),
      tiedEmbeddings: json.tie_word_embeddings === true,
      bosToken: tokenIds(json.bos_token_id)[0],
      eosTokens: tokenIds(json.eos_token_id),
    };
  },

  layout({ dModel, dMlp, dVocab, dHead, nHeads, nKvHeads, tiedEmbeddings }) {
    const linear = (name: string, dIn: number, dOut: number): Linear => ({
      weight: `${name}.weight`,
      layout: "outIn",
      dIn,
      dOut,
    });
    return {
      embed: "model.embed_tokens.weight",
      block: (layer) => {
        const at = `model.layers.${layer}`;
        return {
          ln1: { weight: `${at}.input_layernorm.weight` },
          ln2: { weight: `${at}.post_attention_layernorm.weight` },
          q: linear(`${at}.self_attn.q_proj`, dModel, nHeads * dHead),
          k: linear(`${at}.self_attn.k_proj`, dModel, nKvHeads * dHead),
          v: linear(`${at}.self_attn.v_proj`, dModel, nKvHeads * dHead),
          o: linear(`${at}.self_attn.o_proj`, nHeads * dHead, dModel),
          mlp: {
            gate: linear(`${at}.mlp.gate_proj`, dModel, dMlp),
            in: linear(`${at}.mlp.up_proj`, dModel, dMlp),
            out: linear(`${at}.mlp.down_proj`, dMlp, dModel),
          },
        };
      },
      lnFinal: { weight: "model.norm.weight" },
      unembed: linear(tiedEmbeddings ? "model.embed_tokens" : "lm_head", dModel, dVocab),
    };
  },
};
