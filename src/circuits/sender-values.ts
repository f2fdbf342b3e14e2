/** What senders write on a set of prompts, and what takes its place. */

import * as g from "../graph/index.js";
import { productDim } from "../graph/shapes.js";
import { weave } from "../model/engine.js";
import type { Batch } from "../model/input.js";
import { sentBy, sentPoints } from "./residual-parts.js";
import type { CircuitSetting } from "./setting.js";
import { type AblationOptions, readsLastLogits } from "./task.js";

/** What circuits are put together from. */
export interface SenderValues {
  /** What each sender writes in the model's own run, `[sender, batch·pos·dModel]`. */
  readonly sent: Float32Array;
  /** What replaces that, less what it is. */
  readonly difference: Float32Array;
  /** The residual stream that receivers read in the model's own run, and what each part adds to it: `[batch, pos, dModel]`. */
  readonly at: ReadonlyMap<string, Float32Array>;
}

/** The graph in which points are apart; its logits are those that the task's metric reads. */
export function taskGraph({ engine, edits, task }: CircuitSetting, points: readonly string[]): g.Graph {
  const wanted = [...points, ...edits.map(({ point }) => point)];
  const padded = task.clean.mask !== undefined;
  return weave(engine.graph(wanted, { padded, last: readsLastLogits(task.metric) }), edits);
}

/** What each part sends, `[sender, batch·pos·dModel]`, in a graph that has the heads' results apart. */
export function sentParts({ engine, blocks }: CircuitSetting, point: (name: string) => g.Value): g.Value[] {
  return blocks.map((block) => {
    const sent = g.transpose(sentBy(block, engine, point), [2, 0, 1, 3]);
    return g.reshape(sent, [block.count, productDim(["batch", "pos", engine.config.dModel])]);
  });
}

/** Runs the model on the prompts of a task and keeps what each sender writes, and what takes its place. */
export async function senderValues(setting: CircuitSetting, signal?: AbortSignal): Promise<SenderValues> {
  const { task, graph, engine, prompts, pos } = setting;
  const { ablation, meanOf } = task.ablation;
  const { sent, at } = await runSenders(setting, task.clean, true, signal);
  const usesCorrupt = ablation === "resample" || (ablation === "mean" && meanOf === "corrupt");
  const from = usesCorrupt ? (await runSenders(setting, task.corrupt!, false, signal)).sent : sent;
  const sizes = { senders: graph.senders.length, prompts, pos, dModel: engine.config.dModel };
  const difference = replacements(from, task.ablation, sizes);
  for (let i = 0; i < difference.length; i++) difference[i]! -= sent[i]!;
  return { sent, difference, at };
}

/** Runs the model on prompts: what senders write, and, where it is asked for, the states that receivers read. */
export async function runSenders(
  setting: CircuitSetting,
  batch: Batch,
  withStates: boolean,
  signal?: AbortSignal,
): Promise<Pick<SenderValues, "sent" | "at">> {
  const { engine, edits, blocks } = setting;
  const { nLayers } = engine.config;
  // The inputs of heads are the residual stream here, so they need not be apart.
  const all = [...sentPoints(engine), ...edits.map(({ point }) => point)];
  const graph = weave(engine.graph(all, { padded: batch.mask !== undefined }), edits);
  const stacked = sentParts(setting, (name) => g.findPoint(graph, name));
  const points = g.pointsOf(graph);
  const names = withStates
    ? [
        ...Array.from({ length: nLayers }, (_, layer) => [
          `blocks.${layer}.hook_resid_pre`,
          `blocks.${layer}.hook_resid_mid`,
        ]).flat(),
        `blocks.${nLayers - 1}.hook_resid_post`,
        ...blocks.map(({ output }) => output),
      ].filter((name) => points.has(name))
    : [];
  // A batch of one repeats what does not depend on the prompts, such as learned positions.
  const full = (x: g.Value): g.Value =>
    x.shape[0] === "batch" ? x : g.expand(x, ["batch", ...x.shape.slice(1)]);
  const outputs = Object.fromEntries(names.map((name) => [name, full(points.get(name)!)]));
  const plan = engine.runtime.plan({ outputs: { sent: g.concat(stacked, 0), ...outputs } });
  const run = await plan.run(engine.feeds(batch, edits), { signal, manyRows: true });
  return {
    sent: run.sent!.data as Float32Array,
    at: new Map(names.map((name) => [name, run[name]!.data as Float32Array])),
  };
}

/**
 * What takes the place of the senders' outputs, `[sender, batch·pos·dModel]`.
 *
 * @param from the senders' outputs that are resampled or averaged
 */
export function replacements(
  from: Float32Array,
  { ablation, meanOver }: Required<AblationOptions>,
  { senders, prompts, pos, dModel }: { senders: number; prompts: number; pos: number; dModel: number },
): Float32Array {
  if (ablation === "resample") return from;
  const result = new Float32Array(from.length);
  if (ablation === "zero") return result;
  const width = pos * dModel;
  const period = meanOver === "prompts" ? width : dModel;
  const repeats = (prompts * width) / period;
  for (let sender = 0; sender < senders; sender++) {
    const values = from.subarray(sender * prompts * width, (sender + 1) * prompts * width);
    const sums = new Float64Array(period);
    values.forEach((value, i) => {
      sums[i % period]! += value;
    });
    const target = result.subarray(sender * prompts * width, (sender + 1) * prompts * width);
    for (let i = 0; i < target.length; i++) target[i] = sums[i % period]! / repeats;
  }
  return result;
}
