/** Metrics: plain data that says which number of a run is of interest; differentiable, and computed inside the graph. */

import { contiguous, type Tensor } from "../array/index.js";
import * as g from "../graph/index.js";
import { Expression, type Value } from "../graph/index.js";
import type { Feed } from "../runtime/ort.js";
import type { ModelConfig } from "./config.js";

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

/** The part of a batch that a metric is fed for. */
export interface MetricInput {
  readonly tokens: readonly (readonly number[])[];
  /** 1 at tokens and 0 at padding. */
  readonly mask?: readonly (readonly number[])[];
  /** What the logits are of. */
  readonly task: ModelConfig["task"];
  /** Texts of single tokens, or names of classes, to ids. */
  readonly tokenId: (text: string) => number;
}

/** A metric in a graph: its scalar, and what it is fed. */
export interface LoweredMetric {
  readonly scalar: Value;
  /** The metric of each row, `[batch]`, whose mean is the scalar; missing for metrics that are functions. */
  readonly perRow?: Value;
  readonly feeds: Record<string, Feed>;
}

/** A metric that is the mean over rows. */
const meanOf = (perRow: Value, feeds: Record<string, Feed>): LoweredMetric => ({
  scalar: g.mean(perRow),
  perRow,
  feeds,
});

/** Appends a metric to a graph. */
export function lowerMetric(metric: Metric, graph: g.Graph, input: MetricInput): LoweredMetric {
  const logits = graph.outputs.logits!;
  if (typeof metric === "function") return lowerFunction(metric, graph, logits);
  if (metric.kind === "crossEntropy") return lowerCrossEntropy(metric, logits, input);
  if (metric.kind === "squaredError") return lowerSquaredError(metric, logits, input);
  const at = pickPosition(logits, metric.pos, input);
  const rows = input.tokens.length;
  switch (metric.kind) {
    case "logitDiff": {
      const scores = (name: string): Value => g.gatherElements(at, g.input(name, "int64", ["batch", 1]));
      const difference = g.sub(scores("metric.correct"), scores("metric.incorrect"));
      const feeds = {
        "metric.correct": choiceFeed(metric.correct, rows, input),
        "metric.incorrect": choiceFeed(metric.incorrect, rows, input),
      };
      return meanOf(g.squeeze(difference, [1]), feeds);
    }
    case "logProb": {
      const token = g.input("metric.token", "int64", ["batch", 1]);
      return meanOf(g.squeeze(g.gatherElements(g.logSoftmax(at), token), [1]), {
        "metric.token": choiceFeed(metric.token, rows, input),
      });
    }
    case "probDiff": {
      const weights = setWeights(metric, rows, at.shape[1] as number, input);
      const shape = weights.shape.length === 1 ? weights.shape : ["batch", weights.shape[1]!];
      const weighted = g.mul(g.softmax(at), g.input("metric.weights", "float32", shape));
      return meanOf(g.sum(weighted, [-1]), { "metric.weights": weights });
    }
    case "klDivergence": {
      const reference = referenceRow(metric.reference, metric.pos, rows, input);
      const wanted = g.logSoftmax(g.input("metric.reference", "float32", ["batch", reference.shape[1]!]));
      const terms = g.mul(g.exp(wanted), g.sub(wanted, g.logSoftmax(at)));
      return meanOf(g.sum(terms, [-1]), {
        "metric.reference": { dtype: "float32", shape: reference.shape, data: reference.data },
      });
    }
  }
}

function lowerFunction(
  metric: (context: MetricContext) => Expression,
  graph: g.Graph,
  logits: Value,
): LoweredMetric {
  const result = metric({
    logits: new Expression(logits),
    point: (name) => new Expression(g.findPoint(graph, name)),
  });
  if (!(result instanceof Expression))
    throw new Error(
      "A metric function must give a graph value, made by the methods of the values that it is given.",
    );
  return { scalar: result.value, feeds: {} };
}

/** `−log p` of each next token, `[batch, pos−1]`, and the ids that it is fed. */
export function nextTokenLoss(
  logits: Value,
  { tokens }: Pick<MetricInput, "tokens">,
): { losses: Value; feeds: Record<string, Feed> } {
  const length = tokens[0]!.length;
  if (length < 2) throw new Error("The cross-entropy of next tokens needs an input of two tokens or more.");
  const predictions = g.slice(logits, 1, 0, -1);
  const losses = g.crossEntropy(
    predictions,
    g.input("metric.next", "int64", ["batch", predictions.shape[1]!]),
  );
  const data = BigInt64Array.from(
    tokens.flatMap((row) => row.slice(1)),
    BigInt,
  );
  return { losses, feeds: { "metric.next": { dtype: "int64", shape: [tokens.length, length - 1], data } } };
}

/** The share of each next token in the mean: none where it, or what predicts it, is padding. */
export function lossWeights({ tokens, mask }: MetricInput): Float32Array {
  const real = tokens.map((row, b) =>
    row.slice(1).map((_, i) => (mask && !(mask[b]![i] && mask[b]![i + 1]) ? 0 : 1)),
  );
  const flat = Float32Array.from(real.flat());
  const count = flat.reduce((a, b) => a + b, 0);
  if (count === 0) throw new Error("The cross-entropy of next tokens needs a row of two tokens or more.");
  return flat.map((weight) => weight / count);
}

function lowerCrossEntropy({ labels }: CrossEntropy, logits: Value, input: MetricInput): LoweredMetric {
  if (input.task === "classification") {
    if (labels === undefined)
      throw new Error(
        "The cross-entropy of a classifier needs the right classes: crossEntropy({ labels: [1, 0] }).",
      );
    const right = g.squeeze(g.input("metric.labels", "int64", ["batch", 1]), [1]);
    const feeds = { "metric.labels": choiceFeed(labels, input.tokens.length, input) };
    return meanOf(g.crossEntropy(logits, right), feeds);
  }
  if (labels !== undefined) throw new Error("crossEntropy takes labels for classifiers only.");
  if (input.task !== "nextToken")
    throw new Error(
      "crossEntropy is of next tokens, but this model fills in masked ones; use logProb with a position.",
    );
  const { losses, feeds } = nextTokenLoss(logits, input);
  const shape = [input.tokens.length, input.tokens[0]!.length - 1];
  const weights = g.input("metric.weights", "float32", losses.shape);
  const perRow = g.mul(g.sum(g.mul(losses, weights), [1]), input.tokens.length);
  return {
    scalar: g.sum(g.mul(losses, weights)),
    perRow,
    feeds: { ...feeds, "metric.weights": { dtype: "float32", shape, data: lossWeights(input) } },
  };
}

function lowerSquaredError(
  { reference, from }: SquaredError,
  logits: Value,
  { tokens, task }: MetricInput,
): LoweredMetric {
  const [rows, length] = [tokens.length, tokens[0]!.length];
  const width = logits.shape.at(-1) as number;
  if (task === "classification")
    throw new Error("squaredError compares logits of positions, which a classifier lacks.");
  if (reference.shape.length !== 3 || !sameSizes(reference.shape, [rows, length, width]))
    throw new Error(
      `The reference logits have the shape [${reference.shape}]; expected [${rows}, ${length}, ${width}].`,
    );
  if (!Number.isInteger(from) || from < 0 || from >= length)
    throw new Error(`The metric counts positions from ${from} on, but the input has ${length} positions.`);
  const wanted = g.input("metric.reference", "float32", ["batch", "pos", width]);
  const after = (x: Value): Value => g.slice(x, 1, from);
  const { data } = contiguous(reference);
  return meanOf(g.mean(g.square(g.sub(after(logits), after(wanted))), [1, 2]), {
    "metric.reference": { dtype: "float32", shape: [rows, length, width], data },
  });
}

const sameSizes = (a: readonly number[], b: readonly number[]): boolean =>
  a.every((size, i) => size === b[i]);

/** The logits `[batch, classes]` that a metric reads: those of a position, or a classifier's. */
function pickPosition(logits: Value, pos: number, { tokens, task }: MetricInput): Value {
  if (task === "classification") return logits;
  const length = tokens[0]!.length;
  if (!Number.isInteger(pos) || pos >= length || pos < -length)
    throw new Error(`The metric reads position ${pos}, but the input has ${length} positions.`);
  return g.squeeze(g.slice(logits, 1, pos, pos === -1 ? undefined : pos + 1), [1]);
}

function choiceFeed(choice: TokenChoice, rows: number, { tokenId }: MetricInput): Feed {
  const all =
    typeof choice === "number" || typeof choice === "string" ? new Array(rows).fill(choice) : choice;
  if (all.length !== rows)
    throw new Error(`The metric names ${all.length} tokens for a batch of ${rows} rows.`);
  const ids = all.map((token) => BigInt(typeof token === "string" ? tokenId(token) : token));
  return { dtype: "int64", shape: [rows, 1], data: BigInt64Array.from(ids) };
}

/** +1 at the tokens of the right set and −1 at those of the wrong one: `[dVocab]`, or `[rows, dVocab]` for sets of each row. */
function setWeights(
  { correct, incorrect }: ProbDiff,
  rows: number,
  dVocab: number,
  { tokenId }: MetricInput,
): Feed & { data: Float32Array } {
  const perRow = [...correct, ...incorrect].some((entry) => Array.isArray(entry));
  const count = perRow ? rows : 1;
  const data = new Float32Array(count * dVocab);
  const write = (sets: ProbDiff["correct"], sign: number): void => {
    if (sets.length === 0) return;
    const each = perRow ? (sets as readonly TokenSet[]) : [sets as TokenSet];
    if (each.length !== count || !each.every(Array.isArray))
      throw new Error(
        `The metric has ${each.length} sets of tokens for a batch of ${rows} rows; it takes one for all rows, or one for each.`,
      );
    each.forEach((set, row) => {
      for (const token of set) {
        const id = typeof token === "string" ? tokenId(token) : token;
        if (!Number.isInteger(id) || id < 0 || id >= dVocab)
          throw new RangeError(`The metric names the token ${id}; ids go from 0 to ${dVocab - 1}.`);
        data[row * dVocab + id]! += sign;
      }
    });
  };
  write(correct, 1);
  write(incorrect, -1);
  return { dtype: "float32", shape: perRow ? [rows, dVocab] : [dVocab], data };
}

/** One position of reference logits, `[batch, dVocab]`. */
function referenceRow(reference: Tensor, pos: number, rows: number, { task }: MetricInput): Tensor {
  const [batch, length] = reference.shape as [number, number, number];
  if (task === "classification" && reference.shape.length === 2 && batch === rows)
    return contiguous(reference);
  if (task === "classification" || reference.shape.length !== 3 || batch !== rows)
    throw new Error(
      `The reference logits have the shape [${reference.shape}]; expected [${rows}, ${task === "classification" ? "labels" : "pos, dVocab"}].`,
    );
  return contiguous(reference.pick(null, pos < 0 ? pos + length : pos, null) as Tensor);
}
