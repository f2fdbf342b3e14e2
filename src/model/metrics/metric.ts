/** Metrics: plain data that says which number of a run is of interest. */

import type { Tensor } from "../../array/index.js";
import type { Expression } from "../../graph/index.js";

/** Token ids, or texts of single tokens: one for all rows of the batch, or one for each. */
export type TokenChoice = number | string | readonly number[] | readonly string[];

/** The logit of the right token minus that of the wrong one, averaged over rows. */
export interface LogitDiff {
  readonly kind: "logitDiff";
  readonly correct: TokenChoice;
  readonly incorrect: TokenChoice;
  readonly pos: number;
}
/** The log probability of a token, averaged over rows. */
export interface LogProb {
  readonly kind: "logProb";
  readonly token: TokenChoice;
  readonly pos: number;
}
/** Several tokens by their ids or texts. */
export type TokenSet = readonly (number | string)[];
/** The probability of one set of tokens minus that of another, averaged over rows. */
export interface ProbDiff {
  readonly kind: "probDiff";
  /** One set for all rows, or one for each. */
  readonly correct: TokenSet | readonly TokenSet[];
  readonly incorrect: TokenSet | readonly TokenSet[];
  readonly pos: number;
}
/** The mean cross-entropy of each next token of the input, or of the right classes, in nats. */
export interface CrossEntropy {
  readonly kind: "crossEntropy";
  /** The class of each row by number or name, for classifiers. */
  readonly labels?: TokenChoice;
}
/** The divergence KL(reference ‖ run) of the next-token distributions, averaged over rows, in nats. */
export interface KlDivergence {
  readonly kind: "klDivergence";
  readonly reference: Tensor;
  readonly pos: number;
}

/** The mean squared difference from reference outputs over rows, positions from `from` on, and outputs. */
export interface SquaredError {
  readonly kind: "squaredError";
  readonly reference: Tensor;
  readonly from: number;
}

/** What a metric function is given: the logits and the points it asks for. */
export interface MetricContext {
  /** `[batch, pos, dVocab]`; `[batch, labels]` of a classifier. */
  readonly logits: Expression;
  /** A point's value by its full name. */
  readonly point: (name: string) => Expression;
}

/** A metric: data, or a function of graph values that gives a scalar. */
export type Metric =
  | LogitDiff
  | LogProb
  | ProbDiff
  | CrossEntropy
  | KlDivergence
  | SquaredError
  | ((context: MetricContext) => Expression);

/**
 * Logit difference.
 *
 * @param options.pos the position of the prediction; the last by default
 */
export const logitDiff = (options: {
  correct: TokenChoice;
  incorrect: TokenChoice;
  pos?: number;
}): LogitDiff => ({
  kind: "logitDiff",
  pos: -1,
  ...options,
});
/** Log probability of a token, at the last position by default. */
export const logProb = (options: { token: TokenChoice; pos?: number }): LogProb => ({
  kind: "logProb",
  pos: -1,
  ...options,
});
/** Difference of the probabilities of two sets of tokens, at the last position by default. */
export const probDiff = (options: {
  correct: TokenSet | readonly TokenSet[];
  incorrect: TokenSet | readonly TokenSet[];
  pos?: number;
}): ProbDiff => ({ kind: "probDiff", pos: -1, ...options });
/**
 * Mean next-token cross-entropy over the input, in nats.
 *
 * @param options.labels for a classifier: the right class of each row, by number or name, or one for all rows
 */
export const crossEntropy = (options: { labels?: TokenChoice } = {}): CrossEntropy => ({
  kind: "crossEntropy",
  ...options,
});
/** KL(reference ‖ run) at the last position by default; `reference` are logits `[batch, pos, dVocab]`. */
export const klDivergence = (options: { reference: Tensor; pos?: number }): KlDivergence => ({
  kind: "klDivergence",
  pos: -1,
  ...options,
});

/**
 * The mean squared difference of the logits from reference ones `[batch, pos, dVocab]`, as ACDC takes for compiled
 * programs (Conmy et al. 2023).
 *
 * @param options.from the first position that counts; 0 by default
 */
export const squaredError = (options: { reference: Tensor; from?: number }): SquaredError => ({
  kind: "squaredError",
  from: 0,
  ...options,
});
