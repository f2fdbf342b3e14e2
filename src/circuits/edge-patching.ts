/**
 * Exact edge patching: the metric of a model in which chosen edges are cut, that is, receivers read another output of the
 * senders (Goldowsky-Dill et al. 2023, "Localizing Model Behavior with Path Patching").
 */

import type { TypedArray } from "../array/index.js";
import * as g from "../graph/index.js";
import type { Engine } from "../model/engine.js";
import type { Model } from "../model/index.js";
import { type LoweredMetric, lowerMetric } from "../model/metrics.js";
import type { Feed } from "../runtime/ort.js";
import type { Plan } from "../runtime/plan.js";
import type { CircuitGraph } from "./circuit-graph.js";
import { type CutGroup, edgeOf, type Online, type OnlinePart, onlineFor } from "./online.js";
import { fed, type PatchedGraph, patchedGraph } from "./patched-graph.js";
import { type Cuts, cutUnreached } from "./reach.js";
import { commonCuts, ReceiverBases } from "./receiver-bases.js";
import { type SenderValues, senderValues } from "./sender-values.js";
import { type CircuitSetting, circuitSetting } from "./setting.js";
import { headsStandAlone } from "./some-heads.js";
import { type CircuitTask, type ReadTask, refuseUnlessFinite } from "./task.js";

/** Rows of one run together have about so many tokens at most, times bytes of the model's parameters. */
const RUN_WORK = 1e11;
/** Nor have they more than so many tokens: larger runs take memory, and are no faster. */
const MOST_TOKENS = 1024;
/** The fewest tokens that are worth a run of their own. */
const FULL_RATE_TOKENS = 256;
/** With less work than this for one choice, a plan for few heads saves less than it takes to compile. */
const WORTH_LEAVING_OUT = 2e10;

/** A plan with what does not change between its runs. */
interface ReadyPlan {
  readonly stacks: PatchedGraph["stacks"];
  readonly plan: Plan;
  readonly feeds: Readonly<Record<string, Feed>>;
  readonly metric: LoweredMetric;
}

/** A model and a task, ready to evaluate any choice of edges. */
export class EdgePatching {
  private readonly ready = new Map<string, ReadyPlan>();
  private readonly bases: ReceiverBases;
  private readonly leavesOut: boolean;

  private constructor(
    readonly setting: CircuitSetting,
    private readonly values: SenderValues,
    leaveHeadsOut: boolean | undefined,
  ) {
    this.bases = new ReceiverBases(setting, values);
    const { engine, edits, prompts, pos } = setting;
    const isLarge = prompts * pos * parameterBytes(engine) > WORTH_LEAVING_OUT;
    this.leavesOut = (leaveHeadsOut ?? isLarge) && edits.length === 0 && headsStandAlone(engine);
  }

  /**
   * Runs the model on the prompts and keeps what the task needs.
   *
   * @param options.leaveHeadsOut whether runs are without the heads that the logits do not see; by default where that saves
   * more than it takes to compile plans for fewer heads. The values are the same
   */
  static async prepare(
    model: Model,
    options: CircuitTask & { readonly leaveHeadsOut?: boolean },
  ): Promise<EdgePatching> {
    return EdgePatching.on(await circuitSetting(model, options), options);
  }

  /** The same for a task that has been read. */
  static async on(
    setting: CircuitSetting,
    { leaveHeadsOut, signal }: { readonly leaveHeadsOut?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<EdgePatching> {
    return new EdgePatching(setting, await senderValues(setting, signal), leaveHeadsOut);
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
    const { engine, prompts, pos } = this.setting;
    const bytes = engine.parameters.names.length === 0 ? 1 : parameterBytes(engine);
    const budget = Math.max(FULL_RATE_TOKENS, Math.min(RUN_WORK / bytes, MOST_TOKENS));
    return Math.max(1, Math.floor(budget / (prompts * pos)));
  }

  /** The metric of several choices of edges: of each, the mean over prompts. */
  async evaluate(choices: readonly Cuts[], signal?: AbortSignal): Promise<number[]> {
    const perPrompt = await this.evaluatePrompts(choices, signal);
    return perPrompt.map((values) => values.reduce((a, b) => a + b, 0) / values.length);
  }

  /** The metric of several choices of edges for each prompt; of a metric that is a function, one value for all. */
  async evaluatePrompts(given: readonly Cuts[], signal?: AbortSignal): Promise<Float64Array[]> {
    const isResampled = this.task.ablation.ablation === "resample";
    const choices = isResampled ? given.map((cuts) => cutUnreached(this.graph, cuts)) : given;
    const results: Float64Array[] = [];
    const step = this.rowsAtOnce;
    for (let start = 0; start < choices.length; start += step)
      results.push(...(await this.run(choices.slice(start, start + step), signal)));
    return results;
  }

  /** Frees the plans. */
  async release(): Promise<void> {
    await Promise.all([...this.ready.values()].map(({ plan }) => plan.release()));
    this.ready.clear();
  }

  private async run(choices: readonly Cuts[], signal?: AbortSignal): Promise<Float64Array[]> {
    const online = onlineFor(this.setting, choices, this.leavesOut);
    const { stacks, plan, feeds, metric } = this.planFor(online);
    const { engine, task, edits } = this.setting;
    const count = choices.length;
    const all: Record<string, Feed> = {
      ...this.rowFeeds(plan, { ...engine.feeds(task.clean, edits), ...metric.feeds }, count),
      ...feeds,
      [fed.row]: integers(count * this.prompts, (row) => row % this.prompts),
    };
    const common = commonCuts(this.graph, choices);
    for (const [own, read] of stacks)
      Object.assign(all, await this.groupFeeds(own, read, choices, common, signal));
    const { metric: values } = await plan.run(all, { signal, manyRows: true });
    const data = Float64Array.from(values!.data as Float32Array);
    refuseUnlessFinite(data, metric.perRow && this.prompts);
    return metric.perRow
      ? choices.map((_, i) => data.slice(i * this.prompts, (i + 1) * this.prompts))
      : [data];
  }

  /** The plan that computes what any of the choices changes, and no more. */
  private planFor(online: Online): ReadyPlan {
    const key = JSON.stringify([
      online.parts.map(({ block, senders }) => [block.name, senders]),
      online.cut.map(({ inputs, varies }) => [inputs, varies]),
    ]);
    const known = this.ready.get(key) ?? this.compile(online);
    this.ready.delete(key);
    this.ready.set(key, known);
    // Feeds hold copies of what senders write, and plans hold memory; few are in use at a time.
    if (this.ready.size > 2) {
      const [oldest, { plan }] = this.ready.entries().next().value!;
      this.ready.delete(oldest);
      void plan.release();
    }
    return known;
  }

  private compile(online: Online): ReadyPlan {
    const { engine, task, model } = this.setting;
    const { graph, stacks } = patchedGraph(this.setting, online, this.rowsAtOnce === 1);
    const metric = lowerMetric(task.metric, graph, model.metricInput(task.clean));
    const outputs = { metric: metric.perRow ?? metric.scalar };
    this.bases.keep(new Set(online.cut.map(({ name }) => name)));
    return {
      stacks,
      plan: engine.runtime.plan(g.expandLate({ outputs })),
      metric,
      feeds: this.constantFeeds(online),
    };
  }

  /** What plans are fed of the model's own run. */
  private constantFeeds({ parts, start, between }: Online): Record<string, Feed> {
    const { shape } = this;
    const feeds: Record<string, Feed> = { [fed.residual]: float(this.values.at.get(start)!, shape) };
    for (const block of between) feeds[fed.written(block)] = float(this.values.at.get(block.output)!, shape);
    for (const part of parts) {
      feeds[fed.known(part)] = this.rowsOf(this.values.sent, part.senders);
      if (part.senders.length < part.block.count) feeds[fed.leftOut(part)] = float(this.leftOut(part), shape);
    }
    return feeds;
  }

  /** What the heads of a part write that are left out of it. */
  private leftOut({ block, senders }: OnlinePart): Float32Array {
    const width = this.width;
    const sum = new Float32Array(width);
    for (let sender = block.first; sender < block.first + block.count; sender++) {
      if (senders.includes(sender)) continue;
      const from = this.values.sent.subarray(sender * width, (sender + 1) * width);
      for (let i = 0; i < width; i++) sum[i]! += from[i]!;
    }
    return sum;
  }

  /** What a group with cut edges is fed. */
  private async groupFeeds(
    group: CutGroup,
    stacks: readonly (readonly number[])[],
    choices: readonly Cuts[],
    common: Cuts,
    signal?: AbortSignal,
  ): Promise<Record<string, Feed>> {
    const { receivers, varies } = group;
    const base = await this.bases.get(group, common, signal);
    const feeds: Record<string, Feed> = { [fed.base(group)]: float(base, [receivers.length, ...this.shape]) };
    const isCut = (cuts: Cuts, receiver: number, sender: number): number =>
      cuts[edgeOf(group, receiver, sender)]!;
    const isSingle = this.rowsAtOnce === 1;
    const mask = (senders: readonly number[], of: (...edge: [Cuts, number, number]) => number): Feed => {
      const each = choices.flatMap((cuts) =>
        receivers.flatMap((receiver) => senders.map((sender) => of(cuts, receiver, sender))),
      );
      const shape = [receivers.length, senders.length];
      return float(Float32Array.from(each), isSingle ? shape : [choices.length, ...shape]);
    };
    if (varies) {
      const differs = (sender: number): boolean =>
        receivers.some((receiver) =>
          choices.some((cuts) => isCut(cuts, receiver, sender) !== isCut(common, receiver, sender)),
        );
      const senders = Array.from({ length: group.senders }, (_, sender) => sender).filter(differs);
      feeds[fed.difference(group)] = this.rowsOf(this.values.difference, senders);
      feeds[fed.cuts(group)] = mask(
        senders,
        (cuts, receiver, sender) => isCut(cuts, receiver, sender) - isCut(common, receiver, sender),
      );
    }
    stacks.forEach((senders, i) => {
      feeds[fed.kept(group, i)] = mask(senders, (cuts, receiver, sender) =>
        sender < group.senders ? 1 - isCut(cuts, receiver, sender) : 0,
      );
    });
    return feeds;
  }

  /** Of what a sender writes: `[prompts, pos, dModel]`. */
  private get shape(): [number, number, number] {
    const { prompts, pos, engine } = this.setting;
    return [prompts, pos, engine.config.dModel];
  }

  private get width(): number {
    return this.shape.reduce((a, b) => a * b);
  }

  /** Rows of some senders: a view where they stand together. */
  private rowsOf(all: Float32Array, senders: readonly number[]): Feed {
    const { width } = this;
    const [first = 0] = senders;
    const together = senders.every((sender, i) => sender === first + i);
    if (together)
      return float(all.subarray(first * width, (first + senders.length) * width), [
        senders.length,
        ...this.shape,
      ]);
    const data = new Float32Array(senders.length * width);
    senders.forEach((sender, i) => {
      data.set(all.subarray(sender * width, (sender + 1) * width), i * width);
    });
    return float(data, [senders.length, ...this.shape]);
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

const parameterBytes = ({ parameters }: Engine): number =>
  parameters.names.reduce((sum, name) => sum + 4 * parameters.info(name).shape.reduce((a, b) => a * b, 1), 0);
