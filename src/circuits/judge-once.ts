/**
 * One circuit, evaluated once: the model on the clean prompts, on the corrupt ones, and the circuit, as one graph from
 * which nothing is kept.
 *
 * It computes what `EdgePatching` does, setting out from the other end: a receiver reads the residual stream of the corrupt
 * prompts, and for each kept edge how its sender differs from what it writes there.
 */

import type { Value } from "../graph/index.js";
import * as g from "../graph/index.js";
import { productDim } from "../graph/shapes.js";
import { lowerMetric } from "../model/metrics.js";
import type { Plan } from "../runtime/plan.js";
import { type CutGroup, edgeOf, type OnlinePart, receivingGroups } from "./online.js";
import { inputAt, runGraph } from "./patched-graph.js";
import { type Cuts, cutUnreached, reachingLogits } from "./reach.js";
import { sentBy, sentPointsOf } from "./residual-parts.js";
import { taskGraph } from "./sender-values.js";
import type { CircuitSetting } from "./setting.js";
import { headsStandAlone } from "./some-heads.js";
import { growingStacks } from "./stacks.js";
import { refuseUnlessFinite } from "./task.js";
import { corruptFeeds, type Feeds, onCorrupt, promptFeeds } from "./two-runs.js";

const runs = ["full", "empty", "circuit"] as const;
/** A run takes so many prompts that its senders and receivers stay below this, in bytes: on a Binder there are 2 GB. */
const RUN_MEMORY = 8e8;

/**
 * Whether circuits can be evaluated so: with outputs resampled, on a model without edits, by a metric of the logits that
 * prompts have each by itself.
 */
export const canJudgeOnce = ({ task, edits }: CircuitSetting): boolean =>
  task.ablation.ablation === "resample" && typeof task.metric !== "function" && edits.length === 0;

/**
 * The metric of each prompt: with all edges, with none, and with those of a circuit.
 *
 * @param given 1 for each edge that the circuit leaves out
 * @param options.memory bytes of one run's senders and receivers, which decide how many prompts it has
 */
export async function judgeOnce(
  setting: CircuitSetting,
  given: Cuts,
  { signal, memory = RUN_MEMORY }: { readonly signal?: AbortSignal; readonly memory?: number } = {},
): Promise<[full: Float64Array, empty: Float64Array, circuit: Float64Array]> {
  const { prompts, pos, engine } = setting;
  const cuts = cutUnreached(setting.graph, given);
  const parts = keptParts(setting, cuts);
  const { plan, feeds } = judgementPlan(setting, cuts, parts);
  const senders = parts.reduce((sum, part) => sum + part.senders.length, 0);
  const perPrompt = 4 * pos * engine.config.dModel * (senders + 4 * 3 * engine.config.nHeads);
  const step = Math.max(1, Math.floor(memory / perPrompt));
  const results = runs.map(() => new Float64Array(prompts));
  try {
    for (let start = 0; start < prompts; start += step) {
      const count = Math.min(step, prompts - start);
      const run = await plan.run(promptFeeds(plan, feeds, start, count), {
        signal,
        manyRows: true,
        seldom: true,
      });
      runs.forEach((name, i) => {
        results[i]!.set(run[name]!.data as Float32Array, start);
      });
    }
  } finally {
    await plan.release();
  }
  for (const values of results) refuseUnlessFinite(values, prompts);
  return results as [Float64Array, Float64Array, Float64Array];
}

/** The parts that kept edges join to the logits, with the heads that they need. */
function keptParts({ graph, blocks, engine }: CircuitSetting, cuts: Cuts): OnlinePart[] {
  const isSeen = reachingLogits(graph, cuts);
  const standAlone = headsStandAlone(engine);
  return blocks.flatMap((block): OnlinePart[] => {
    const all = Array.from({ length: block.count }, (_, i) => block.first + i);
    const seen = all.filter((sender) => isSeen[sender]);
    return seen.length === 0 ? [] : [{ block, senders: standAlone ? seen : all }];
  });
}

/** The plan that evaluates a circuit, and what it is fed. */
function judgementPlan(
  setting: CircuitSetting,
  cuts: Cuts,
  parts: readonly OnlinePart[],
): { plan: Plan; feeds: Feeds } {
  const { engine, task, model } = setting;
  const points = parts.flatMap(({ block }) => sentPointsOf(engine, block));
  const corrupt = onCorrupt(taskGraph(setting, points));
  const graphs = [taskGraph(setting, []), corrupt, circuitGraphOn(setting, corrupt, cuts, parts)];
  const metrics = graphs.map((graph) => lowerMetric(task.metric, graph, model.metricInput(task.clean)));
  const outputs = Object.fromEntries(runs.map((name, i) => [name, metrics[i]!.perRow!]));
  return {
    plan: engine.runtime.plan(g.expandLate({ outputs })),
    feeds: { ...engine.feeds(task.clean, []), ...corruptFeeds(setting), ...metrics[0]!.feeds },
  };
}

/** The run of a circuit beside the one on the corrupt prompts. */
function circuitGraphOn(
  setting: CircuitSetting,
  corrupt: g.Graph,
  cuts: Cuts,
  parts: readonly OnlinePart[],
): g.Graph {
  const { engine } = setting;
  const { dModel } = engine.config;
  const flat = productDim(["batch", "pos", dModel]);
  const groups = receivingGroups(setting, parts, () => true);
  const receiving = new Map(
    groups.flatMap((group) => group.inputs.map(({ point }, i) => [point, { group, i }] as const)),
  );
  const seen = new Map<string, Value>();
  /** What a part's senders write in the circuit less what they write on the corrupt prompts, `[sender, batch·pos·dModel]`. */
  const changeOf = ({ block, senders }: OnlinePart): Value => {
    const bySender = (point: (name: string) => Value): Value =>
      g.transpose(sentBy(block, engine, point), [2, 0, 1, 3]);
    const online = bySender((name) => seen.get(name)!);
    const all = bySender((name) => g.findPoint(corrupt, name));
    const places = senders.map((sender) => sender - block.first);
    const chosen = g.constant(places, [places.length], "int64");
    const other = senders.length === block.count ? all : g.gather(all, chosen);
    return g.reshape(g.sub(online, other), [senders.length, flat]);
  };
  const stacksBefore = growingStacks(parts, changeOf);
  const inputsOf = (group: CutGroup): Value => {
    const count = group.receivers.length;
    const kept = (senders: readonly number[]): Value => {
      const each = group.receivers.flatMap((receiver) =>
        senders.map((sender) => (sender < group.senders ? 1 - cuts[edgeOf(group, receiver, sender)]! : 0)),
      );
      return g.constant(each, [count, senders.length]);
    };
    const base = g.reshape(g.findPoint(corrupt, group.state), [1, flat]);
    const sum = stacksBefore(group.senders).reduce(
      (so, { senders, value }) => g.add(g.matmul(kept(senders), value), so),
      base,
    );
    return g.reshape(sum, [count, "batch", "pos", dModel]);
  };
  const inputs = new Map<CutGroup, Value>();
  const outputs = g.rebuild(runGraph(setting, { parts, cut: groups }).outputs, (original, rebuilt) => {
    if (original.op !== "point") return rebuilt;
    const { name, axes } = original.attributes as { name: string; axes: readonly string[] };
    const own = receiving.get(name);
    if (own && !inputs.has(own.group)) inputs.set(own.group, inputsOf(own.group));
    const value = own ? inputAt(own.group, own.i, inputs.get(own.group)!, axes) : rebuilt.inputs[0]!;
    const named = g.point(name, value, axes);
    seen.set(name, named);
    return named;
  });
  return { outputs };
}
