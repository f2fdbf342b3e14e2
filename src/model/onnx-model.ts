/** Models that come as ONNX files: any network, seen and changed as language models are. */

import { type AnyTensor, displaySymbol, inspectSymbol, type Tensor } from "../array/index.js";
import * as g from "../graph/index.js";
import type { Feed } from "../runtime/ort.js";
import { Runtime, type RuntimeOptions } from "../runtime/plan.js";
import type { Edit } from "./edits.js";
import { weave, withSlopes } from "./engine.js";
import { fixEdits, type WeightOptions, writeGraph } from "./export.js";
import { type Hook, runHooked } from "./hooks.js";
import { type LoweredEdit, lowerEdits } from "./lower-edits.js";
import { chosenNames } from "./names.js";
import { type OnnxWeights, onnxName, openOnnx } from "./onnx-file.js";
import { type OnnxInputs, type OnnxTensorInfo, readOnnxInputs } from "./onnx-inputs.js";
import { PointCache } from "./point-cache.js";
import type { Site, Window } from "./selection.js";

/** Options that every run of an ONNX model takes. */
export interface OnnxRunOptions {
  /** Changes of values while the model runs. */
  readonly edits?: readonly Edit[];
  /** Ends the work. */
  readonly signal?: AbortSignal;
}

/** Points of an ONNX model: names, a pattern, or a test of the name. */
export type OnnxPointFilter = string | readonly string[] | RegExp | ((name: string) => boolean);

/** Options of runs that keep values. */
export interface OnnxCacheOptions extends OnnxRunOptions {
  /** The points to keep; all of `hookNames` by default. */
  readonly names?: OnnxPointFilter;
  /** JavaScript functions called at points; the cache has the values that they leave. */
  readonly hooks?: readonly (readonly [name: string, hook: Hook])[];
}

/** What a run of an ONNX model gives. */
export interface OnnxRun {
  /** By the names of the model's outputs. */
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly cache: PointCache;
}

/** What a metric of an ONNX model is given. */
export interface OnnxMetricContext {
  /** The model's outputs by name. */
  readonly outputs: Readonly<Record<string, g.Expression>>;
  /** The output called `logits`, or else the first one. */
  readonly logits: g.Expression;
  /** A point's value by its name. */
  readonly point: (name: string) => g.Expression;
}

/** A metric: a function of graph values that gives a scalar. */
export type OnnxMetric = (context: OnnxMetricContext) => g.Expression;

/** What an ONNX model is made of. */
interface OnnxParts {
  readonly name: string;
  readonly imported: g.ImportedGraph;
  readonly weights: OnnxWeights;
  readonly runtime: Runtime;
  readonly sites: ReadonlyMap<string, Site>;
  readonly edits: readonly Edit[];
}

/**
 * Loads an ONNX file of operator sets 13 to 23, with its weights inside or beside it: a transformer, a convolutional or
 * recurrent network, anything. Every tensor of the file is a point. Loading runs nothing, and weights stay on the disk.
 *
 * Operators without a known gradient run all the same; `unsupportedGradients` lists them.
 *
 * @throws if the file is missing or malformed, or uses operators that ONNX Runtime does not bring with it
 *
 * @example
 * ```ts
 * const model = await loadOnnx("classifier.onnx");
 * const image = zeros([1, 3, 32, 32]);
 * const { outputs, cache } = await model.run({ image }, { names: /Relu/ });
 * const { cache: slopes } = await model.gradients({ image }, ({ logits }) => logits.at(0, 3), ["image"]);
 * slopes.get("image").shape; // [1, 3, 32, 32]
 * ```
 */
export async function loadOnnx(path: string, options: RuntimeOptions = {}): Promise<OnnxModel> {
  const { imported, weights } = await openOnnx(path);
  const sites = new Map<string, Site>();
  for (const [name, { attributes, shape, dtype }] of Object.entries(imported.graph.outputs))
    sites.set(name, { name, axes: attributes.axes as readonly string[], shape, dtype, readsSizes: true });
  const runtime = new Runtime(weights, options);
  return new OnnxModel({ name: onnxName(path), imported, weights, runtime, sites, edits: [] });
}

const infoOf = ({ attributes, dtype, shape }: g.Value): OnnxTensorInfo => ({
  name: attributes.name as string,
  dtype,
  shape,
});

/** A network that came as an ONNX file, whose inside can be seen and changed. Runs keep no state. */
export class OnnxModel {
  readonly name: string;
  /** What the model is fed. */
  readonly inputs: readonly OnnxTensorInfo[];
  /** What it gives. */
  readonly outputs: readonly OnnxTensorInfo[];
  /** The names of all points but the weights, in the order in which they are computed. */
  readonly hookNames: readonly string[];
  /** The names of the weights, which are points too: they can be edited, and gradients taken of them. */
  readonly weightNames: readonly string[];
  /** The points that operators without a known gradient give: no gradient can be taken across them. */
  readonly unsupportedGradients: readonly g.UnsupportedGradient[];
  private readonly requests = new Map<string, g.Graph>();

  constructor(private readonly parts: OnnxParts) {
    const { imported, sites } = parts;
    this.name = parts.name;
    this.inputs = imported.inputs.map(infoOf);
    this.outputs = imported.outputs.map((name) => infoOf(imported.graph.outputs[name]!));
    this.weightNames = [...imported.weights.keys()];
    this.hookNames = [...sites.keys()].filter((name) => !imported.weights.has(name));
    this.unsupportedGradients = imported.unsupportedGradients;
  }

  /** What is known of a point before anything runs: dtype, shape, and what each dimension is. */
  point(name: string): OnnxTensorInfo & { readonly axes: readonly string[] } {
    const { axes, shape, dtype } = this.site(this.resolve(name));
    return { name, dtype: dtype!, shape, axes };
  }

  /** The names of the points that fit a pattern. */
  pointNames(filter: OnnxPointFilter): string[] {
    return chosenNames(filter, this.hookNames, (name) => this.resolve(name as string));
  }

  // ---- runs

  /**
   * Runs the model and keeps the values of points.
   *
   * @param inputs arrays by the names of the inputs
   * @throws if an input or a name is none of the model's, with the nearest names, or is of another shape or type
   */
  async run(inputs: OnnxInputs, options: OnnxCacheOptions = {}): Promise<OnnxRun> {
    const feeds = readOnnxInputs(inputs, this.inputs);
    const points = options.names === undefined ? [...this.hookNames] : this.pointNames(options.names);
    const results = this.outputs.map(({ name }) => name);
    const run = await this.compute(feeds, [...new Set([...results, ...points])], options);
    const pick = (names: readonly string[]): [string, Tensor][] =>
      names.map((name) => [name, run[name] as Tensor]);
    return {
      outputs: Object.fromEntries(pick(results)),
      cache: new PointCache(new Map(pick(points)), (name) => this.site(name).axes),
    };
  }

  /** The model's outputs by name. */
  async forward(inputs: OnnxInputs, options: OnnxRunOptions = {}): Promise<Record<string, Tensor>> {
    return { ...(await this.run(inputs, { ...options, names: [] })).outputs };
  }

  /** The same as `run`. */
  async runWithCache(inputs: OnnxInputs, options: OnnxCacheOptions = {}): Promise<OnnxRun> {
    return this.run(inputs, options);
  }

  /** Runs the model with JavaScript functions at points; each may return a new value, or nothing. */
  async runWithHooks(
    inputs: OnnxInputs,
    options: OnnxRunOptions & { hooks: readonly (readonly [name: string, hook: Hook])[] },
  ): Promise<Pick<OnnxRun, "outputs">> {
    return { outputs: (await this.run(inputs, { ...options, names: [] })).outputs };
  }

  /**
   * The gradients of a metric with respect to the values at points: d metric / d value, all paths counted.
   *
   * @param names points that hold floats: activations, inputs or weights
   * @returns the metric's value, and a cache of the gradients
   * @throws if a gradient must cross an operator of which none is known, by its name; see `unsupportedGradients`
   */
  async gradients(
    inputs: OnnxInputs,
    metric: OnnxMetric,
    names: OnnxPointFilter,
    options: OnnxRunOptions = {},
  ): Promise<{ value: number; cache: PointCache }> {
    const feeds = readOnnxInputs(inputs, this.inputs);
    const points = this.pointNames(names);
    for (const name of points) {
      const { dtype } = this.site(name);
      if (!dtype!.includes("float"))
        throw new Error(
          `The point "${name}" holds ${dtype}; gradients are taken of points that hold floats.`,
        );
    }
    const edits = this.lower(options);
    const graph = weave(this.parts.imported.graph, edits);
    const scalar = this.metricValue(metric, graph);
    const sliced = withSlopes(graph, scalar, points);
    const run = await this.parts.runtime
      .plan(sliced)
      .run({ ...feeds, ...this.feedsOf(edits, feeds) }, { signal: options.signal });
    const values = new Map(points.map((name) => [name, run[name] as Tensor]));
    return {
      value: Number(run["metric.value"]!.data[0]),
      cache: new PointCache(values, (name) => this.site(name).axes),
    };
  }

  /** A metric's value. */
  async metric(inputs: OnnxInputs, metric: OnnxMetric, options: OnnxRunOptions = {}): Promise<number> {
    return (await this.gradients(inputs, metric, [], options)).value;
  }

  // ---- surgery

  /** The same model with edits that act in every run, before those of the run itself. */
  withEdits(edits: readonly Edit[]): OnnxModel {
    const all = [...this.parts.edits, ...edits];
    this.lower({ edits });
    return new OnnxModel({ ...this.parts, edits: all });
  }

  /**
   * Writes the model, with its edits, as an ordinary ONNX file with the same inputs and outputs, and the points asked for
   * as outputs too.
   *
   * @param options.weights `"inline"` by default; `"external"` puts them into `path` with `.data` behind it
   * @throws if an edit belongs to one input, or inline weights take 2 GiB or more
   *
   * @example
   * ```ts
   * const model = await loadOnnx("classifier.onnx");
   * await model.exportOnnx("ablated.onnx", { edits: [ablate(/Relu/)], outputs: ["/conv1/Conv_output_0"] });
   * ```
   */
  async exportOnnx(
    path: string,
    options: { edits?: readonly Edit[]; outputs?: readonly string[] } & WeightOptions = {},
  ): Promise<void> {
    const { imported, weights } = this.parts;
    const edits = this.lower(options);
    const extra = (options.outputs ?? []).map((name) => this.resolve(name));
    const names = [...new Set([...imported.outputs, ...extra])];
    const graph = g.sliceGraph(weave(imported.graph, edits), names);
    const kept = Object.fromEntries(this.inputs.map(({ name }) => [name, undefined]));
    await writeGraph(path, fixEdits(graph, edits, kept), (name) => weights.bytes(name), {
      weights: options.weights,
      inputs: imported.inputs,
    });
  }

  /** Frees the model's plans; it can still be used, at the cost of compiling again. */
  async release(): Promise<void> {
    await this.parts.runtime.release();
  }

  /** A line of text: name, inputs and outputs. */
  toString(): string {
    const shown = (list: readonly OnnxTensorInfo[]): string =>
      list.map(({ name, dtype, shape }) => `${name} ${dtype}${g.showShape(shape)}`).join(", ");
    const edits = this.parts.edits.length > 0 ? `; ${this.parts.edits.length} edits` : "";
    return `OnnxModel ${this.name} (${shown(this.inputs)} → ${shown(this.outputs)}; ${this.hookNames.length} points${edits})`;
  }

  /** What consoles show. */
  [inspectSymbol](): string {
    return this.toString();
  }

  /** What notebooks show. */
  [displaySymbol](): Record<string, string> {
    return { "text/plain": this.toString() };
  }

  // ---- inside

  private site(name: string): Site {
    return this.parts.sites.get(name)!;
  }

  private resolve(name: string): string {
    if (this.parts.sites.has(name)) return name;
    throw new Error(
      `There is no point ${JSON.stringify(name)} in this model. The nearest are ${g.nearest(String(name), this.parts.sites.keys()).join(", ")}.`,
    );
  }

  private lower({ edits = [] }: { readonly edits?: readonly Edit[] }): LoweredEdit[] {
    return lowerEdits([...this.parts.edits, ...edits], {
      names: this.hookNames,
      resolve: (name) => this.resolve(name as string),
      site: (name) => this.site(name),
    });
  }

  private feedsOf(
    edits: readonly LoweredEdit[],
    feeds: Readonly<Record<string, Feed>>,
  ): Record<string, Feed> {
    const sizes = new Map<string, number>();
    for (const { name, shape } of this.inputs)
      shape.forEach((dim, i) => {
        if (typeof dim === "string") sizes.set(dim, feeds[name]!.shape[i]!);
      });
    const window: Window = { batch: 0, start: 0, length: 0, promptLength: 0, growing: false, sizes };
    return Object.assign({}, ...edits.map((edit) => edit.feeds(window)));
  }

  private async compute(
    feeds: Readonly<Record<string, Feed>>,
    names: readonly string[],
    { signal, hooks = [], ...options }: OnnxCacheOptions,
  ): Promise<Record<string, AnyTensor>> {
    const edits = this.lower(options);
    const fed = { ...feeds, ...this.feedsOf(edits, feeds) };
    const named = hooks.map(([name, hook]) => [this.resolve(name), hook] as const);
    const wanted = [...new Set([...names, ...named.map(([name]) => name)])];
    const key = JSON.stringify([wanted, edits.map(({ structure }) => structure)]);
    const graph = this.requests.get(key) ?? g.sliceGraph(weave(this.parts.imported.graph, edits), wanted);
    this.requests.set(key, graph);
    const { runtime } = this.parts;
    return named.length === 0
      ? runtime.plan(graph).run(fed, { signal })
      : runHooked(runtime, graph, fed, named, signal);
  }

  private metricValue(metric: OnnxMetric, graph: g.Graph): g.Value {
    const expression = (name: string): g.Expression => new g.Expression(graph.outputs[this.resolve(name)]!);
    const outputs = Object.fromEntries(this.outputs.map(({ name }) => [name, expression(name)]));
    const result = metric({
      outputs,
      logits: outputs.logits ?? Object.values(outputs)[0]!,
      point: expression,
    });
    if (result instanceof g.Expression) return result.value;
    throw new Error("A metric must give a graph value, made by the methods of the values that it is given.");
  }
}
