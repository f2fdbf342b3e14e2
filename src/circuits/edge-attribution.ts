/**
 * Edge attribution patching (Syed et al. 2023, "Attribution Patching Outperforms Automated Circuit Discovery") and its form
 * with integrated gradients (Hanna et al. 2024, "Have Faith in Faithfulness"): what cutting each edge does to the metric,
 * to first order.
 */

import * as g from "../graph/index.js";
import { productDim } from "../graph/shapes.js";
import type { Model } from "../model/index.js";
import { lowerMetric } from "../model/metrics.js";
import { reportProgress } from "../runtime/host.js";
import type { Feed } from "../runtime/ort.js";
import type { Plan } from "../runtime/plan.js";
import { Circuit } from "./circuit.js";
import { EdgePatching } from "./edge-patching.js";
import { fed } from "./patched-graph.js";
import { receiverPoint } from "./residual-parts.js";
import { wholeGraph } from "./sender-values.js";
import type { CircuitTask } from "./task.js";

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

/** Memory of one run's heads' inputs and their gradients, in bytes. */
const RUN_MEMORY = 6e8;

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
  const patching = await EdgePatching.prepare(model, options);
  const weights = method === "eap" ? [0] : Array.from({ length: steps }, (_, k) => 1 - k / steps);
  const scores =
    method === "exact" ? await exactScores(patching, signal) : await slopeScores(patching, weights, signal);
  const { nodes, edges } = patching.graph;
  return new Circuit(
    nodes,
    edges.map(({ name, from, to }, i) => ({ name, from, to, score: scores[i]!, kept: true })),
    { model: model.name, method, splitInput },
  );
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

const WEIGHT = "circuit.weight";

/** Slopes at inputs that are moved by each weight towards what replaces them, contracted with the differences. */
async function slopeScores(
  patching: EdgePatching,
  weights: readonly number[],
  signal?: AbortSignal,
): Promise<Float64Array> {
  const { engine, graph, task, difference, prompts } = patching;
  const { clean } = task;
  const { nLayers, nHeads, dModel } = engine.config;
  const pos = clean.tokens[0]!.length;
  const { plan, feeds, rowwise } = slopePlan(patching);
  const perPrompt = nLayers * 3 * nHeads * dModel * pos * 4 * 4;
  const step = rowwise ? Math.max(1, Math.floor(RUN_MEMORY / perPrompt)) : prompts;
  const scores = new Float64Array(graph.edgeCount);
  const width = pos * dModel;
  for (let start = 0; start < prompts; start += step) {
    const count = Math.min(step, prompts - start);
    const part = new Float32Array(graph.senders.length * count * width);
    graph.senders.forEach((_, sender) => {
      const from = (sender * prompts + start) * width;
      part.set(difference.subarray(from, from + count * width), sender * count * width);
    });
    const own: Record<string, Feed> = {
      ...rowsOf(plan, feeds, start, count),
      [fed.difference]: { dtype: "float32", shape: [graph.senders.length, count * width], data: part },
    };
    for (const weight of weights) {
      const factor: Feed = { dtype: "float32", shape: [], data: Float32Array.of(weight) };
      const run = await plan.run({ ...own, [WEIGHT]: factor }, { signal });
      for (const { name, firstEdge } of graph.groups)
        (run[name]!.data as Float32Array).forEach((score, i) => {
          scores[firstEdge + i]! += (score * count) / (prompts * weights.length);
        });
    }
    reportProgress({ task: "edge attribution", done: start + count, total: prompts });
  }
  const bad = scores.findIndex((score) => !Number.isFinite(score));
  if (bad >= 0)
    throw new Error(
      `The score of ${graph.edges[bad]!.name} is ${scores[bad]}: the metric or its gradient is not finite.`,
    );
  return scores;
}

/** The plan that gives each group's scores, `[receiver, sender]`; of the mean over the prompts that it is fed. */
function slopePlan({ engine, graph, blocks, edits, task, model }: EdgePatching): {
  plan: Plan;
  feeds: Record<string, Feed>;
  rowwise: boolean;
} {
  const { dModel, nLayers } = engine.config;
  const { clean, metric } = task;
  const flat = productDim(["batch", "pos", dModel]);
  const difference = g.input(fed.difference, "float32", [graph.senders.length, flat]);
  const weight = g.input(WEIGHT, "float32", []);
  const inputs = new Map(blocks.filter(({ kind }) => kind === "input").map((block) => [block.output, block]));
  const whole = wholeGraph(engine, edits, clean.mask !== undefined);
  const moved: g.Graph = {
    outputs: g.rebuild(whole.outputs, (original, rebuilt) => {
      const block = original.op === "point" && inputs.get(original.attributes.name as string);
      if (!block) return rebuilt;
      const towards = g.reshape(g.slice(difference, 0, block.first, block.first + 1), [
        "batch",
        "pos",
        dModel,
      ]);
      const { name, axes } = original.attributes as { name: string; axes: readonly string[] };
      return g.point(name, g.add(rebuilt.inputs[0]!, g.mul(towards, weight)), axes);
    }),
  };
  const lowered = lowerMetric(metric, moved, model.metricInput(clean));
  const scalar = lowered.perRow ? g.mean(lowered.perRow) : lowered.scalar;
  const points = graph.groups.map((group) => g.findPoint(moved, receiverPoint(group, nLayers)));
  const slopes = g.gradients(scalar, points);
  const outputs = graph.groups.map(({ name, senders, receivers }, i): [string, g.Value] => {
    const slope = slopes[i];
    if (!slope) return [name, g.fill(0, [receivers.length, senders])];
    const byReceiver = slope.rank === 3 ? slope : g.transpose(slope, [2, 0, 1, 3]);
    const rows = g.reshape(byReceiver, [receivers.length, flat]);
    return [name, g.matmul(rows, g.slice(difference, 0, 0, senders), { transposeB: true })];
  });
  return {
    plan: engine.runtime.plan({ outputs: Object.fromEntries(outputs) }),
    feeds: { ...engine.feeds(clean, edits), ...lowered.feeds },
    rowwise: lowered.perRow !== undefined,
  };
}

/** The feeds of some of the prompts. */
function rowsOf(
  plan: Plan,
  feeds: Readonly<Record<string, Feed>>,
  start: number,
  count: number,
): Record<string, Feed> {
  const parts = Object.entries(feeds).map(([name, feed]): [string, Feed] => {
    if (plan.inputShape(name)?.[0] !== "batch") return [name, feed];
    const { dtype, shape, data } = feed;
    const size = data.length / shape[0]!;
    return [
      name,
      {
        dtype,
        shape: [count, ...shape.slice(1)],
        data: data.subarray(start * size, (start + count) * size),
      },
    ];
  });
  return Object.fromEntries(parts);
}
