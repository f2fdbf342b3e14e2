/** What runs of a model are asked for, and what they give. */

import type { AnyTensor, Tensor } from "../array/index.js";
import type * as g from "../graph/index.js";
import type { ActivationCache } from "./cache.js";
import type { Edit } from "./edits.js";
import type { Hook } from "./hooks.js";
import type { ModelInput } from "./input.js";
import type { PointFilter, PointName } from "./names.js";

/** Options that every run takes. */
export interface RunOptions {
  /** Changes of values while the model runs. */
  readonly edits?: readonly Edit[];
  /** 1 at tokens and 0 at padding, `[batch][pos]`; inputs of unequal lengths are padded without being asked. */
  readonly attentionMask?: readonly (readonly number[])[] | AnyTensor;
  /**
   * The type (segment) of each token, `[batch][pos]`, for models that have token types, such as BERT; all 0 by default.
   */
  readonly tokenTypes?: readonly (readonly number[])[] | AnyTensor;
  /**
   * What the decoder of a model of two stacks, such as T5, has written so far, its start token in front (a text gets one);
   * the start token alone by default. The logits, metrics and losses are of these tokens.
   */
  readonly decoderInput?: ModelInput;
  /** Ends the work. */
  readonly signal?: AbortSignal;
}

/** Options of `forward`. */
export interface ForwardOptions extends RunOptions {
  /** `"last"` gives the logits of the last position only, `[batch, 1, dVocab]`, and is faster by what that saves. */
  readonly logits?: "all" | "last";
}

/** Options of `runWithCache`. */
export interface CacheOptions extends RunOptions {
  /** The points to keep; all by default. */
  readonly names?: PointFilter;
  /** JavaScript functions called at points; the cache has the values that they leave. */
  readonly hooks?: readonly (readonly [PointName, Hook])[];
  /** Stop before this block: no later point, and no logits. */
  readonly stopAtLayer?: number;
  /** Which logits to compute; `"all"` by default, `"none"` with `stopAtLayer`. */
  readonly logits?: "all" | "last" | "none";
}

/** A run's logits, where they were asked for, and the values that it kept. */
export interface CachedRun {
  /** `[batch, pos, dVocab]`; `[batch, labels]` of a classifier. */
  readonly logits: Tensor;
  readonly cache: ActivationCache;
}

/** What `compute` builds from. */
export interface ComputeScope {
  /** `[batch, pos, dVocab]`; `[batch, labels]` of a classifier. */
  readonly logits: g.Value;
  /** The value at a point. */
  readonly point: (name: PointName) => g.Value;
  /** Logits of a residual stream by the model's final norm and unembedding. */
  readonly unembed: (residual: g.Value) => g.Value;
}
