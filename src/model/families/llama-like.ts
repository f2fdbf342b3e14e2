/** What Llama and its many relatives have in common; each family's file says where it differs. */

import type { ModelConfig } from "../config.js";
import type { Block, DenseMlp, ExpertMlp, Layout, Norm } from "../family.js";
import {
  activations,
  countOf,
  evenShare,
  type HfConfig,
  localLayersOf,
  numberOf,
  oneOf,
  rotaryOf,
  specialTokens,
} from "../hf-config.js";
import { outIn, stacked } from "./layouts.js";

/** Reads a configuration in Llama's words. */
export function llamaLikeConfig(json: HfConfig, family: string): ModelConfig {
  const dModel = countOf(json, "hidden_size");
  const nHeads = countOf(json, "num_attention_heads");
  const nKvHeads = countOf(json, "num_key_value_heads", nHeads);
  const dHead = json.head_dim ? countOf(json, "head_dim") : evenShare(json, dModel, nHeads);
  if (nHeads % nKvHeads !== 0)
    throw new Error(
      `config.json: ${nHeads} heads cannot be shared out evenly among ${nKvHeads} key-value heads.`,
    );
  return {
    family,
    task: "nextToken",
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
    normPlacement: "before",
    epsilon: numberOf(json, "rms_norm_eps", 1e-6),
    gatedMlp: true,
    attentionScale: 1 / Math.sqrt(dHead),
    rotary: rotaryOf(json, dHead),
    tiedEmbeddings: json.tie_word_embeddings === true,
    ...specialTokens(json),
  };
}

/** The window of local layers: those of `layer_types`, or all where the configuration names none. */
export function slidingWindow(json: HfConfig, nLayers: number): Pick<ModelConfig, "window" | "localLayers"> {
  if (json.sliding_window === null || json.sliding_window === undefined) return {};
  const localLayers = localLayersOf(json, nLayers);
  if (localLayers?.every((local) => !local)) return {};
  return { window: countOf(json, "sliding_window"), localLayers };
}

/** The names in which relatives of Llama differ. */
export interface LlamaLikeNames {
  /** Biases of q, k and v; of the output; of the MLP. None by default. */
  readonly biases?: {
    readonly qkv?: boolean;
    readonly o?: boolean;
    readonly mlp?: boolean;
    readonly norm?: boolean;
  };
  /** The norms of a block, by their names. */
  readonly norms?: Partial<Record<"ln1" | "ln2" | "ln1Post" | "ln2Post", string>>;
  /** Norms of queries and keys: of each head, or of all together. */
  readonly qkNorm?: "head" | "all";
  /** The MLP of a block, where it is not Llama's. */
  readonly mlp?: (at: string) => DenseMlp | ExpertMlp;
  /** q, k and v in one matrix of this name. */
  readonly qkv?: string;
}

/** Where Llama's weights are, with a family's differences. */
export function llamaLikeLayout(config: ModelConfig, names: LlamaLikeNames = {}): Layout {
  const { dModel, dMlp, dVocab, dHead, nHeads, nKvHeads, tiedEmbeddings } = config;
  const { biases = {}, qkNorm } = names;
  const { norms = { ln1: "input_layernorm", ln2: "post_attention_layernorm" } } = names;
  const norm = (name: string, size?: number): Norm => ({
    weight: `${name}.weight`,
    ...(biases.norm ? { bias: `${name}.bias` } : {}),
    ...(size === undefined ? {} : { size }),
  });
  const widths = [nHeads, nKvHeads, nKvHeads].map((heads) => heads * dHead);
  const block = (layer: number): Block => {
    const at = `model.layers.${layer}`;
    const attention = `${at}.self_attn`;
    const whole =
      names.qkv === undefined
        ? undefined
        : outIn(
            `${attention}.${names.qkv}`,
            dModel,
            widths.reduce((a, b) => a + b),
            biases.qkv,
          );
    const [q, k, v] = whole
      ? stacked(whole, widths)
      : ["q", "k", "v"].map((kind, i) => outIn(`${attention}.${kind}_proj`, dModel, widths[i]!, biases.qkv));
    const ofHeads = (heads: number): number => (qkNorm === "head" ? dHead : heads * dHead);
    return {
      ...Object.fromEntries(Object.entries(norms).map(([place, name]) => [place, norm(`${at}.${name}`)])),
      q: q!,
      k: k!,
      v: v!,
      ...(whole ? { qkv: whole } : {}),
      ...(qkNorm
        ? {
            qNorm: { weight: `${attention}.q_norm.weight`, size: ofHeads(nHeads) },
            kNorm: { weight: `${attention}.k_norm.weight`, size: ofHeads(nKvHeads) },
          }
        : {}),
      o: outIn(`${attention}.o_proj`, nHeads * dHead, dModel, biases.o),
      mlp: names.mlp?.(`${at}.mlp`) ?? {
        gate: outIn(`${at}.mlp.gate_proj`, dModel, dMlp, biases.mlp),
        in: outIn(`${at}.mlp.up_proj`, dModel, dMlp, biases.mlp),
        out: outIn(`${at}.mlp.down_proj`, dMlp, dModel, biases.mlp),
      },
    };
  };
  return {
    embed: "model.embed_tokens.weight",
    block,
    lnFinal: norm("model.norm"),
    unembed: outIn(tiedEmbeddings ? "model.embed_tokens" : "lm_head", dModel, dVocab),
  };
}
