/**
 * Edge attribution patching (Syed et al. 2023, "Attribution Patching Outperforms Automated Circuit Discovery") and its form
 * with integrated gradients (Hanna et al. 2024, "Have Faith in Faithfulness"): what cutting each edge does to the metric,
 * to first order.
 */

import type { Model } from "../model/index.js";
import { reportProgress } from "../runtime/host.js";
import { Circuit } from "./circuit.js";
import type { CircuitGraph } from "./circuit-graph.js";
import { EdgePatching } from "./edge-patching.js";
import { edgeSlopes } from "./edge-slopes.js";
import { circuitSetting } from "./setting.js";
import { type CircuitTask, metricName } from "./task.js";

/** Options of `edgeAttribution`. */
export interface EdgeAttributionOptions extends CircuitTask {
  /**
   * `"eap"` (default): the gradient on the clean prompts; `"eap-ig"`: its mean over inputs between replaced and clean;
   * `"exact"`: each edge is cut, one by one.
   */
  readonly method?: "eap" | "eap-ig" | "exact";
  /** Inputs between replaced and clean, from the replaced one on; 5 by default. Only for `"eap-ig"`. */
  readonly steps?: number;
}

/**
 * Scores every edge by what cutting it adds to the metric: exactly, or to first order as the mean over prompts of
 * Σ (replacement − output) · ∂metric/∂input over positions and the residual stream. With integrated gradients the slope is
 * the mean of those at inputs replaced + k/steps · (clean − replaced), k = 0 … steps − 1, as in EAP-IG's code.
 *
 * @returns all edges with their scores; `top`, `threshold` and `greedy` choose circuits among them
 * @throws where prompts do not correspond, or the metric is not finite
 *
 * @example
 * ```ts
 * const { model: program, prompts } = inductionProgram();
 * const [{ clean: one, corrupt: other, answer }] = prompts({ count: 1 });
 * const metric = logProb({ token: answer });
 * const scored = await edgeAttribution(program, { clean: one, corrupt: other, metric, method: "exact" });
 * scored.top(3).keptEdges.length; // such as 3
 * ```
 */
export async function edgeAttribution(model: Model, options: EdgeAttributionOptions): Promise<Circuit> {
  const { method = "eap", steps = 5, splitInput = false, signal } = options;
  if (!["eap", "eap-ig", "exact"].includes(method))
    throw new TypeError(`A method is "eap", "eap-ig" or "exact"; "${method}" came.`);
  if (!Number.isInteger(steps) || steps < 1)
    throw new RangeError(`Integrated gradients take a whole number of steps from 1 on; ${steps} came.`);
  const circuit = ({ nodes, edges }: CircuitGraph, scores: Float64Array): Circuit =>
    new Circuit(
      nodes,
      edges.map(({ name, from, to }, i) => ({ name, from, to, score: scores[i]!, kept: true })),
      {
        model: model.name,
        method,
        splitInput,
        metricKind: metricName(options.metric),
      },
    );
  if (method === "exact") {
    const patching = await EdgePatching.prepare(model, options);
    return circuit(patching.graph, await exactScores(patching, signal).finally(() => patching.release()));
  }
  const setting = await circuitSetting(model, options);
  const weights = method === "eap" ? [0] : Array.from({ length: steps }, (_, k) => 1 - k / steps);
  return circuit(setting.graph, await edgeSlopes(setting, weights, signal));
}

async function exactScores(patching: EdgePatching, signal?: AbortSignal): Promise<Float64Array> {
  const { edgeCount } = patching.graph;
  const scores = new Float64Array(edgeCount);
  const cut = (...edges: number[]): Uint8Array => {
    const cuts = new Uint8Array(edgeCount);
    for (const edge of edges) cuts[edge] = 1;
    return cuts;
  };
  const [full] = (await patching.evaluate([cut()], signal)) as [number];
  const step = patching.rowsAtOnce;
  for (let start = 0; start < edgeCount; start += step) {
    const edges = Array.from({ length: Math.min(step, edgeCount - start) }, (_, i) => start + i);
    const values = await patching.evaluate(
      edges.map((edge) => cut(edge)),
      signal,
    );
    for (const [i, edge] of edges.entries()) scores[edge] = values[i]! - full;
    reportProgress({ task: "edges", done: start + edges.length, total: edgeCount });
  }
  return scores;
}
