/** What the parts of a model's graph are built from. */

import type { Value } from "../../graph/index.js";
import type { ModelConfig } from "../config.js";
import type { Layout } from "../family.js";

/** How the graph is fed and what it is to hold. */
export interface GraphOptions {
  /** Names of points that someone wants to see, edit or differentiate. */
  readonly wants: (name: string) => boolean;
  /** There is an `attentionMask` `[batch, total]`, 1 at tokens and 0 at padding. */
  readonly padded?: boolean;
  /** Keys and values of earlier positions are fed, and those of the new ones are given back. */
  readonly cached?: boolean;
  /** Logits of the last position only. */
  readonly last?: boolean;
}

/** The types of parameters as the files have them. */
export type ParameterType = (name: string) => Value;

/** What is known while a model's graph is built. */
export interface Context {
  readonly config: ModelConfig;
  readonly layout: Layout;
  readonly parameter: ParameterType;
  readonly options: GraphOptions;
  /** The dimension of the positions of this run: `pos`, or `source` in the encoder of two stacks. */
  readonly pos: string;
  /** The dimension of all positions, those remembered and those of this run. */
  readonly total: string;
  /** What the names of points outside of blocks begin with: nothing, or the name of one of two stacks. */
  readonly stack: "" | "encoder." | "decoder.";
  /** What the names of points of a block begin with. */
  readonly at: (layer: number) => string;
  /** What the encoder made of the source `[batch, source, dModel]`, and what is added to scores of its positions. */
  readonly source?: { readonly value: Value; readonly bias: Value };
  /** Token ids, `[batch, pos]`. */
  readonly tokens: Value;
  /** The position of each token, `[batch, pos]`. */
  readonly positions: Value;
  /** 1 at tokens and 0 at padding, `[batch, total]`, where the run has padding. */
  readonly mask?: Value;
  /** Outputs beside the logits: keys and values to remember, and points that nothing is made from. */
  readonly outputs: Record<string, Value>;
}

/** Axes of the values at points. */
export const RESIDUAL: readonly string[] = ["batch", "pos", "dModel"];
export const HEADS: readonly string[] = ["batch", "pos", "head", "dHead"];
export const HEAD_RESIDUAL: readonly string[] = ["batch", "pos", "head", "dModel"];
export const MAP: readonly string[] = ["batch", "head", "query", "key"];
export const NEURONS: readonly string[] = ["batch", "pos", "dMlp"];
export const LOGITS: readonly string[] = ["batch", "pos", "dVocab"];

/** The point of what the encoder of a model of two stacks gives to its decoder. */
export const ENCODED = "encoder.hook_out";

/** What is remembered of a layer: keys and values, or a state and what its convolution reads again. */
export type Remembered = "key" | "value" | "state" | "input";

/** The names under which what is remembered of a layer is fed and given back. */
export const pastName = (kind: Remembered, layer: number): string => `past.${layer}.${kind}`;
export const presentName = (kind: Remembered, layer: number): string => `present.${layer}.${kind}`;
