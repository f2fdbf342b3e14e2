/** The cross-entropy of next tokens, and of classes. */

import type { Value } from "../../graph/index.js";
import * as g from "../../graph/index.js";
import type { Feed } from "../../runtime/ort.js";
import { type LoweredMetric, type MetricInput, meanOf } from "./lowered.js";
import type { CrossEntropy } from "./metric.js";
import { choiceFeed } from "./token-choice.js";

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

/** The mean cross-entropy in a graph. */
export function lowerCrossEntropy(
  { labels }: CrossEntropy,
  logits: Value,
  input: MetricInput,
): LoweredMetric {
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
