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
import { lowerMetric, pickPosition } from "../../model/metrics.js";
import { reportProgress, workSignal } from "../../runtime/host.js";
import type { Feed } from "../../runtime/ort.js";
import { ChangedPoints, type Variant } from "./changed-points.js";
import { type KnownRun, observe, partOfKnown } from "./known-run.js";
import { type Run, runsOf } from "./schedule.js";
import type { Measured, VariantsOptions, VariantsRunOptions } from "./variant-options.js";

/** A plan for the variants that begin at certain points. */
interface Stage {
  readonly staggered: g.Staggered;
  readonly graph: g.Graph;
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
  private readonly changed: ChangedPoints;
  /** The variants, changes in the order of computation, without those that lead to nothing that is measured. */
  private readonly variants: readonly Variant[];
  private readonly frozen: readonly string[];
  /** Whether the metric is one of each prompt; not so where it is a function. */
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
    // Lowered together, so that their inputs have different names.
    this.edits = engine.lower([...edits, ...(options.disturbed ?? [])]);
    this.padded = options.padded ?? batch.mask !== undefined;
    this.metric = isPoints(measure) ? undefined : measure;
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
    this.frozen = (options.frozen ?? []).filter((point) => places.has(point));
    const used = new Set(this.variants.flat().map(({ point }) => point));
    this.changed = new ChangedPoints(
      this.variants,
      leading.filter((point) => used.has(point)),
      options.replacing,
      { count: batch.tokens.length, length: batch.tokens[0]!.length },
      (point) => engine.site(point),
    );
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
      order: this.changed.order,
      length: batch.tokens[0]!.length,
      together,
      engine,
      everyPosition: this.lastRead() === 0,
    });
    for (const { points } of this.runs) this.stage(points);
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
      ...this.options.variants.flat().map(({ point }) => point),
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
    const outputs: Record<string, Value> = { metric: perRow ?? scalar };
    if (this.options.logits)
      outputs.logits = pickPosition(
        graph.outputs.logits!,
        this.readPosition(),
        this.model.metricInput(this.batch),
      );
    return { outputs };
  }

  /** The position whose logits are kept, counted from the end. */
  private readPosition(): number {
    const metric = this.relative(this.metric!);
    return typeof metric !== "function" && "pos" in metric ? metric.pos : -1;
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
    const staggered = g.stagger(this.outputs, this.changed.rewrites(points), {
      frozen: this.frozen,
      names: this.knownNames,
    });
    const stage = { staggered, graph: g.narrow(staggered.graph) };
    this.stages.set(key, stage);
    return stage;
  }

  /** Runs the model on prompts and keeps what variants need of it: all that they are made of, and the values at changed points. */
  observe(batch: Batch, signal?: AbortSignal): Promise<KnownRun> {
    const { engine } = this.model.parts;
    const points = this.options.replacing === "zero" ? [] : this.changed.order;
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
    { signal, task, onProgress = reportProgress }: VariantsRunOptions,
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
      onProgress({ task, done: finished, total: variants.length });
    }
    return { outputs, done: Uint8Array.from(left, (count) => (count === 0 ? 1 : 0)) };
  }

  private async runRows(
    run: Run,
    known: KnownRun,
    source: (point: string) => Tensor | undefined,
    outputs: Record<string, Float32Array>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { rows } = run;
    const { staggered, graph } = this.stage(run.points);
    const feeds = { ...partOfKnown(known, run.start), ...this.changed.feeds(run, source) };
    const joined = new Set<string>();
    staggered.joining.forEach(({ point, input }, level) => {
      joined.add(point);
      feeds[input] = promptsOf(rows.filter((row) => row.point === point));
      feeds[staggered.rows[level]!] = promptsOf(rows.filter((row) => joined.has(row.point)));
    });
    const plan = this.model.parts.engine.runtime.plan(graph);
    const measured = await plan.run(feeds, { signal, manyRows: true });
    for (const [name, { data }] of Object.entries(measured)) {
      const all = outputs[name]!;
      const size = this.sizeOf(all);
      rows.forEach(({ variant, prompt }, i) => {
        const from = this.perPrompt || name !== "metric" ? i * size : 0;
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
      const each = this.perPrompt || name !== "metric" ? own : new Float32Array(prompts).fill(own[0]!);
      const all = new Float32Array(this.variants.length * each.length).fill(Number.NaN);
      this.variants.forEach((changes, variant) => {
        if (changes.length === 0) all.set(each, variant * each.length);
      });
      return [name, all] as const;
    });
    return Object.fromEntries(outputs);
  }
}

const isPoints = (measure: Metric | readonly string[]): measure is readonly string[] =>
  Array.isArray(measure);

const promptsOf = (rows: Run["rows"]): Feed => ({
  dtype: "int64",
  shape: [rows.length],
  data: BigInt64Array.from(rows, ({ prompt }) => BigInt(prompt)),
});
