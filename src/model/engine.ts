/**
 * From what is asked of a model to a plan: builds the family's graph with the points that are wanted, weaves edits
 * and metrics in, cuts off what is not needed, and keeps the plans.
 */

import { type AnyTensor, contiguous, type Tensor, tensor } from "../array/index.js";
import * as g from "../graph/index.js";
import type { Feed } from "../runtime/ort.js";
import { type Plan, Runtime, type RuntimeOptions } from "../runtime/plan.js";
import { runByRows } from "../runtime/rows.js";
import type { ModelConfig } from "./config.js";
import type { Edit } from "./edits.js";
import type { Layout } from "./family.js";
import { type Batch, batchFeeds } from "./input.js";
import { type LoweredEdit, lowerEdits } from "./lower-edits.js";
import { type LoweredMetric, lowerMetric, type Metric, type MetricInput } from "./metrics.js";
import { type PointName, resolveName } from "./names.js";
import type { Parameters } from "./parameters.js";
import type { GraphOptions } from "./parts/context.js";
import { unembed } from "./parts/head.js";
import type { Site, Window } from "./selection.js";
import { SOURCE_TOKENS, TOKENS, transformer } from "./transformer.js";

/** Inputs that every head has of its own; a graph that has them apart computes the norms before them for each head. */
const headInputs = /hook_attn_in$|hook_[qkv]_input$/;

/** Products with so many rows run at the machine's full rate: parts of a batch need not be larger. */
const FULL_RATE_TOKENS = 256;
/** Tokens times bytes of parameters that make up about half a second of work. */
const RUN_WORK = 1e11;

/** What one run is to give. */
export interface Request {
  /** Full names of points. */
  readonly points: readonly string[];
  readonly logits: "all" | "last" | "none";
  readonly edits: readonly LoweredEdit[];
  readonly padded: boolean;
  readonly cached?: boolean;
}

/** A model's graph, parameters and plans. */
export class Engine {
  readonly runtime: Runtime;
  /** Every point of the model, in the order in which they are computed. */
  readonly sites: ReadonlyMap<string, Site>;
  readonly names: readonly string[];
  /** Points that cost something to have apart; the graph leaves them out where nobody wants them. */
  private readonly optional: ReadonlySet<string>;
  private readonly graphs = new Map<string, g.Graph>();
  private readonly requests = new Map<string, g.Graph>();
  private readonly leaves = new Map<string, g.Value>();

  constructor(
    readonly config: ModelConfig,
    readonly layout: Layout,
    readonly parameters: Parameters,
    options: RuntimeOptions = {},
  ) {
    this.runtime = new Runtime(parameters, options, layout.encoder ? [TOKENS, SOURCE_TOKENS] : [TOKENS]);
    this.sites = this.findSites();
    this.names = [...this.sites.keys()];
    const free = g.pointsOf(this.build({ wants: () => false }));
    this.optional = new Set(this.names.filter((name) => !free.has(name)));
  }

  /** All points: those of the plain graph, and those that only a graph with its heads apart has. */
  private findSites(): Map<string, Site> {
    const { nHeads, nKvHeads } = this.config;
    const all = this.build({ wants: (name) => !name.endsWith("hook_attn_in") || nHeads === nKvHeads });
    const plain = this.build({ wants: (name) => !headInputs.test(name) });
    // Both orders are of computation; the inputs for each head come first in their block.
    const merged = new Map<string, g.Value>(g.pointsOf(plain));
    const sites = new Map<string, Site>();
    const put = (name: string, value: g.Value): void => {
      sites.set(name, { name, axes: value.attributes.axes as readonly string[], shape: value.shape });
    };
    const byHead = [...g.pointsOf(all)].filter(([name]) => headInputs.test(name));
    for (const [name, value] of merged) {
      put(name, value);
      const block = /^((?:blocks|encoder|decoder)\.\d+)\.hook_resid_pre$/.exec(name)?.[1];
      if (block) for (const [extra, found] of byHead) if (extra.startsWith(`${block}.`)) put(extra, found);
    }
    return sites;
  }

  private build(options: GraphOptions): g.Graph {
    return transformer(this.config, this.layout, (name) => this.parameter(name), options);
  }

  /** A parameter as float32: one value for each, so that the gradients of all its uses are summed. */
  parameter(name: string): g.Value {
    const known = this.leaves.get(name);
    if (known) return known;
    const { dtype, shape } = this.parameters.info(name);
    const leaf = this.parameters.value?.(name) ?? g.cast(g.parameter(name, dtype, shape), "float32");
    this.leaves.set(name, leaf);
    return leaf;
  }

  /** The full name of a point, or an error with the nearest names. */
  resolve(name: PointName): string {
    return resolveName(name, this.names);
  }

  /** The axes and shape of a point. */
  site(name: string): Site {
    return this.sites.get(name)!;
  }

  /** Edits as rewrites. */
  lower(edits: readonly Edit[] = []): LoweredEdit[] {
    return lowerEdits(edits, {
      names: this.names,
      resolve: (name) => this.resolve(name),
      site: (name) => this.site(name),
    });
  }

  /** The graph in which points are wanted: `logits`, and every point that costs nothing or is among them. */
  graph(wanted: Iterable<string>, options: Omit<GraphOptions, "wants"> = {}): g.Graph {
    const apart = [...new Set(wanted)].filter((name) => this.optional.has(name)).sort();
    const key = JSON.stringify([apart, options.padded, options.cached, options.last]);
    const known = this.graphs.get(key);
    if (known) return known;
    const names = new Set(apart);
    const made = this.build({ ...options, wants: (name) => names.has(name) });
    for (const name of apart) g.findPoint(made, name);
    this.graphs.set(key, made);
    return made;
  }

  /** The graph that a request asks for; `changed` are points that something else than an edit will change. */
  requested({ points, logits, edits, padded, cached }: Request, changed: readonly string[] = []): g.Graph {
    const altered = [...changed, ...edits.map(({ point }) => point)];
    const graph = this.graph([...points, ...altered], { padded, cached, last: logits === "last" });
    refuseAsides(graph, altered);
    const present = Object.keys(graph.outputs).filter((name) => name.startsWith("present."));
    const wanted = [...points, ...(logits === "none" ? [] : ["logits"]), ...present];
    // What is changed on the way to them is seen there, even if an edit behind it makes that no difference.
    const onTheWay = g.pointsOf(g.sliceGraph(graph, wanted));
    const seen = changed.filter((name) => onTheWay.has(name));
    return g.sliceGraph(weave(graph, edits), [...new Set([...wanted, ...seen])]);
  }

  /** The plan of a request. Requests that differ only in what is fed share one. */
  plan(request: Request): Plan {
    const { points, logits, padded, cached } = request;
    const key = JSON.stringify([
      points,
      logits,
      padded,
      cached,
      request.edits.map(({ structure }) => structure),
    ]);
    const graph = this.requests.get(key) ?? this.requested(request);
    this.requests.set(key, graph);
    return this.runtime.plan(graph);
  }

  /** A metric, and its gradients at points, appended to the graph of a run. */
  metric(
    metric: Metric,
    input: MetricInput,
    batch: Batch,
    edits: readonly LoweredEdit[],
    names: readonly string[] = [],
  ): LoweredMetric & { plan: Plan } {
    const wanted = [
      ...names,
      ...edits.map(({ point }) => point),
      ...(typeof metric === "function" ? this.mentioned(metric) : []),
    ];
    const graph = weave(this.graph(wanted, { padded: batch.mask !== undefined }), edits);
    const lowered = lowerMetric(metric, graph, input);
    return { ...lowered, plan: this.runtime.plan(withSlopes(graph, lowered.scalar, names)) };
  }

  /** The points that a metric function asks for, found by asking it once. */
  mentioned(metric: Extract<Metric, (...args: never[]) => unknown>): string[] {
    const names: string[] = [];
    const graph = this.graph(this.names.filter((name) => !headInputs.test(name)));
    metric({
      logits: new g.Expression(graph.outputs.logits!),
      point: (name) => {
        names.push(this.resolve(name));
        return new g.Expression(g.findPoint(graph, this.resolve(name)));
      },
    });
    return names;
  }

  /** Logits of a residual stream by the model's own final norm and unembedding. */
  unembed(residual: g.Value): g.Value {
    const parameter = (name: string): g.Value => this.parameter(name);
    return unembed({ config: this.config, layout: this.layout, parameter }, residual);
  }

  /**
   * Runs a plan, a long batch some rows at a time.
   *
   * @param rowwise whether rows do not depend on each other; not so for what is averaged over the batch
   */
  execute(
    plan: Plan,
    feeds: Readonly<Record<string, Feed>>,
    batch: Batch,
    options: { signal?: AbortSignal; rowwise?: boolean } = {},
  ): Promise<Record<string, AnyTensor>> {
    if (options.rowwise === false) return plan.run(feeds, options);
    const tokens = Math.max(FULL_RATE_TOKENS, RUN_WORK / plan.parameterBytes);
    return runByRows(plan, feeds, Math.max(1, Math.floor(tokens / batch.tokens[0]!.length)), options);
  }

  /** What a plan of this batch is fed. */
  feeds(batch: Batch, edits: readonly LoweredEdit[], window: Partial<Window> = {}): Record<string, Feed> {
    const start = window.start ?? 0;
    const length = batch.tokens[0]!.length - start;
    const seen: Window = {
      batch: batch.tokens.length,
      start,
      length,
      promptLength: window.promptLength ?? batch.tokens[0]!.length,
      growing: window.growing ?? false,
      ...(batch.source ? { source: batch.source.tokens[0]!.length } : {}),
    };
    return Object.assign(batchFeeds(batch, this.config, start), ...edits.map((edit) => edit.feeds(seen)));
  }

  /** Weight and bias of the final norm as they act, where there is one. */
  finalNorm(): { readonly weight?: Float32Array; readonly bias?: Float32Array } {
    const { lnFinal } = this.layout;
    if (!lnFinal) return {};
    const { normOffset = 0 } = this.config;
    const weight = this.parameters.read(lnFinal.weight).data.map((value) => value + normOffset);
    return lnFinal.bias === undefined
      ? { weight }
      : { weight, bias: this.parameters.read(lnFinal.bias).data };
  }

  /** W_O of a layer, `[head, dHead, dModel]`. */
  outputWeights(layer: number): Tensor {
    const { o } = this.layout.block(layer);
    const { nHeads, dHead, dModel } = this.config;
    const stored = this.parameters.read(o.weight);
    const inOut = o.layout === "inOut" ? stored : stored.transpose(1, 0);
    return tensor(contiguous(inOut).data, [nHeads, dHead, dModel]);
  }
}

/** A metric, as `metric.value`, and its gradients at points. */
export function withSlopes(graph: g.Graph, metric: g.Value, names: readonly string[]): g.Graph {
  const points = names.map((name) => g.findPoint(graph, name));
  const slopes = g.gradients(metric, points);
  const outputs: Record<string, g.Value> = { "metric.value": metric };
  names.forEach((name, i) => {
    outputs[name] = slopes[i] ?? g.expandBy(g.scalar(0), g.shapeOf(points[i]!), points[i]!.shape);
  });
  return { outputs };
}

/** Throws if a change is asked for at points that the rest of this graph is not made from. */
export function refuseAsides(graph: g.Graph, names: readonly string[]): void {
  for (const name of names)
    if (Object.hasOwn(graph.outputs, name))
      throw new Error(
        `"${name}" cannot be changed in a run in which the heads of that layer have inputs of their own (hook_q_input, hook_k_input, hook_v_input, hook_attn_in); change those instead.`,
      );
}

/**
 * Applies lowered edits to a graph. Points that an edit cuts off from its outputs stay in it, as outputs: they can still be
 * asked for.
 */
export function weave(graph: g.Graph, edits: readonly LoweredEdit[]): g.Graph {
  if (edits.length === 0) return graph;
  return g.replace(
    { outputs: { ...Object.fromEntries(g.pointsOf(graph)), ...graph.outputs } },
    edits.map(({ point, rewrite }) => [point, rewrite] as const),
  );
}
