/**
 * Plans: compiled graphs.
 *
 * A plan starts cold: weights are mapped from their file, nothing is packed, and it is ready in milliseconds. When
 * its cold runs should have taken as long as packing would, it is compiled again with packed weights, if the memory
 * for them is left. Plans are cached by what they compute.
 *
 * Packed weights give other last bits, so the time is reckoned from the work and not taken from a clock: a program
 * that runs again gives the same numbers, however busy the machine is.
 */

import { bytesPerElement } from "../array/dtype.js";
import type { AnyTensor } from "../array/tensor.js";
import { sizeOf } from "../array/tensor.js";
import { type Graph, leavesOf, structure } from "../graph/graph.js";
import { readsNarrowWeights, widenLate } from "../graph/lower.js";
import { type CompiledModel, compileOnnx, type ParameterSource } from "../graph/onnx/emit.js";
import { unsizedDims } from "../graph/unsized.js";
import type { Shape, Value } from "../graph/value.js";
import { workSignal } from "./host.js";
import { createSession, type Feed, machineMemory, type Session } from "./ort.js";

/** Where a model's parameters lie. */
export interface ParameterStore {
  /** The folder in which the files of parameters lie. */
  readonly folder?: string;
  /** Where one parameter's bytes are. */
  source(name: string): ParameterSource;
}

/** Settings of a runtime. */
export interface RuntimeOptions {
  /** Bytes that packed weights of all plans may take; a quarter of the machine's memory by default. */
  readonly packedBudget?: number;
  /** How many plans are kept ready; the least recently used one is dropped. 256 by default. */
  readonly maxPlans?: number;
}

/** Settings of one run. */
export interface RunOptions {
  /** Ends the work before the run, if aborted by then. */
  readonly signal?: AbortSignal;
  /** Memory that outputs are written to, by name. */
  readonly into?: Readonly<Record<string, Feed>>;
  /** Says that the run has so many rows that packed weights would not make it faster, so it is no reason to pack them. */
  readonly manyRows?: boolean;
  /** Says that the plan is run this once or a few times, so that nothing is computed ahead for runs to come. */
  readonly seldom?: boolean;
}

/** Packing goes through the weights at about this rate, in bytes a second. */
const PACKING_RATE = 1e9;
/** A cold run reads the weights at about this rate, in bytes a second. */
const READING_RATE = 4e9;
/** And it multiplies rows with them at about this one, in bytes times rows a second. */
const PRODUCT_RATE = 2e11;

/** Compiles graphs over one set of parameters and keeps the plans. */
export class Runtime {
  private readonly plans = new Map<string, Plan>();
  /** Structures of graphs that were asked for, since callers keep graphs and ask again. */
  private readonly structures = new WeakMap<Graph, string>();
  private readonly budget: number;
  private readonly maxPlans: number;

  /** @param sizing inputs that tell sizes where a graph reads no input that does, as when an edit cuts it off from all */
  constructor(
    private readonly store: ParameterStore,
    options: RuntimeOptions = {},
    private readonly sizing: readonly Value[] = [],
  ) {
    this.budget = options.packedBudget ?? machineMemory() / 4;
    this.maxPlans = options.maxPlans ?? 256;
  }

  /** The plan of a graph: the same one for graphs that compute the same. */
  plan(graph: Graph): Plan {
    const key = this.structures.get(graph) ?? structure(graph);
    this.structures.set(graph, key);
    const plan =
      this.plans.get(key) ?? new Plan(graph, this.store, (bytes) => this.admit(bytes), this.sizing);
    this.plans.delete(key);
    this.plans.set(key, plan);
    if (this.plans.size > this.maxPlans) {
      const [oldest, dropped] = this.plans.entries().next().value!;
      this.plans.delete(oldest);
      void dropped.release();
    }
    return plan;
  }

  /** How many plans there are, and how many of them hold packed weights. */
  get statistics(): { plans: number; packed: number } {
    const plans = [...this.plans.values()];
    return { plans: plans.length, packed: plans.filter((plan) => plan.packed).length };
  }

  /** Frees every plan. */
  async release(): Promise<void> {
    await Promise.all([...this.plans.values()].map((plan) => plan.release()));
    this.plans.clear();
  }

  /** Makes room for a plan's packed weights by unpacking the plans that were least recently used. */
  private admit(bytes: number): boolean {
    if (bytes > this.budget) return false;
    let used = [...this.plans.values()].reduce(
      (sum, plan) => sum + (plan.packed ? plan.packableBytes : 0),
      0,
    );
    for (const plan of this.plans.values()) {
      if (used + bytes <= this.budget) break;
      if (!plan.packed) continue;
      used -= plan.packableBytes;
      void plan.release();
    }
    return used + bytes <= this.budget;
  }
}

/** A compiled graph. */
export class Plan {
  /** Bytes of the parameters that the graph reads, as float32 or fewer bits. */
  readonly parameterBytes: number;
  /** Bytes of the parameters that can be packed: those of 16 bits are made float32 in each run instead. */
  readonly packableBytes: number;
  private readonly keepWeights: boolean;
  private readonly inputs: ReadonlyMap<string, Value>;
  /** The inputs that are fed for their sizes alone. */
  private readonly sizing: readonly Value[];
  /** The outputs that are computed. Several names of one value, as points often have, share one. */
  readonly computed: Graph;
  private readonly sources: ReadonlyMap<string, string>;
  private compiled?: CompiledModel;
  private session?: Promise<Session>;
  private secondsUnpacked = 0;
  /** Whether the session holds packed weights. */
  packed = false;

  constructor(
    readonly graph: Graph,
    private readonly store: ParameterStore,
    private readonly admit: (bytes: number) => boolean,
    sizing: readonly Value[],
  ) {
    ({ graph: this.computed, sources: this.sources } = shareOutputs(graph));
    const parameters = [...leavesOf(graph, "parameter")];
    const fed = parameters.filter(([name]) => store.source(name).kind === "fed");
    const unsized = unsizedDims(graph);
    this.sizing = sizing.filter(({ shape }) => shape.some((dim) => unsized.has(dim as string)));
    const sized = this.sizing.map((value) => [value.attributes.name as string, value] as const);
    this.inputs = new Map([...sized, ...leavesOf(graph, "input"), ...fed]);
    const stored = parameters.filter((parameter) => !fed.includes(parameter)).map(([, value]) => value);
    this.parameterBytes = bytesOfAll(stored);
    this.packableBytes = bytesOfAll(stored.filter(({ dtype }) => !/float16/.test(dtype)));
    this.keepWeights = readsNarrowWeights(graph);
  }

  /**
   * Runs the graph.
   *
   * @param feeds the inputs by name; ones that the graph does not read are ignored
   * @throws if an input is missing or of another dtype or shape, or if the signal is aborted
   */
  async run(
    feeds: Readonly<Record<string, Feed>>,
    options: RunOptions = {},
  ): Promise<Record<string, AnyTensor>> {
    const signal = workSignal(options.signal);
    signal?.throwIfAborted();
    const used = this.select(feeds);
    const session = await this.ready(options.seldom);
    const outputs = Object.entries(this.compiled!.outputs);
    const given = outputs.filter(([name]) => options.into?.[name]);
    const into = options.into && Object.fromEntries(given.map(([name, of]) => [of, options.into![name]!]));
    const run = await session.run(used, into);
    const computed = Object.fromEntries(outputs.map(([name, of]) => [name, run[of]!]));
    if (!this.packed && !options.manyRows) this.secondsUnpacked += this.coldSeconds(used);
    signal?.throwIfAborted();
    return this.named(computed);
  }

  /** Computed outputs under all of their names. */
  named(computed: Readonly<Record<string, AnyTensor>>): Record<string, AnyTensor> {
    return Object.fromEntries([...this.sources].map(([name, source]) => [name, computed[source]!]));
  }

  /** The inputs of the graph. */
  get inputValues(): readonly Value[] {
    return [...this.inputs.values()];
  }

  /** The shape of an input, by its name. */
  inputShape(name: string): Shape | undefined {
    return this.inputs.get(name)?.shape;
  }

  /** The sizes of named dimensions that feeds have. */
  sizes(feeds: Readonly<Record<string, Feed>>): Map<string, number> {
    const sizes = new Map<string, number>();
    for (const [name, { shape }] of this.inputs)
      shape.forEach((dim, i) => {
        const size = feeds[name]?.shape[i];
        if (typeof dim === "string" && size !== undefined) sizes.set(dim, size);
      });
    return sizes;
  }

  /** How long a cold run should take: see the head of this file. */
  private coldSeconds(feeds: Readonly<Record<string, Feed>>): number {
    const rows = sizeOf([...this.sizes(feeds).values()]);
    return this.packableBytes * (1 / READING_RATE + rows / PRODUCT_RATE);
  }

  /** Packs the weights now instead of when the plan has run often enough. */
  async pack(): Promise<void> {
    this.secondsUnpacked = Number.POSITIVE_INFINITY;
    await this.ready();
  }

  /** Frees the session; the plan can run again, at the cost of compiling again. */
  async release(): Promise<void> {
    const session = this.session;
    this.session = undefined;
    this.packed = false;
    this.secondsUnpacked = 0;
    await (await session)?.release();
  }

  private ready(seldom = false): Promise<Session> {
    const bytes = this.packableBytes;
    const worthPacking = bytes > 0 && !this.packed && this.secondsUnpacked > bytes / PACKING_RATE;
    if (this.session && !(worthPacking && this.admit(bytes))) return this.session;
    const old = this.session;
    this.packed = old !== undefined || this.secondsUnpacked === Number.POSITIVE_INFINITY;
    this.session = this.compile(this.packed, seldom);
    void old?.then((session) => session.release());
    return this.session;
  }

  private async compile(prepack: boolean, seldom: boolean): Promise<Session> {
    const graph = this.keepWeights ? widenLate(this.computed) : this.computed;
    this.compiled ??= compileOnnx(graph, (name) => this.store.source(name), this.sizing);
    const keepWeights = this.keepWeights || seldom;
    try {
      return await createSession(this.compiled.model, {
        prepack,
        keepWeights,
        weightsFolder: this.store.folder,
      });
    } catch (error) {
      this.session = undefined;
      this.packed = false;
      throw error;
    }
  }

  /** The feeds that the graph reads, checked; named dimensions must agree among them. */
  private select(feeds: Readonly<Record<string, Feed>>): Record<string, Feed> {
    const used: Record<string, Feed> = {};
    const sizes = new Map<string, { size: number; by: string }>();
    for (const [name, { dtype, shape }] of this.inputs) {
      const feed = feeds[name];
      if (!feed) throw new Error(`The graph needs the input "${name}", which was not given.`);
      const fits =
        feed.shape.length === shape.length &&
        shape.every((dim, i) => typeof dim === "string" || dim === feed.shape[i]);
      if (feed.dtype !== dtype || !fits)
        throw new Error(
          `The input "${name}" came as ${feed.dtype}[${feed.shape.join(", ")}]; expected ${dtype}[${shape.join(", ")}].`,
        );
      shape.forEach((dim, i) => {
        if (typeof dim === "number") return;
        const size = feed.shape[i]!;
        const known = sizes.get(dim);
        if (known && known.size !== size)
          throw new Error(
            `The inputs disagree on "${dim}": it is ${known.size} in "${known.by}" and ${size} in "${name}".`,
          );
        sizes.set(dim, { size, by: name });
      });
      used[name] = feed;
    }
    return used;
  }
}

const bytesOfAll = (values: readonly Value[]): number =>
  values.reduce((sum, { dtype, shape }) => sum + bytesPerElement(dtype) * sizeOf(shape as number[]), 0);

/** A graph in which each value is one output, and which output each name of the original is. */
function shareOutputs(graph: Graph): { graph: Graph; sources: Map<string, string> } {
  const firstName = new Map<Value, string>();
  const sources = new Map<string, string>();
  const outputs: Record<string, Value> = {};
  for (const [name, value] of Object.entries(graph.outputs)) {
    let plain = value;
    while (plain.op === "point" || plain.op === "stopGradient") plain = plain.inputs[0]!;
    const first = firstName.get(plain) ?? name;
    firstName.set(plain, first);
    sources.set(name, first);
    outputs[first] = graph.outputs[first]!;
  }
  return { graph: { outputs }, sources };
}
