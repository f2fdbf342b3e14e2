/**
 * Many variants of one run of a model, each changed at a few places: the machine behind patching, ablation and causal
 * tracing.
 *
 * All variants are rows of one plan. A row joins the batch where its variant begins to differ from the known run
 * (`stagger`), positions before the first changed one keep the known run's keys and values, and behind the last block
 * only the positions that the metric reads are computed (`narrow`).
 */

import type { Tensor } from "../../array/index.js";
import type { Value } from "../../graph/index.js";
import * as g from "../../graph/index.js";
import { weave } from "../../model/engine.js";
import type { Metric, Model } from "../../model/index.js";
import type { Batch } from "../../model/input.js";
import type { LoweredEdit } from "../../model/lower-edits.js";
import { lowerMetric } from "../../model/metrics.js";
import { reportProgress, workSignal } from "../../runtime/host.js";
import type { Feed } from "../../runtime/ort.js";
import { fromPosition, type KnownRun, observe, partOfKnown } from "./known-run.js";
import { type Run, runsOf } from "./schedule.js";

/** Places along the axes of a point's value: all along an axis that is not named. */
export type Selected = Readonly<Record<string, readonly number[]>>;

/** A change of a point's value. */
export interface PointChange {
  /** Its full name. */
  readonly point: string;
  readonly select: Selected;
}

/** One variant: its changes in the order of computation. */
export type Variant = readonly PointChange[];

/** What takes the place of a point's value: nothing, a value for each prompt, or one for each variant and prompt. */
export type Replacing = "zero" | "prompts" | "rows";

/** What variants are made of. */
export interface VariantsOptions {
  /** The prompts of the run that is changed. */
  readonly batch: Batch;
  readonly variants: readonly Variant[];
  readonly replacing: Replacing;
  /** What is measured of each variant; or the points whose values are kept. */
  readonly measure: Metric | readonly string[];
  /** Points whose values stay those of the known run. */
  readonly frozen?: readonly string[];
  /** Edits of the known run alone, at points in front of all that variants change. */
  readonly disturbed?: readonly LoweredEdit[];
  /** Whether prompts of other runs are padded. */
  readonly padded?: boolean;
}

/** A plan for the variants that begin at certain points. */
interface Stage {
  readonly staggered: g.Staggered;
  readonly graph: g.Graph;
}

/** What became of the variants. */
export interface Measured {
  /** For each output its numbers, variant by variant and in each prompt by prompt; NaN where the work was ended before. */
  readonly outputs: Readonly<Record<string, Float32Array>>;
  /** 1 for each variant that was run. */
  readonly done: Uint8Array;
}

/** Variants of one run, ready to be run. */
export class Variants {
  readonly batch: Batch;
  /** The model's own edits. */
  private readonly own: readonly LoweredEdit[];
  private readonly edits: readonly LoweredEdit[];
  /** Whether positions before the first changed one are left out. */
  readonly windowed: boolean;
  private readonly outputs: g.Graph;
  /** The keys and values of the positions of a run. */
  private present: Readonly<Record<string, Value>> = {};
  /** The points that variants change, and along which axes they select. */
  private readonly changed = new Map<string, { axes: Set<string>; later: boolean; index: number }>();
  /** The variants without changes of points that lead to nothing that is measured. */
  private readonly variants: readonly Variant[];
  private readonly frozen: readonly string[];
  /** The points that are changed, in the order of computation. */
  private readonly order: readonly string[];
  /** Whether what is measured is measured of each prompt; not so for a metric that is a function. */
  private perPrompt = true;
  private readonly stages = new Map<string, Stage>();
  /** The names of values of the known run, the same in all stages. */
  private readonly knownNames = new Map<Value, string>();
  private readonly runs: readonly Run[];
  private readonly padded: boolean;
  private readonly metric?: Metric;

  constructor(
    private readonly model: Model,
    private readonly options: VariantsOptions,
  ) {
    const { engine, edits = [] } = model.parts;
    const { batch, variants, measure } = options;
    this.batch = batch;
    this.own = engine.lower(edits);
    this.edits = [...this.own, ...(options.disturbed ?? [])];
    this.padded = options.padded ?? batch.mask !== undefined;
    this.metric = isPoints(measure) ? undefined : measure;
    for (const changes of variants) this.register(changes);
    const starts = variants.map((changes) => this.startOf(changes));
    const { bidirectional, stateSpace, encoder } = model.config;
    this.windowed =
      starts.some((start) => start > 0) && this.own.length === 0 && !bidirectional && !stateSpace && !encoder;
    this.outputs = this.measured();
    const leading = [...g.pointsOf(this.outputs).keys()];
    const places = new Map(leading.map((point, i) => [point, i]));
    this.variants = variants.map((changes) =>
      changes
        .filter(({ point }) => places.has(point))
        .sort((a, b) => places.get(a.point)! - places.get(b.point)!),
    );
    for (const [, ...rest] of this.variants)
      for (const { point } of rest) this.changed.get(point)!.later = true;
    this.frozen = (options.frozen ?? []).filter((point) => places.has(point));
    this.order = leading.filter((point) => this.changed.has(point));
    const together = typeof measure !== "function" && this.edits.every(({ rowwise }) => rowwise);
    this.runs = runsOf({
      rows: this.variants.flatMap(([first], variant) =>
        first === undefined
          ? []
          : batch.tokens.map((_, prompt) => ({
              variant,
              prompt,
              point: first.point,
              start: this.windowed ? starts[variant]! : 0,
            })),
      ),
      order: this.order,
      length: batch.tokens[0]!.length,
      together,
      engine,
      everyPosition: this.lastRead() === 0,
    });
    for (const { points } of this.runs) this.stage(points);
  }

  /** Notes what a variant changes. */
  private register(changes: Variant): void {
    const { engine } = this.model.parts;
    for (const { point, select } of changes) {
      const known = this.changed.get(point) ?? { axes: new Set(), later: false, index: this.changed.size };
      const { axes } = engine.site(point);
      for (const axis of Object.keys(select)) {
        if (!axes.includes(axis))
          throw new Error(`The point "${point}" has no axis "${axis}"; it has ${axes.join(", ")}.`);
        known.axes.add(axis);
      }
      this.changed.set(point, known);
    }
  }

  /** The first position that a variant may change, and no later than what the metric reads. */
  private startOf(changes: Variant): number {
    const starts = changes.map(({ select }) => Math.min(...(select.pos ?? select.query ?? [0])));
    return Math.min(this.lastRead(), ...starts);
  }

  /** The last position that has to be computed for what is measured; 0 where all of them are read. */
  private lastRead(): number {
    const { metric } = this;
    const length = this.batch.tokens[0]!.length;
    if (!metric || typeof metric === "function" || !("pos" in metric)) return 0;
    return metric.pos < 0 ? metric.pos + length : metric.pos;
  }

  /** The model's graph, and in it what is measured. */
  private measured(): g.Graph {
    const { engine } = this.model.parts;
    const { measure, frozen = [] } = this.options;
    const { metric } = this;
    const wanted = [
      ...this.changed.keys(),
      ...frozen,
      ...this.edits.map(({ point }) => point),
      ...(isPoints(measure) ? measure : []),
      ...(typeof metric === "function" ? engine.mentioned(metric) : []),
    ];
    const graph = weave(engine.graph(wanted, { padded: this.padded, cached: this.windowed }), this.edits);
    this.present = Object.fromEntries(
      Object.entries(graph.outputs).filter(([name]) => name.startsWith("present.")),
    );
    if (isPoints(measure)) return g.sliceGraph(graph, measure);
    const { perRow, scalar } = lowerMetric(this.relative(metric!), graph, this.model.metricInput(this.batch));
    this.perPrompt = perRow !== undefined;
    return { outputs: { metric: perRow ?? scalar } };
  }

  /** The metric with its position counted from the end, which stays where it is when positions in front are left out. */
  private relative(metric: Metric): Metric {
    const length = this.batch.tokens[0]!.length;
    if (typeof metric === "function" || !("pos" in metric) || metric.pos < 0 || metric.pos >= length)
      return metric;
    return { ...metric, pos: metric.pos - length };
  }

  /** The stage for rows that join at some points. */
  private stage(points: readonly string[]): Stage {
    const key = points.join();
    const known = this.stages.get(key);
    if (known) return known;
    const joining = new Set(points);
    // Points at which no row of this stage is changed have no part in it.
    const used = new Set(points.flatMap((point) => this.changedWith(point)));
    const changes = [...this.changed].flatMap(([point, { later }]): g.Change[] => {
      if (!used.has(point)) return [];
      const joins = joining.has(point);
      return later
        ? [
            {
              point,
              ...(joins ? { joining: (value: Value) => value } : {}),
              all: (value, rows) => this.change(point, value, rows, true),
            },
          ]
        : [{ point, joining: (value, rows) => this.change(point, value, rows, false) }];
    });
    const staggered = g.stagger(this.outputs, changes, {
      frozen: this.frozen,
      names: this.knownNames,
    });
    const stage = { staggered, graph: g.narrow(staggered.graph) };
    this.stages.set(key, stage);
    return stage;
  }

  /** The points that are changed in variants that begin at a point. */
  private changedWith(point: string): string[] {
    return this.options.variants
      .filter(([first]) => first!.point === point)
      .flatMap((changes) => changes.map(({ point }) => point));
  }

  /** A point's value with what takes its place where the mask says so. */
  private change(point: string, value: Value, rows: g.Rows, masked: boolean): Value {
    const { axes, index } = this.changed.get(point)!;
    const site = this.model.parts.engine.site(point);
    const [, ...rest] = value.shape;
    const { replacing } = this.options;
    const source =
      replacing === "zero"
        ? undefined
        : replacing === "rows"
          ? g.input(sourceName(index), "float32", [rows.dim, ...rest])
          : g.gather(g.input(sourceName(index), "float32", ["prompts", ...rest]), rows.of);
    if (axes.size === 0 && !masked) return source ?? g.mul(value, 0);
    const shape = value.shape.map((dim, i) => (i === 0 ? rows.dim : axes.has(site.axes[i]!) ? dim : 1));
    return g.where(g.input(maskName(index), "bool", shape), source ?? 0, value);
  }

  /** Runs the model on prompts and keeps what variants need of it: all that they are made of, and the values at changed points. */
  observe(batch: Batch, signal?: AbortSignal): Promise<KnownRun> {
    const { engine } = this.model.parts;
    const points = this.options.replacing === "zero" ? [] : this.order;
    const named = g.pointsOf(this.outputs);
    const values: Record<string, Value> = { ...this.outputs.outputs };
    for (const [value, name] of this.knownNames) values[name] = value;
    for (const point of points) values[point] = named.get(point)!;
    const { metric } = this;
    const feeds =
      metric === undefined || typeof metric === "function"
        ? {}
        : lowerMetric(this.relative(metric), engine.graph([]), this.model.metricInput(batch)).feeds;
    const { edits, own, padded, present } = this;
    return observe(engine, values, { batch, edits, own, feeds, padded, present, signal });
  }

  /**
   * Runs all variants.
   *
   * @param known the run that is changed
   * @param source what takes the place of a point's value, by its full name
   */
  async run(
    known: KnownRun,
    source: (point: string) => Tensor | undefined,
    {
      signal,
      task,
      onProgress,
    }: { signal?: AbortSignal; task: string; onProgress?: (done: number, total: number) => void },
  ): Promise<Measured> {
    const { variants } = this;
    const prompts = this.batch.tokens.length;
    const left = Int32Array.from(variants, (changes) => (changes.length === 0 ? 0 : prompts));
    const outputs = this.unchanged(known);
    let finished = variants.filter((changes) => changes.length === 0).length;
    for (const run of this.runs) {
      try {
        await this.runRows(run, known, source, outputs, signal);
      } catch (error) {
        if (workSignal(signal)?.aborted) break;
        throw error;
      }
      for (const { variant } of run.rows) if (--left[variant]! === 0) finished++;
      reportProgress({ task, done: finished, total: variants.length });
      onProgress?.(finished, variants.length);
    }
    return { outputs, done: Uint8Array.from(left, (count) => (count === 0 ? 1 : 0)) };
  }

  private async runRows(
    { rows, points, start }: Run,
    known: KnownRun,
    source: (point: string) => Tensor | undefined,
    outputs: Record<string, Float32Array>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { engine } = this.model.parts;
    const { staggered, graph } = this.stage(points);
    const plan = engine.runtime.plan(graph);
    const feeds: Record<string, Feed> = { ...partOfKnown(known, start) };
    staggered.joining.forEach(({ point, input }, level) => {
      const joining = rows.filter((row) => row.point === point);
      const upTo = staggered.joining.slice(0, level + 1).map((join) => join.point);
      const all = rows.filter((row) => upTo.includes(row.point));
      feeds[input] = integers(joining.map(({ prompt }) => prompt));
      feeds[staggered.rows[level]!] = integers(all.map(({ prompt }) => prompt));
    });
    const joinedAt = new Map(staggered.joining.map(({ point }, level) => [point, level]));
    let level = -1;
    for (const name of this.order) {
      level = joinedAt.get(name) ?? level;
      if (level < 0) continue;
      const entry = this.changed.get(name)!;
      const there = rows.filter((row) =>
        entry.later ? joinedAt.get(row.point)! <= level : row.point === name,
      );
      feeds[maskName(entry.index)] = this.mask(name, there, start);
      const values = source(name);
      if (values) feeds[sourceName(entry.index)] = this.sourceFeed(name, values, there, start);
    }
    const run = await plan.run(feeds, { signal, manyRows: true });
    for (const [name, { data }] of Object.entries(run)) {
      const all = outputs[name]!;
      const size = this.sizeOf(all);
      rows.forEach(({ variant, prompt }, i) => {
        const from = this.perPrompt ? i * size : 0;
        const at = (variant * this.batch.tokens.length + prompt) * size;
        all.set((data as Float32Array).subarray(from, from + size), at);
      });
    }
  }

  /** How many numbers an output has for each prompt of a variant. */
  private sizeOf(output: Float32Array): number {
    return output.length / (this.variants.length * this.batch.tokens.length);
  }

  /** Outputs before any variant is run: those of variants that change nothing, and NaN. */
  private unchanged(known: KnownRun): Record<string, Float32Array> {
    const prompts = this.batch.tokens.length;
    const outputs = Object.keys(this.outputs.outputs).map((name) => {
      const own = name === "metric" ? known.metric : known.values.get(name)!.value.data;
      const each = this.perPrompt ? own : new Float32Array(prompts).fill(own[0]!);
      const all = new Float32Array(this.variants.length * each.length).fill(Number.NaN);
      this.variants.forEach((changes, variant) => {
        if (changes.length === 0) all.set(each, variant * each.length);
      });
      return [name, all] as const;
    });
    return Object.fromEntries(outputs);
  }

  /** Where rows are changed at a point, `[row, …]`. */
  private mask(point: string, rows: Run["rows"], start: number): Feed {
    const site = this.model.parts.engine.site(point);
    const { axes } = this.changed.get(point)!;
    const length = this.batch.tokens[0]!.length;
    const sizes = site.axes.map((axis, i) => {
      if (i === 0) return rows.length;
      if (!axes.has(axis)) return 1;
      const dim = site.shape[i]!;
      return typeof dim === "number" ? dim : axis === "key" ? length : length - start;
    });
    const each = sizes.slice(1).reduce((a, b) => a * b, 1);
    const data = new Uint8Array(rows.length * each);
    rows.forEach(({ variant }, row) => {
      const change = this.variants[variant]!.find((one) => one.point === point);
      if (!change) return;
      const chosen = site.axes.slice(1).map((axis, i) => {
        const selected = change.select[axis];
        if (!axes.has(axis) || !selected) return Array.from({ length: sizes[i + 1]! }, (_, place) => place);
        return axis === "pos" || axis === "query" ? selected.map((pos) => pos - start) : selected;
      });
      let places = [row];
      chosen.forEach((along, i) => {
        places = places.flatMap((place) => along.map((index) => place * sizes[i + 1]! + index));
      });
      for (const place of places) data[place] = 1;
    });
    return { dtype: "bool", shape: sizes, data };
  }

  private sourceFeed(point: string, values: Tensor, rows: Run["rows"], start: number): Feed {
    const { axes } = this.model.parts.engine.site(point);
    const along = axes.findIndex((axis) => axis === "pos" || axis === "query");
    const part =
      start > 0 && along >= 0
        ? fromPosition(values, along, start)
        : { data: values.data, shape: values.shape };
    if (this.options.replacing !== "rows") return { dtype: "float32", ...part };
    const [, ...rest] = part.shape;
    const size = rest.reduce((a, b) => a * b, 1);
    const data = new Float32Array(rows.length * size);
    const prompts = this.batch.tokens.length;
    rows.forEach(({ variant, prompt }, i) => {
      const at = (variant * prompts + prompt) * size;
      data.set(part.data.subarray(at, at + size), i * size);
    });
    return { dtype: "float32", shape: [rows.length, ...rest], data };
  }
}

const sourceName = (index: number): string => `patch.${index}.source`;
const maskName = (index: number): string => `patch.${index}.mask`;

const isPoints = (measure: Metric | readonly string[]): measure is readonly string[] =>
  Array.isArray(measure);

const integers = (values: readonly number[]): Feed => ({
  dtype: "int64",
  shape: [values.length],
  data: BigInt64Array.from(values, BigInt),
});
