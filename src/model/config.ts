/** What a model is made like, in terms that all families share. */

/** How the wavelengths of rotary positions are stretched for long contexts. */
export type RotaryScaling =
  | { readonly kind: "linear"; readonly factor: number }
  /** Llama 3's, by the names of its configuration. */
  | {
      readonly kind: "llama3";
      readonly factor: number;
      readonly lowFreqFactor: number;
      readonly highFreqFactor: number;
      readonly originalContext: number;
    }
  /** YaRN (Peng et al. 2023): from dimension pair `from` to `to` the frequencies go over to the slowed ones. */
  | { readonly kind: "yarn"; readonly factor: number; readonly from: number; readonly to: number };

/** Rotary position embedding. */
export interface RotaryConfig {
  /** The base of the wavelengths (`rope_theta`). */
  readonly base: number;
  /** How many of a head's dimensions are rotated. */
  readonly dim: number;
  /** Which dimensions turn together: `i` and `i + dim/2`, or `2i` and `2i + 1`. */
  readonly pairs?: "halves" | "adjacent";
  /** Rescaling of wavelengths, where the model has it. */
  readonly scaling?: RotaryScaling;
  /** What each frequency is divided by (LongRoPE, Ding et al. 2024). */
  readonly divisors?: readonly number[];
  /** The divisors of runs with more than `from` positions. */
  readonly long?: { readonly from: number; readonly divisors: readonly number[] };
  /** What cosines and sines are multiplied by; 1 by default. */
  readonly factor?: number;
}

/** A model's sizes and choices. */
export interface ModelConfig {
  /** The family's name, such as `"gpt2"`. */
  readonly family: string;
  /**
   * What its logits are of: the next token of a text, masked tokens anywhere in it, or classes of the whole text (then
   * `labels` names them).
   */
  readonly task: "nextToken" | "maskedToken" | "classification";
  /** The names of a classifier's classes. */
  readonly labels?: readonly string[];
  /** Transformer blocks. */
  readonly nLayers: number;
  /** Attention heads in each block. */
  readonly nHeads: number;
  /** Heads of keys and values; fewer than `nHeads` in grouped-query attention. */
  readonly nKvHeads: number;
  /** Width of the residual stream. */
  readonly dModel: number;
  /** Width of a head. */
  readonly dHead: number;
  /** Width of an MLP's hidden layer. */
  readonly dMlp: number;
  /** The longest context, in tokens. */
  readonly nCtx: number;
  /** Entries of the vocabulary. */
  readonly dVocab: number;
  /** The MLP's nonlinearity. */
  readonly actFn: "gelu" | "gelu_new" | "silu" | "relu" | "tanh";
  /** Layer norm or RMS norm. */
  readonly normalization: "LN" | "RMS";
  /**
   * Where a block's norms act: on what attention and MLP read (`before`), on what they add (`branch`), or on the residual
   * stream after they added it (`after`).
   */
  readonly normPlacement: "before" | "branch" | "after";
  /** What the norm adds to the variance. */
  readonly epsilon: number;
  /** What is added to a norm's stored weight; 0 by default. */
  readonly normOffset?: number;
  /** Whether attention and MLP read the same residual stream, and both are added to it. */
  readonly parallel?: boolean;
  /** Whether the MLP multiplies two branches. */
  readonly gatedMlp: boolean;
  /** How many experts an MLP has, and how many of them a token uses. */
  readonly experts?: { readonly count: number; readonly perToken: number };
  /**
   * The sizes of a state-space model, which has no attention: channels, numbers in each channel's state, the rank of the
   * map to time steps, and positions that a convolution sees.
   */
  readonly stateSpace?: {
    readonly dInner: number;
    readonly dState: number;
    readonly dtRank: number;
    readonly kernel: number;
  };
  /** What attention scores are multiplied by. */
  readonly attentionScale: number;
  /** Whether layer `l` divides its scores by `l + 1` too. */
  readonly scoresScaledByLayer?: boolean;
  /** Attention scores are held within ± this by a hyperbolic tangent. */
  readonly scoreCap?: number;
  /** Whether a position sees those after it too. */
  readonly bidirectional?: boolean;
  /** Layers that are local see so many positions, their own among them; all layers, where `localLayers` is missing. */
  readonly window?: number;
  /** Which layers are local. */
  readonly localLayers?: readonly boolean[];
  /** Rotary positions; learned ones or ALiBi where this is missing. */
  readonly rotary?: RotaryConfig;
  /** Rotary positions of local layers, where they differ. */
  readonly localRotary?: RotaryConfig;
  /** Biases of attention scores by distance: how many buckets of distances, and where the last begins. */
  readonly relativeBias?: { readonly buckets: number; readonly maxDistance: number };
  /** The encoder of a model of two stacks: its blocks, and the token that the decoder begins with. */
  readonly encoder?: { readonly nLayers: number; readonly startToken: number };
  /** ALiBi's slope for each head. */
  readonly alibi?: readonly number[];
  /** The row of the first position in the table of learned positions; 0 by default. */
  readonly positionOffset?: number;
  /** Width of the embeddings, where it is not `dModel`. */
  readonly dEmbed?: number;
  /** What embeddings are multiplied by. */
  readonly embeddingScale?: number;
  /** What attention and MLP are multiplied by before they are added. */
  readonly residualScale?: number;
  /** What logits are multiplied by. */
  readonly logitScale?: number;
  /** Logits are held within ± this by a hyperbolic tangent. */
  readonly logitCap?: number;
  /** Kinds of token types (segments), where the family has them. */
  readonly tokenTypes?: number;
  /** Whether the unembedding is the embedding. */
  readonly tiedEmbeddings: boolean;
  /** The token that begins a text, where the model has one. */
  readonly bosToken?: number;
  /** The tokens that end a text. */
  readonly eosTokens: readonly number[];
  /** The token that fills padded places. */
  readonly padToken?: number;
}
export type { HfConfig } from "./hf-config.js";
