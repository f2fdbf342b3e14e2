/** Configurations of every family with few layers, odd sizes and settings drawn at random. */

import { type Random, randomGenerator } from "../../src/array/index.js";

type Json = Record<string, unknown>;

/** Draws for one configuration. */
class Draw {
  private readonly random: Random;

  constructor(seed: number) {
    this.random = randomGenerator(seed);
  }

  between(low: number, high: number): number {
    return low + this.random.integer(high - low + 1);
  }

  one<T>(...choices: T[]): T {
    return choices[this.random.integer(choices.length)]!;
  }

  layers(): number {
    return this.between(1, 3);
  }
}

const specials = { bos_token_id: null, eos_token_id: null, pad_token_id: 0, initializer_range: 0.3 };

/** Llama's words: any width, heads of an even width, keys and values shared by heads. */
function llamaLike(draw: Draw): Json {
  const keys = draw.between(1, 3);
  return {
    ...specials,
    hidden_size: draw.between(7, 21),
    intermediate_size: draw.between(5, 23),
    num_hidden_layers: draw.layers(),
    num_attention_heads: keys * draw.between(1, 3),
    num_key_value_heads: keys,
    head_dim: 2 * draw.between(1, 5),
    vocab_size: draw.between(11, 40),
    max_position_embeddings: 24,
    hidden_act: draw.one("silu", "gelu"),
    tie_word_embeddings: draw.one(true, false),
    rope_theta: draw.one(50, 10000),
  };
}

/** The same where the heads share the model's width. */
function evenHeads(draw: Draw, heads = draw.between(1, 4)): Json & { num_attention_heads: number } {
  const keys = heads % 2 === 0 ? draw.one(heads, heads / 2) : heads;
  const { head_dim, ...rest } = llamaLike(draw);
  return {
    ...rest,
    num_attention_heads: heads,
    num_key_value_heads: keys,
    hidden_size: heads * (head_dim as number) * 2,
  };
}

/** The words of GPT-2 and GPT-J. */
function gptLike(draw: Draw): Json {
  const heads = draw.between(1, 4);
  return {
    ...specials,
    n_embd: heads * 2 * draw.between(2, 4),
    n_head: heads,
    n_layer: draw.layers(),
    n_positions: 24,
    n_inner: draw.one(null, 13),
    vocab_size: draw.between(11, 40),
    activation_function: draw.one("gelu_new", "relu"),
  };
}

const layerTypes = (draw: Draw, count: number): string[] =>
  Array.from({ length: count }, () => draw.one("full_attention", "sliding_attention"));

const window = (draw: Draw): number => draw.between(2, 5);

/** A maker of configurations for each `model_type`. */
const makers: Readonly<Record<string, (draw: Draw) => Json>> = {
  gpt2: (draw) => ({ ...gptLike(draw), scale_attn_by_inverse_layer_idx: draw.one(true, false) }),
  gptj: (draw) => ({ ...gptLike(draw), rotary_dim: draw.one(2, 4) }),
  gpt_neo: (draw) => {
    const { n_embd, n_head, n_inner, vocab_size, activation_function } = gptLike(draw);
    const layers = draw.layers();
    return {
      ...specials,
      hidden_size: n_embd,
      num_heads: n_head,
      num_layers: layers,
      intermediate_size: n_inner,
      vocab_size,
      activation_function,
      max_position_embeddings: 24,
      window_size: window(draw),
      attention_layers: Array.from({ length: layers }, () => draw.one("global", "local")),
    };
  },
  gpt_neox: (draw) => ({
    ...evenHeads(draw),
    hidden_act: "gelu",
    rotary_pct: draw.one(0.5, 1),
    use_parallel_residual: draw.one(true, false),
    attention_bias: draw.one(true, false),
  }),
  opt: (draw) => ({
    ...evenHeads(draw),
    ffn_dim: draw.between(5, 23),
    word_embed_proj_dim: draw.one(undefined, 6),
    do_layer_norm_before: draw.one(true, false),
    enable_bias: draw.one(true, false),
    tie_word_embeddings: true,
  }),
  llama: (draw) => ({
    ...llamaLike(draw),
    attention_bias: draw.one(true, false),
    mlp_bias: draw.one(true, false),
  }),
  mistral: (draw) => ({ ...llamaLike(draw), sliding_window: draw.one(null, window(draw)) }),
  mixtral: (draw) => {
    const experts = draw.between(2, 5);
    return {
      ...llamaLike(draw),
      num_local_experts: experts,
      num_experts_per_tok: draw.between(1, experts),
      sliding_window: draw.one(null, window(draw)),
    };
  },
  gemma: (draw) => ({
    ...llamaLike(draw),
    hidden_activation: "gelu_pytorch_tanh",
    tie_word_embeddings: true,
  }),
  gemma2: (draw) => ({
    ...llamaLike(draw),
    hidden_activation: "gelu_pytorch_tanh",
    tie_word_embeddings: true,
    attn_logit_softcapping: draw.one(null, 3),
    final_logit_softcapping: draw.one(null, 2),
    query_pre_attn_scalar: draw.between(3, 9),
    sliding_window: window(draw),
  }),
  gemma3_text: (draw) => {
    const json = llamaLike(draw);
    return {
      ...json,
      hidden_activation: "gelu_pytorch_tanh",
      tie_word_embeddings: true,
      query_pre_attn_scalar: draw.between(3, 9),
      sliding_window: window(draw),
      layer_types: layerTypes(draw, json.num_hidden_layers as number),
      rope_local_base_freq: 30,
    };
  },
  qwen2: (draw) => {
    const json = evenHeads(draw);
    return {
      ...json,
      use_sliding_window: draw.one(true, false),
      max_window_layers: 1,
      sliding_window: window(draw),
    };
  },
  qwen3: (draw) => ({ ...llamaLike(draw), attention_bias: draw.one(true, false) }),
  phi: (draw) => ({ ...evenHeads(draw), hidden_act: "gelu_new", partial_rotary_factor: draw.one(0.5, 1) }),
  phi3: (draw) => ({ ...evenHeads(draw), sliding_window: draw.one(null, window(draw)) }),
  olmo2: (draw) => ({ ...evenHeads(draw), attention_bias: draw.one(true, false) }),
  falcon: (draw) => ({
    ...evenHeads(draw, draw.one(2, 4)),
    num_kv_heads: 2,
    activation: "gelu",
    ffn_hidden_size: draw.between(5, 23),
    bias: draw.one(true, false),
    parallel_attn: draw.one(true, false),
    multi_query: draw.one(true, false),
    new_decoder_architecture: draw.one(true, false),
    num_ln_in_parallel_attn: draw.one(1, 2),
  }),
  bloom: (draw) => {
    const heads = draw.between(1, 6);
    const { vocab_size } = llamaLike(draw);
    return {
      ...specials,
      hidden_size: heads * 4,
      n_head: heads,
      n_layer: draw.layers(),
      vocab_size,
      seq_length: 24,
    };
  },
  granite: (draw) => ({
    ...evenHeads(draw),
    embedding_multiplier: 3,
    attention_multiplier: 0.3,
    residual_multiplier: 0.7,
    logits_scaling: 1.5,
  }),
  stablelm: (draw) => ({
    ...evenHeads(draw),
    partial_rotary_factor: draw.one(0.5, 1),
    use_parallel_residual: draw.one(true, false),
    use_qkv_bias: draw.one(true, false),
  }),
  t5: (draw) => ({
    ...specials,
    d_model: draw.between(5, 15),
    d_kv: draw.between(2, 6),
    d_ff: draw.between(5, 15),
    num_heads: draw.between(1, 3),
    num_layers: draw.layers(),
    num_decoder_layers: draw.layers(),
    vocab_size: draw.between(11, 40),
    relative_attention_num_buckets: 2 * draw.one(2, 4, 6),
    relative_attention_max_distance: draw.between(7, 12),
    feed_forward_proj: draw.one("relu", "gated-gelu"),
    tie_word_embeddings: draw.one(true, false),
    decoder_start_token_id: 0,
  }),
  mamba: (draw) => {
    const { vocab_size } = llamaLike(draw);
    return {
      ...specials,
      hidden_size: draw.between(5, 13),
      intermediate_size: draw.between(5, 13),
      num_hidden_layers: draw.layers(),
      state_size: draw.between(2, 5),
      time_step_rank: draw.one<string | number>("auto", 2),
      conv_kernel: draw.between(2, 5),
      use_conv_bias: draw.one(true, false),
      vocab_size,
    };
  },
  bert: (draw) => ({
    ...evenHeads(draw),
    hidden_act: "gelu",
    type_vocab_size: 2,
    tie_word_embeddings: true,
    architectures: [draw.one("BertForMaskedLM", "BertForSequenceClassification")],
    id2label: { 0: "a", 1: "b", 2: "c" },
  }),
  distilbert: (draw) => {
    const heads = draw.between(1, 3);
    return {
      ...specials,
      dim: heads * draw.between(2, 5),
      n_heads: heads,
      n_layers: draw.layers(),
      hidden_dim: draw.between(5, 23),
      max_position_embeddings: 24,
      vocab_size: draw.between(11, 40),
      activation: draw.one("gelu", "relu"),
      architectures: [draw.one("DistilBertForMaskedLM", "DistilBertForSequenceClassification")],
    };
  },
};

/** The `model_type` of every family that random configurations are made of. */
export const randomFamilies: readonly string[] = Object.keys(makers);

/** A configuration of a family. */
export function randomConfig(modelType: string, seed: number): Json {
  return { model_type: modelType, ...makers[modelType]!(new Draw(seed)) };
}
