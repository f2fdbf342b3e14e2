/**
 * The effect of cutting each edge to first order: how much another output the sender would have, times the slope of the
 * metric along the receiver's input.
 */

import type { AnyTensor } from "../array/index.js";
import * as g from "../graph/index.js";
import { productDim } from "../graph/shapes.js";
import { weave } from "../model/engine.js";
import type { Batch } from "../model/input.js";
import { lowerMetric } from "../model/metrics.js";
import { reportProgress } from "../runtime/host.js";
import type { Feed } from "../runtime/ort.js";
import type { Plan } from "../runtime/plan.js";
import type { ReceiverGroup } from "./circuit-graph.js";
import { receiverPoint, receiverPoints, sentPoints } from "./residual-parts.js";
import { replacements, runSenders, sentParts, taskGraph } from "./sender-values.js";
import type { CircuitSetting } from "./setting.js";
import { corruptFeeds, type Feeds, onCorrupt, promptFeeds } from "./two-runs.js";

/** Memory of one run's heads' inputs and their gradients, in bytes. */
const RUN_MEMORY = 8e8;

const WEIGHT = "circuit.weight";
const DIFFERENCE = "circuit.difference";
const REPLACEMENT = "circuit.replacement";

/**
 * The mean over prompts of Σ (replacement − output) · ∂metric/∂input for each edge; of the slopes, the mean over model
 * inputs that are moved by each weight towards what replaces them.
 *
 * @throws where the metric is not finite
 */
export async function edgeSlopes(
  setting: CircuitSetting,
  weights: readonly number[],
  signal?: AbortSignal,
): Promise<Float64Array> {
  const { engine, graph, prompts, pos } = setting;
  const { nLayers, nHeads, dModel } = engine.config;
  const isMoved = weights.some((weight) => weight !== 0);
  // What is moved towards the replacement needs it first; otherwise one run gives the outputs, and the slopes.
  const differences = isMoved ? differencePlan(setting) : undefined;
  const slopes = slopePlan(setting, isMoved);
  const feeds = { ...(await differenceFeeds(setting, signal)), ...slopes.feeds };
  const perPrompt = nLayers * 3 * nHeads * dModel * pos * 4 * 4;
  const step = slopes.rowwise ? Math.max(1, Math.floor(RUN_MEMORY / perPrompt)) : prompts;
  const memory = new Float32Array(
    differences ? graph.senders.length * Math.min(step, prompts) * pos * dModel : 0,
  );
  const scores = new Float64Array(graph.edgeCount);
  for (let start = 0; start < prompts; start += step) {
    const count = Math.min(step, prompts - start);
    const own = (plan: Plan): Feeds => rowsOf(plan, feeds, start, count);
    const difference: Record<string, Feed> = {};
    if (differences) {
      const size = count * pos * dModel;
      const data = memory.subarray(0, graph.senders.length * size);
      difference[DIFFERENCE] = { dtype: "float32", shape: [graph.senders.length, size], data };
      await differences.run(own(differences), { signal, into: difference, manyRows: true });
    }
    for (const weight of weights) {
      const factor: Feed = { dtype: "float32", shape: [], data: Float32Array.of(weight) };
      const all = { ...own(slopes.plan), ...difference, [WEIGHT]: factor };
      const run = await slopes.plan.run(all, { signal, manyRows: true });
      const share = count / (prompts * weights.length);
      for (const { name, groups } of slopes.layers) addScores(scores, groups, run[name]!, share);
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

/** Adds scores `[receiver, sender]` to those of the edges; senders that come later than a receiver have none. */
function addScores(
  scores: Float64Array,
  groups: readonly ReceiverGroup[],
  { data, shape }: AnyTensor,
  share: number,
): void {
  let row = 0;
  for (const { receivers, senders, firstEdge } of groups)
    for (let receiver = 0; receiver < receivers.length; receiver++, row++)
      for (let sender = 0; sender < senders; sender++)
        scores[firstEdge + receiver * senders + sender]! +=
          (data[row * shape[1]! + sender] as number) * share;
}

/** The plan that gives what replaces each sender's output less what it is, `[sender, batch·pos·dModel]`. */
function differencePlan(setting: CircuitSetting): Plan {
  const clean = runOf(setting, setting.task.clean);
  return setting.engine.runtime.plan({ outputs: { [DIFFERENCE]: difference(setting, clean) } });
}

const runOf = ({ engine, edits }: CircuitSetting, { mask }: Batch): g.Graph => {
  const points = [...sentPoints(engine), ...edits.map(({ point }) => point)];
  return weave(engine.graph(points, { padded: mask !== undefined }), edits);
};

/** What replaces each sender's output less what it is in a run on the clean prompts. */
function difference(setting: CircuitSetting, clean: g.Graph): g.Value {
  const sent = sentParts(setting, (name) => g.findPoint(clean, name));
  const { ablation } = setting.task.ablation;
  if (ablation === "zero") return g.concat(sent.map(g.neg), 0);
  if (ablation === "mean") {
    const flat = productDim(["batch", "pos", setting.engine.config.dModel]);
    return g.sub(g.input(REPLACEMENT, "float32", [setting.graph.senders.length, flat]), g.concat(sent, 0));
  }
  const beside = onCorrupt(runOf(setting, setting.task.corrupt!));
  const other = sentParts(setting, (name) => g.findPoint(beside, name));
  return g.concat(
    other.map((value, i) => g.sub(value, sent[i]!)),
    0,
  );
}

/** What the differences are made from, beside the clean prompts. */
async function differenceFeeds(setting: CircuitSetting, signal?: AbortSignal): Promise<Feeds> {
  const { engine, task, graph, prompts, pos } = setting;
  const { ablation, meanOf } = task.ablation;
  if (ablation === "zero") return {};
  if (ablation === "resample") return corruptFeeds(setting);
  const from = meanOf === "corrupt" ? task.corrupt! : task.clean;
  const { sent } = await runSenders(setting, from, false, signal);
  const { dModel } = engine.config;
  const sizes = { senders: graph.senders.length, prompts, pos, dModel };
  const data = replacements(sent, task.ablation, sizes);
  return { [REPLACEMENT]: { dtype: "float32", shape: [sizes.senders, prompts, pos * dModel], data } };
}

/** The plan that gives the scores of a layer's receivers for all senders. */
interface SlopePlan {
  readonly plan: Plan;
  readonly feeds: Feeds;
  /** The outputs, `[receiver, sender]`, and the groups whose receivers they are of, one behind the other. */
  readonly layers: readonly { readonly name: string; readonly groups: readonly ReceiverGroup[] }[];
  /** Whether the metric is the mean over prompts, so that they may be run some at a time. */
  readonly rowwise: boolean;
}

function slopePlan(setting: CircuitSetting, isMoved: boolean): SlopePlan {
  const { engine, graph, edits, task, model } = setting;
  const { dModel, nLayers } = engine.config;
  const { clean, metric } = task;
  const flat = productDim(["batch", "pos", dModel]);
  const points = [...receiverPoints(engine), ...(isMoved ? [] : sentPoints(engine))];
  const plain = taskGraph(setting, points);
  const change = isMoved
    ? g.input(DIFFERENCE, "float32", [graph.senders.length, flat])
    : difference(setting, plain);
  const run = isMoved ? moveInputs(setting, plain, change) : plain;
  const lowered = lowerMetric(metric, run, model.metricInput(clean));
  const scalar = lowered.perRow ? g.mean(lowered.perRow) : lowered.scalar;
  const inputs = graph.groups.map((group) => g.findPoint(run, receiverPoint(group, nLayers)));
  const slopes = g.gradients(scalar, inputs).map((slope, i) => {
    const count = graph.groups[i]!.receivers.length;
    if (!slope) return undefined;
    const byReceiver = slope.rank === 3 ? slope : g.transpose(slope, [2, 0, 1, 3]);
    return g.reshape(byReceiver, [count, flat]);
  });
  // One product for each layer: it reads all differences, whose later senders mean nothing to it.
  const layers = [...new Set(graph.groups.map(({ layer }) => layer))].map((layer) => {
    const groups = graph.groups.filter((group, i) => group.layer === layer && slopes[i]);
    const rows = slopes.filter((slope, i): slope is g.Value => graph.groups[i]!.layer === layer && !!slope);
    return { name: `layer ${layer}`, groups, rows };
  });
  const reached = layers.filter(({ rows }) => rows.length > 0);
  const outputs = reached.map(({ name, rows }): [string, g.Value] => [
    name,
    g.matmul(g.concat(rows, 0), change, { transposeB: true }),
  ]);
  return {
    plan: engine.runtime.plan(g.expandLate({ outputs: Object.fromEntries(outputs) })),
    layers: reached,
    feeds: { ...engine.feeds(clean, edits), ...lowered.feeds },
    rowwise: lowered.perRow !== undefined,
  };
}

/** The run whose inputs are moved towards what replaces them. */
function moveInputs({ blocks, engine }: CircuitSetting, run: g.Graph, change: g.Value): g.Graph {
  const weight = g.input(WEIGHT, "float32", []);
  const inputs = new Map(blocks.filter(({ kind }) => kind === "input").map((block) => [block.output, block]));
  const outputs = g.rebuild(run.outputs, (original, rebuilt) => {
    const block = original.op === "point" && inputs.get(original.attributes.name as string);
    if (!block) return rebuilt;
    const row = g.slice(change, 0, block.first, block.first + 1);
    const towards = g.reshape(row, ["batch", "pos", engine.config.dModel]);
    const { name, axes } = original.attributes as { name: string; axes: readonly string[] };
    return g.point(name, g.add(rebuilt.inputs[0]!, g.mul(towards, weight)), axes);
  });
  return { outputs };
}

/** The feeds of some of the prompts. */
function rowsOf(plan: Plan, feeds: Feeds, start: number, count: number): Feeds {
  const { [REPLACEMENT]: replacement, ...others } = feeds;
  const own = replacement && { [REPLACEMENT]: columns(replacement, start, count) };
  return { ...promptFeeds(plan, others, start, count), ...own };
}

/** Some of the prompts of `[sender, prompt, pos·dModel]`, as `[sender, prompt·pos·dModel]`. */
function columns({ dtype, shape, data }: Feed, start: number, count: number): Feed {
  const [senders, prompts, width] = shape as [number, number, number];
  const taken = new Float32Array(senders * count * width);
  for (let sender = 0; sender < senders; sender++) {
    const from = (sender * prompts + start) * width;
    taken.set((data as Float32Array).subarray(from, from + count * width), sender * count * width);
  }
  return { dtype, shape: [senders, count * width], data: taken };
}
