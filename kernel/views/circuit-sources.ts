/** Searches and rankings of edges as the plain data of the pruning animation. */

import {
  type AcdcStep,
  type CircuitTask,
  EdgePatching,
  metricName,
  smallerIsBetter,
} from "../../src/circuits/index.js";
import type { Metric, Model } from "../../src/index.js";
import type { AnimationSource, DecidedEdge } from "../../widgets/acdc-animation/model.js";

const metricNames: Readonly<Record<string, string>> = {
  klDivergence: "KL divergence",
  logitDiff: "logit difference",
  logProb: "log probability",
  probDiff: "probability difference",
  crossEntropy: "cross-entropy",
  squaredError: "squared error",
};

type MetricFacts = Pick<AnimationSource, "metricName" | "smallerIsBetter">;

/** A metric as a reader knows it; without one it is the divergence from the model. */
export const metricFacts = (metric: Metric | undefined): MetricFacts => metricKindFacts(metricName(metric));

/** A kind of metric as a reader knows it; one without a name, such as a function, is better where it is smaller. */
export function metricKindFacts(kind: string | undefined): MetricFacts {
  const name = kind === undefined ? undefined : metricNames[kind];
  if (kind === undefined || name === undefined) return { metricName: "metric", smallerIsBetter: true };
  return { metricName: name, smallerIsBetter: smallerIsBetter(kind) };
}

/** Steps of ACDC with the numbers of their edges. @throws where a step is of an edge that the graph has not */
export function decidedEdges(
  edges: readonly { readonly name: string }[],
): (step: AcdcStep) => DecidedEdge & { readonly index: number } {
  const numbers = new Map(edges.map(({ name }, i) => [name, i]));
  return ({ index, edge, metricBefore, metricAfter, kept }) => {
    const number = numbers.get(edge);
    if (number === undefined) throw new Error(`The graph has no edge "${edge}", which the log tries.`);
    return { index, edge: number, before: metricBefore, after: metricAfter, kept };
  };
}

/**
 * Measures circuits of a task; the model is run on the prompts when the first is asked for. Between measurements, which
 * may be minutes apart, no plans are held.
 */
export function circuitMeter(
  model: Model,
  task: CircuitTask,
): (cuts: readonly Uint8Array[], signal?: AbortSignal) => Promise<number[]> {
  let patching: Promise<EdgePatching> | undefined;
  let before: Promise<unknown> = Promise.resolve();
  return (cuts, signal) => {
    const measured = before.then(async () => {
      patching ??= EdgePatching.prepare(model, { ...task, signal: undefined });
      patching.catch(() => {
        patching = undefined; // what was interrupted is prepared anew
      });
      const ready = await patching;
      return ready.evaluate(cuts, signal).finally(() => ready.release());
    });
    before = measured.catch(() => {});
    return measured;
  };
}

/** The steps that remove edges from the weakest to the strongest. */
export function rankingSteps(scores: ArrayLike<number>): DecidedEdge[] {
  const order = Array.from(scores, (_, i) => i).sort(
    (a, b) => Math.abs(scores[a]!) - Math.abs(scores[b]!) || a - b,
  );
  return order.map((edge) => ({ edge, before: Number.NaN, after: null, kept: false }));
}

/** Counts of removed edges at which a ranking is measured: all, none, and shares in between that halve what is left. */
export function curvePlaces(edges: number, points: number): number[] {
  const left = Array.from({ length: Math.max(2, points) - 1 }, (_, i) =>
    Math.round(edges ** (1 - i / (Math.max(2, points) - 1))),
  );
  return [...new Set([...left.map((count) => edges - count), edges])];
}
