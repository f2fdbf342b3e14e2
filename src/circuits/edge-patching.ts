/**
 * Exact edge patching: the metric of a model in which chosen edges are cut, that is, receivers read another output of the
 * senders (Goldowsky-Dill et al. 2023, "Localizing Model Behavior with Path Patching").
 */

import type { TypedArray } from "../array/index.js";
import type { Engine } from "../model/engine.js";
import type { Model } from "../model/index.js";
import { type LoweredMetric, lowerMetric } from "../model/metrics.js";
import type { Feed } from "../runtime/ort.js";
import type { Plan } from "../runtime/plan.js";
import type { CircuitGraph, ReceiverGroup } from "./circuit-graph.js";
import { fed, type OnlineParts, onlineParts, patchedGraph, sendersTo } from "./patched-graph.js";
import { type Cuts, changed, reachingLogits } from "./reach.js";
import { receiverPoints, type SenderBlock, sentPoints } from "./residual-parts.js";
import { replacements, type SenderValues, senderValues, taskGraph } from "./sender-values.js";
import { type CircuitSetting, circuitSetting } from "./setting.js";
import type { CircuitTask, ReadTask } from "./task.js";

/** Rows of one run together have about so many tokens at most, times bytes of the model's parameters. */
const RUN_WORK = 1e11;
/** The fewest tokens that are worth a run of their own. */
const FULL_RATE_TOKENS = 256;

/** A plan with what does not change between its runs. */
interface ReadyPlan {
  readonly parts: OnlineParts;
  readonly plan: Plan;
  readonly feeds: Readonly<Record<string, Feed>>;
  readonly metric: LoweredMetric;
}

/** A model and a task, ready to evaluate any choice of edges. */
export class EdgePatching {
  private readonly ready = new Map<string, ReadyPlan>();

  private constructor(
    readonly setting: CircuitSetting,
    private readonly clean: SenderValues,
    private readonly replacement: Float32Array,
    /** What replaces the senders' outputs less what they are, `[sender, prompt·pos·dModel]`. */
    private readonly difference: Float32Array,
  ) {}

  /** Runs the model on the prompts and keeps what the task needs. */
  static async prepare(model: Model, options: CircuitTask): Promise<EdgePatching> {
    const { signal } = options;
    const setting = await circuitSetting(model, options);
    const { task, graph, engine, prompts, pos } = setting;
    const clean = await senderValues(setting, task.clean, { signal, states: true });
    const { ablation, meanOf } = task.ablation;
    const usesCorrupt = ablation === "resample" || (ablation === "mean" && meanOf === "corrupt");
    const source = usesCorrupt
      ? (await senderValues(setting, task.corrupt!, { signal, states: false })).sent
      : clean.sent;
    const sizes = { senders: graph.senders.length, prompts, pos, dModel: engine.config.dModel };
    const replacement = replacements(source, task.ablation, sizes);
    const difference = new Float32Array(replacement.length);
    for (let i = 0; i < difference.length; i++) difference[i] = replacement[i]! - clean.sent[i]!;
    return new EdgePatching(setting, clean, replacement, difference);
  }

  /** The edges that can be cut. */
  get graph(): CircuitGraph {
    return this.setting.graph;
  }

  /** What they are judged by. */
  get task(): ReadTask {
    return this.setting.task;
  }

  /** How many prompts there are. */
  get prompts(): number {
    return this.setting.prompts;
  }

  /** How many choices of edges are evaluated in one run, of a plan that computes everything. */
  get rowsAtOnce(): number {
    if (typeof this.task.metric === "function") return 1;
    const { tokens } = this.task.clean;
    const bytes = this.setting.engine.parameters.names.length === 0 ? 1 : parameterBytes(this.setting.engine);
    const budget = Math.max(FULL_RATE_TOKENS, Math.min(RUN_WORK / bytes, 16_384));
    return Math.max(1, Math.floor(budget / (tokens.length * tokens[0]!.length)));
  }

  /** The metric of several choices of edges: of each, the mean over prompts. */
  async evaluate(choices: readonly Cuts[], signal?: AbortSignal): Promise<number[]> {
    const perPrompt = await this.evaluatePrompts(choices, signal);
    return perPrompt.map((values) => values.reduce((a, b) => a + b, 0) / values.length);
  }

  /** The metric of several choices of edges for each prompt; of a metric that is a function, one value for all. */
  async evaluatePrompts(choices: readonly Cuts[], signal?: AbortSignal): Promise<Float64Array[]> {
    const results: Float64Array[] = [];
    const step = this.rowsAtOnce;
    for (let start = 0; start < choices.length; start += step)
      results.push(...(await this.run(choices.slice(start, start + step), signal)));
    return results;
  }

  private async run(choices: readonly Cuts[], signal?: AbortSignal): Promise<Float64Array[]> {
    const ready = this.planFor(choices);
    const { parts, plan, feeds, metric } = ready;
    const count = choices.length;
    const rows = count * this.prompts;
    const all: Record<string, Feed> = {
      ...this.rowFeeds(plan, { ...this.batchFeeds(), ...metric.feeds }, count),
      ...feeds,
      [fed.row]: integers(rows, (row) => row % this.prompts),
      [fed.candidate]: integers(rows, (row) => Math.floor(row / this.prompts)),
    };
    for (const group of parts.groups) {
      all[fed.constantMask(group)] = mask(group, sendersTo(group, parts.constant), choices);
      all[fed.onlineMask(group)] = mask(group, sendersTo(group, parts.online), choices);
    }
    const { metric: values } = await plan.run(all, { signal });
    const data = Float64Array.from(values!.data as Float32Array);
    const bad = data.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0)
      throw new Error(
        `The metric of a circuit is ${data[bad]}${metric.perRow ? ` for prompt ${bad % this.prompts}` : ""}, so circuits cannot be compared by it.`,
      );
    return metric.perRow
      ? choices.map((_, i) => data.slice(i * this.prompts, (i + 1) * this.prompts))
      : [data];
  }

  /** The plan that computes what any of the choices changes, and no more. */
  private planFor(choices: readonly Cuts[]): ReadyPlan {
    const names = new Set<string>();
    for (const cuts of choices) {
      const changes = changed(this.graph, cuts);
      const reaching = reachingLogits(this.graph, cuts);
      for (const { name, first, count } of this.setting.blocks)
        for (let sender = first; sender < first + count; sender++)
          if (changes[sender] && reaching[sender]) names.add(name);
    }
    const key = [...names].sort().join();
    const known = this.ready.get(key) ?? this.compile(names);
    this.ready.delete(key);
    this.ready.set(key, known);
    // Feeds hold copies of what senders write; few plans are in use at a time.
    if (this.ready.size > 4) this.ready.delete(this.ready.keys().next().value!);
    return known;
  }

  private compile(names: ReadonlySet<string>): ReadyPlan {
    const { engine, blocks } = this.setting;
    const { clean } = this.task;
    const parts = onlineParts(this.graph, blocks, names, engine);
    const whole = taskGraph(this.setting, [...sentPoints(engine), ...receiverPoints(engine)]);
    const patched = patchedGraph(engine, whole, parts);
    const metric = lowerMetric(this.task.metric, patched, this.setting.model.metricInput(clean));
    const plan = engine.runtime.plan({ outputs: { metric: metric.perRow ?? metric.scalar } });
    return { parts, plan, metric, feeds: this.constantFeeds(parts) };
  }

  /** What plans are fed of the model's own run, and of what takes its place. */
  private constantFeeds(parts: OnlineParts): Record<string, Feed> {
    const { dModel } = this.setting.engine.config;
    const { prompts } = this;
    const pos = this.task.clean.tokens[0]!.length;
    const size = prompts * pos * dModel;
    const feeds: Record<string, Feed> = {};
    const state = (name: string): Feed => float(this.clean.at.get(name)!, [prompts, pos, dModel]);
    feeds[fed.residual] = state(parts.start);
    for (const part of parts.between) feeds[fed.written(part)] = state(part.output);
    feeds[fed.difference] = float(this.differences(parts.constant, size), [countAll(parts.constant), size]);
    for (const part of parts.online) {
      const data = new Float32Array(part.count * size);
      const width = pos * dModel;
      for (let i = 0; i < part.count; i++)
        for (let prompt = 0; prompt < prompts; prompt++) {
          const from = (part.first + i) * size + prompt * width;
          data.set(this.replacement.subarray(from, from + width), (prompt * part.count + i) * width);
        }
      feeds[fed.replacement(part)] = float(data, [prompts, part.count, pos, dModel]);
    }
    return feeds;
  }

  /** The rows of the differences that belong to these parts: a view where they stand together. */
  private differences(parts: readonly SenderBlock[], size: number): Float32Array {
    const count = countAll(parts);
    const last = parts.at(-1)!;
    if (last.first + last.count === count) return this.difference.subarray(0, count * size);
    const data = new Float32Array(count * size);
    let at = 0;
    for (const { first, count: own } of parts) {
      data.set(this.difference.subarray(first * size, (first + own) * size), at * size);
      at += own;
    }
    return data;
  }

  private batchFeeds(): Record<string, Feed> {
    return this.setting.engine.feeds(this.task.clean, this.setting.edits);
  }

  /** Feeds that have a row for each prompt, repeated for each choice. */
  private rowFeeds(plan: Plan, feeds: Readonly<Record<string, Feed>>, count: number): Record<string, Feed> {
    const repeated = Object.entries(feeds).map(([name, feed]): [string, Feed] => {
      if (count === 1 || plan.inputShape(name)?.[0] !== "batch") return [name, feed];
      const { dtype, shape, data } = feed;
      const all = new (data.constructor as new (length: number) => TypedArray)(data.length * count);
      for (let i = 0; i < count; i++) (all as Float32Array).set(data as Float32Array, i * data.length);
      return [name, { dtype, shape: [shape[0]! * count, ...shape.slice(1)], data: all }];
    });
    return Object.fromEntries(repeated);
  }
}

const float = (data: Float32Array, shape: readonly number[]): Feed => ({ dtype: "float32", shape, data });

const integers = (length: number, of: (i: number) => number): Feed => ({
  dtype: "int64",
  shape: [length],
  data: BigInt64Array.from({ length }, (_, i) => BigInt(of(i))),
});

const countAll = (parts: readonly SenderBlock[]): number => parts.reduce((sum, { count }) => sum + count, 0);

const parameterBytes = ({ parameters }: Engine): number =>
  parameters.names.reduce((sum, name) => sum + 4 * parameters.info(name).shape.reduce((a, b) => a * b, 1), 0);

/** The cuts of a group's edges from some of its senders, `[candidate, receiver, sender]`. */
function mask(
  { receivers, senders, firstEdge }: ReceiverGroup,
  parts: readonly SenderBlock[],
  choices: readonly Cuts[],
): Feed {
  const columns = parts.flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i));
  const data = new Float32Array(choices.length * receivers.length * columns.length);
  let at = 0;
  for (const cuts of choices)
    for (let receiver = 0; receiver < receivers.length; receiver++)
      for (const column of columns) data[at++] = cuts[firstEdge + receiver * senders + column]!;
  return float(data, [choices.length, receivers.length, columns.length]);
}
