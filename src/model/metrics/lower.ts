/** From metrics, which are data, to values of a graph and what they are fed. */

import * as g from "../../graph/index.js";
import { Expression, type Value } from "../../graph/index.js";
import { lowerCrossEntropy } from "./cross-entropy.js";
import { type LoweredMetric, type MetricInput, meanOf } from "./lowered.js";
import type { Metric, MetricContext } from "./metric.js";
import { lowerSquaredError, referenceRow } from "./reference.js";
import { choiceFeed, setWeights } from "./token-choice.js";

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

/** The logits `[batch, classes]` of a position, or a classifier's, which has none. */
export function pickPosition(logits: Value, pos: number, { tokens, task }: MetricInput): Value {
  if (task === "classification") return logits;
  const length = tokens[0]!.length;
  if (!Number.isInteger(pos) || pos >= length || pos < -length)
    throw new Error(`The metric reads position ${pos}, but the input has ${length} positions.`);
  return g.squeeze(g.slice(logits, 1, pos, pos === -1 ? undefined : pos + 1), [1]);
}
