/** The circuit that the steps of ACDC leave. */

import type { AcdcStep } from "./acdc-steps.js";
import { Circuit, type CircuitOrigin } from "./circuit.js";
import type { CircuitGraph } from "./circuit-graph.js";
import { smallerIsBetter } from "./task.js";

/**
 * The circuit that a search has left of a graph so far: the edges that its steps keep, and those that it has not tried.
 *
 * @param log the search's steps, from the first on
 * @param origin how the search was made; the score of an edge is how much worse the metric of that kind became without it,
 * where a kind that is not known is better where it is smaller
 */
export function circuitOfSteps(
  graph: CircuitGraph,
  log: readonly AcdcStep[],
  origin: Omit<CircuitOrigin, "method" | "evaluations" | "log" | "finished">,
): Circuit {
  const steps = new Map(log.map((step) => [step.edge, step]));
  const sign = smallerIsBetter(origin.metricKind ?? "a function") ? 1 : -1;
  const edges = graph.edges.map(({ name, from, to }) => {
    const step = steps.get(name);
    const change = step?.metricAfter == null ? 0 : step.metricAfter - step.metricBefore;
    return { name, from, to, score: sign * change, kept: step?.kept ?? true };
  });
  const last = log.at(-1);
  return new Circuit(graph.nodes, edges, {
    ...(last ? { metric: last.kept ? last.metricBefore : (last.metricAfter ?? last.metricBefore) } : {}),
    ...origin,
    method: "acdc",
    evaluations: last?.evaluations ?? 1,
    log,
    finished: log.length === graph.edgeCount,
  });
}
