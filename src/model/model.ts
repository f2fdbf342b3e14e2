/** Models: what users hold. */

import {
  type AnyTensor,
  contiguous,
  displaySymbol,
  inspectSymbol,
  type Tensor,
  tensor,
} from "../array/index.js";
import * as g from "../graph/index.js";
import type { Feed } from "../runtime/ort.js";
import { ActivationCache } from "./cache.js";
import { labelNumber } from "./classifier.js";
import type { ModelConfig } from "./config.js";
import type { Edit } from "./edits.js";
import { type Engine, type Request, weave } from "./engine.js";
import { type WeightOptions, writeOnnx } from "./export.js";
import { type GenerateOptions, generateTokens } from "./generate.js";
import { type Hook, type NamedHook, runHooked } from "./hooks.js";
import { type Batch, type InputOptions, type ModelInput, readInput, readSourceAndTarget } from "./input.js";
import { lossWeights, type Metric, type MetricInput, nextTokenLoss } from "./metrics.js";
import { chosenNames, type PointFilter, type PointName } from "./names.js";
import type { CachedRun, CacheOptions, ComputeScope, ForwardOptions, RunOptions } from "./options.js";
import type { Tokenizer } from "./tokenizer.js";
import type { ModelWeights } from "./weights.js";

/** What a model is made of. */
export interface ModelParts {
  readonly engine: Engine;
  readonly weights: ModelWeights;
  readonly tokenizer?: Tokenizer;
  /** What the model was loaded as, for messages. */
  readonly name: string;
  /** Edits that act in every run. */
  readonly edits?: readonly Edit[];
}

/**
 * A language model whose inside can be seen and changed. Runs keep no state: hooks and edits belong to one call.
 *
 * @example
 * ```ts
 * const model = await loadModel("tiny-world");
 * const { logits, cache } = await model.runWithCache("The baker gave the bread to");
 * cache.get("pattern", 0).shape; // [batch, head, query, key]
 * ```
 */
export class Model {
  readonly config: ModelConfig;
  /** The full names of all points, in the order in which they are computed. */
  readonly hookNames: readonly string[];
  /** The weights by TransformerLens's names: `model.weights.get("W_Q")`. */
  readonly weights: ModelWeights;
  readonly name: string;

  /** @param parts what the model is made of, for techniques that rewrite its graph */
  constructor(readonly parts: ModelParts) {
    this.config = parts.engine.config;
    this.hookNames = parts.engine.names;
    this.weights = parts.weights;
    this.name = parts.name;
  }

  // ---- tokens

  /** The tokenizer, or an error for a model without one. */
  get tokenizer(): Tokenizer {
    if (this.parts.tokenizer) return this.parts.tokenizer;
    throw new Error(
      `The model "${this.name}" has no tokenizer, so it reads no text; give token ids instead.`,
    );
  }

  /** Whether the model can read text. */
  get readsText(): boolean {
    return this.parts.tokenizer !== undefined;
  }

  /**
   * The token ids of a text, or of each of several. Special tokens are added as the tokenizer itself does, or as
   * `prependBos` says.
   */
  toTokens(text: string, options?: { prependBos?: boolean }): number[];
  toTokens(text: readonly string[], options?: { prependBos?: boolean }): number[][];
  toTokens(text: string | readonly string[], options: { prependBos?: boolean } = {}): number[] | number[][] {
    if (typeof text === "string") return this.tokenizer.encode(text, options);
    return text.map((one) => this.tokenizer.encode(one, options));
  }

  /** The tokens of a text, or of token ids, each as text. */
  toStrTokens(input: string | readonly number[], options: { prependBos?: boolean } = {}): string[] {
    const ids = typeof input === "string" ? this.tokenizer.encode(input, options) : input;
    return ids.map((id) => this.tokenizer.tokenText(id));
  }

  /** The id of a text that is one token, or an error that shows its tokens. */
  toSingleToken(text: string): number {
    const ids = this.tokenizer.encode(text, { prependBos: false });
    if (ids.length === 1) return ids[0]!;
    const shown = ids.map((id) => JSON.stringify(this.tokenizer.tokenText(id))).join(", ");
    throw new Error(
      `${JSON.stringify(text)} is ${ids.length} tokens (${shown}), not one; mind the leading space.`,
    );
  }

  /** The text of token ids. */
  toText(tokens: readonly number[] | AnyTensor): string {
    const ids = Array.isArray(tokens) ? tokens : Array.from(contiguous(tokens as Tensor).data);
    return this.tokenizer.decode(ids);
  }

  /** The text of one token; its id where the model has no tokenizer. */
  tokenText(id: number): string {
    return this.parts.tokenizer?.tokenText(id) ?? String(id);
  }

  // ---- runs

  /** The logits `[batch, pos, dVocab]`; `[batch, labels]` of a classifier, whose classes are `config.labels`. */
  async forward(input: ModelInput, options: ForwardOptions = {}): Promise<Tensor> {
    const { logits = "all" } = options;
    const { outputs } = await this.run(input, { points: [], logits }, options);
    return outputs.logits as Tensor;
  }

  /** The mean next-token cross-entropy in nats. */
  async loss(input: ModelInput, options?: RunOptions & { perToken?: false }): Promise<number>;
  /** The cross-entropy of each next token in nats, `[batch, pos−1]`; NaN where it is padding. */
  async loss(input: ModelInput, options: RunOptions & { perToken: true }): Promise<Tensor>;
  async loss(input: ModelInput, options: RunOptions & { perToken?: boolean } = {}): Promise<number | Tensor> {
    this.refuseUnlessNextToken("The loss is the cross-entropy of next tokens");
    const batch = this.read(input, options);
    const { engine } = this.parts;
    const edits = this.lower(options);
    const points = edits.map(({ point }) => point);
    const graph = weave(engine.graph(points, { padded: batch.mask !== undefined }), edits);
    const target = this.metricInput(batch);
    const { losses, feeds } = nextTokenLoss(graph.outputs.logits!, target);
    const plan = engine.runtime.plan({ outputs: { losses } });
    const run = await engine.execute(plan, { ...engine.feeds(batch, edits), ...feeds }, batch, {
      signal: options.signal,
      rowwise: edits.every((edit) => edit.rowwise),
    });
    const { data, shape } = run.losses as Tensor;
    const weights = lossWeights(target);
    if (options.perToken)
      return tensor(
        data.map((loss, i) => (weights[i] ? loss : Number.NaN)),
        shape,
      );
    return data.reduce((sum, loss, i) => sum + loss * weights[i]!, 0);
  }

  /**
   * Runs the model and keeps the values of points.
   *
   * @throws if a name is no point of the model, with the nearest names
   */
  async runWithCache(input: ModelInput, options: CacheOptions = {}): Promise<CachedRun> {
    const stop = options.stopAtLayer;
    if (stop !== undefined) this.checkLayer(stop);
    const logits = options.logits ?? (stop === undefined ? "all" : "none");
    const points = this.filter(options.names).filter((name) => stop === undefined || isBefore(name, stop));
    const { outputs, batch } = await this.run(input, { points, logits }, options, options.hooks);
    const values = new Map(points.map((name) => [name, outputs[name] as Tensor]));
    return { logits: outputs.logits as Tensor, cache: this.cache(values, batch) };
  }

  /**
   * Runs the model with JavaScript functions at points; each may return a new value, or nothing.
   *
   * @example
   * ```ts
   * await model.runWithHooks(text, {
   *   hooks: [["blocks.0.attn.hook_z", (value, point) => console.log(point.name, value.shape)]],
   * });
   * ```
   */
  async runWithHooks(
    input: ModelInput,
    options: RunOptions & { hooks: readonly (readonly [PointName, Hook])[] },
  ): Promise<{ logits: Tensor }> {
    const { outputs } = await this.run(input, { points: [], logits: "all" }, options, options.hooks);
    return { logits: outputs.logits as Tensor };
  }

  /**
   * The gradients of a metric with respect to the values at points: d metric / d value, all paths counted.
   *
   * @returns the metric's value, and a cache of the gradients
   */
  async gradients(
    input: ModelInput,
    metric: Metric,
    names: PointFilter,
    options: RunOptions = {},
  ): Promise<{ value: number; cache: ActivationCache }> {
    const batch = this.read(input, options);
    const points = this.filter(names);
    const edits = this.lower(options);
    const { plan, feeds } = this.parts.engine.metric(metric, this.metricInput(batch), batch, edits, points);
    const outputs = await plan.run(
      { ...this.parts.engine.feeds(batch, edits), ...feeds },
      { signal: options.signal },
    );
    const values = new Map(points.map((name) => [name, outputs[name] as Tensor]));
    return { value: Number(outputs["metric.value"]!.data[0]), cache: this.cache(values, batch) };
  }

  /** A metric's value. */
  async metric(input: ModelInput, metric: Metric, options: RunOptions = {}): Promise<number> {
    return (await this.gradients(input, metric, [], options)).value;
  }

  /**
   * The gradients of a metric with respect to parameters, by the names of the state dict; all by default. Those of parameters
   * that the metric does not depend on, as when an edit cuts them off from it, are zero.
   *
   * @throws if a name is none of a parameter that the model reads
   */
  async parameterGradients(
    input: ModelInput,
    metric: Metric,
    names?: readonly string[],
    options: RunOptions = {},
  ): Promise<{ value: number; gradients: Map<string, Tensor> }> {
    const batch = this.read(input, options);
    const edits = this.lower(options);
    const { engine } = this.parts;
    const { scalar, feeds } = engine.metric(metric, this.metricInput(batch), batch, edits);
    const parameters = g.leavesOf(engine.graph([]), "parameter");
    const wanted = names ?? [...parameters.keys()];
    const leaves = wanted.map((name) => {
      const leaf = parameters.get(name);
      // Of weights that are stored in 16 bits, the float32 value is what the gradient is with respect to.
      if (leaf) return /float16/.test(leaf.dtype) ? engine.parameter(name) : leaf;
      throw new Error(
        `There is no parameter "${name}"; the nearest are ${g.nearest(name, parameters.keys()).join(", ")}.`,
      );
    });
    const slopes = g.gradients(scalar, leaves);
    const outputs: Record<string, g.Value> = { "metric.value": scalar };
    wanted.forEach((name, i) => {
      outputs[name] = slopes[i] ?? g.fill(0, leaves[i]!.shape);
    });
    const run = await engine.runtime
      .plan({ outputs })
      .run({ ...engine.feeds(batch, edits), ...feeds }, { signal: options.signal });
    return {
      value: Number(run["metric.value"]!.data[0]),
      gradients: new Map(wanted.map((name) => [name, run[name] as Tensor])),
    };
  }

  /**
   * Continues texts.
   *
   * @returns the token ids and texts of all rows, with the prompt in front
   */
  async generate(
    input: ModelInput,
    options: GenerateOptions & Pick<CacheOptions, "hooks" | "attentionMask" | "decoderInput"> = {},
  ): Promise<{ tokens: number[][]; text: string[] }> {
    this.refuseUnlessNextToken("Generation continues texts token by token");
    const batch = this.read(input, options);
    const all = { ...options, edits: [...(this.parts.edits ?? []), ...(options.edits ?? [])] };
    const tokens = await generateTokens(this.parts.engine, batch, all, this.named(options.hooks));
    return { tokens, text: tokens.map((row) => this.parts.tokenizer?.decode(row) ?? row.join(" ")) };
  }

  /**
   * Computes graph values that a technique makes of the model's own: the way to write a new technique. What is not
   * needed for them is cut off.
   *
   * @param build makes the outputs by name from the values at points and the logits
   * @param options.points the points of norms, of heads' results and of heads' inputs that `build` asks for; the others
   * are always there
   *
   * @example
   * ```ts
   * // words of "tslens/graph": matmul, softmax, …
   * const { outputs } = await model.compute(text, ({ point }) => ({
   *   similarity: matmul(point("hook_embed"), point("hook_embed"), { transposeB: true }),
   * }));
   * outputs.similarity.shape; // [batch, pos, pos]
   * ```
   */
  async compute(
    input: ModelInput,
    build: (scope: ComputeScope) => Record<string, g.Value>,
    options: RunOptions & { points?: readonly string[]; feeds?: Readonly<Record<string, Feed>> } = {},
  ): Promise<{ outputs: Record<string, Tensor>; tokens: readonly (readonly number[])[] }> {
    const { engine } = this.parts;
    const batch = this.read(input, options);
    const edits = this.lower(options);
    const wanted = [...(options.points ?? []), ...edits.map(({ point }) => point)];
    const graph = weave(engine.graph(wanted, { padded: batch.mask !== undefined }), edits);
    const outputs = build({
      logits: graph.outputs.logits!,
      point: (name) => g.findPoint(graph, engine.resolve(name)),
      unembed: (residual) => engine.unembed(residual),
    });
    const run = await engine.runtime
      .plan({ outputs })
      .run({ ...engine.feeds(batch, edits), ...options.feeds }, { signal: options.signal });
    return { outputs: run as Record<string, Tensor>, tokens: batch.tokens };
  }

  /** The same model with edits that act in every run, before those of the run itself. */
  withEdits(edits: readonly Edit[]): Model {
    const all = [...(this.parts.edits ?? []), ...edits];
    this.parts.engine.lower(all);
    return new Model({ ...this.parts, edits: all });
  }

  /**
   * Writes the model, with its edits, as an ordinary ONNX file: input `tokens` (int64 `[batch, pos]`; `tokenTypes` too
   * where the model has them), output `logits` and the points asked for. Any ONNX Runtime runs it, and `loadOnnx` reads
   * it with all of its points.
   *
   * @param options.weights `"inline"` by default; `"external"` puts them into `path` with `.data` behind it
   * @throws if an edit belongs to one input (chosen positions, another run's values), or inline weights take 2 GiB or
   * more
   *
   * @example
   * ```ts
   * await model.exportOnnx("ablated.onnx", { edits: [ablate(["z", 1], { head: 3 })], outputs: [["resid_post", 1]] });
   * ```
   */
  async exportOnnx(
    path: string,
    options: { edits?: readonly Edit[]; outputs?: readonly PointName[] } & WeightOptions = {},
  ): Promise<void> {
    const outputs = (options.outputs ?? []).map((name) => this.pointName(name));
    const { weights } = options;
    await writeOnnx(this.parts.engine, path, { outputs, edits: this.lower(options), weights });
  }

  /** The full name of a point, given in full or short (`"pattern0"`, `["pattern", 0]`). */
  pointName(name: PointName): string {
    return this.parts.engine.resolve(name);
  }

  /** The axes of a point's value, such as `["batch", "pos", "head", "dHead"]`. */
  axes(name: PointName): readonly string[] {
    return this.parts.engine.site(this.parts.engine.resolve(name)).axes;
  }

  /** Frees the model's plans; it can still be used, at the cost of compiling again. */
  async release(): Promise<void> {
    await this.parts.engine.runtime.release();
  }

  /** A line of text: name, family and sizes. */
  toString(): string {
    const { family, nLayers, nHeads, dModel, dVocab, nCtx } = this.config;
    const edits = this.parts.edits?.length ? `, ${this.parts.edits.length} edits` : "";
    return `Model ${this.name} (${family}: ${nLayers} layers, ${nHeads} heads, dModel ${dModel}, dVocab ${dVocab}, context ${nCtx}${edits})`;
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

  /** An input as rows of token ids, for techniques that run plans of their own. */
  read(input: ModelInput, options: InputOptions = {}): Batch {
    const { padToken, eosTokens } = this.config;
    const encode = (text: string): number[] => this.tokenizer.encode(text);
    const context = { ...this.config, padToken: padToken ?? eosTokens[0] ?? 0, encode };
    const { encoder } = context;
    return encoder
      ? readSourceAndTarget(input, { ...context, encoder }, options)
      : readInput(input, context, options);
  }

  /** Throws if the model does not predict next tokens, which `what` is about. */
  private refuseUnlessNextToken(what: string): void {
    const { task, family } = this.config;
    if (task === "nextToken") return;
    const does = task === "classification" ? "classifies texts" : "fills in masked tokens";
    throw new Error(`${what}, but "${this.name}" (${family}) ${does}.`);
  }

  private lower({ edits = [] }: RunOptions): Request["edits"] {
    return this.parts.engine.lower([...(this.parts.edits ?? []), ...edits]);
  }

  private named(hooks: CacheOptions["hooks"] = []): NamedHook[] {
    return hooks.map(([name, hook]) => [this.parts.engine.resolve(name), hook] as const);
  }

  private async run(
    input: ModelInput,
    { points, logits }: Pick<Request, "points" | "logits">,
    options: RunOptions,
    hooks: CacheOptions["hooks"] = [],
  ): Promise<{ outputs: Record<string, AnyTensor>; batch: Batch }> {
    if (logits === "last")
      this.refuseUnlessNextToken("The logits of the last position are those of a next token");
    const { engine } = this.parts;
    const batch = this.read(input, options);
    const edits = this.lower(options);
    const request = { points, logits, edits, padded: batch.mask !== undefined };
    const feeds = engine.feeds(batch, edits);
    if (hooks.length === 0) {
      const rowwise = edits.every((edit) => edit.rowwise);
      const { signal } = options;
      return {
        outputs: await engine.execute(engine.plan(request), feeds, batch, { signal, rowwise }),
        batch,
      };
    }
    const named = this.named(hooks);
    const graph = engine.requested(
      request,
      named.map(([name]) => name),
    );
    const outputs = await runHooked(engine.runtime, graph, feeds, named, options.signal);
    return { outputs, batch };
  }

  /** What a metric of this batch is made from. */
  metricInput({ tokens, mask }: Batch): MetricInput {
    const { task, labels } = this.config;
    const tokenId = (text: string): number => (labels ? labelNumber(text, labels) : this.toSingleToken(text));
    return { tokens, mask, task, tokenId };
  }

  private filter(names: PointFilter | undefined): string[] {
    if (names === undefined) return this.hookNames.filter((name) => !derived.test(name));
    return chosenNames(names, this.hookNames, (name) => this.parts.engine.resolve(name));
  }

  private cache(values: ReadonlyMap<string, Tensor>, { tokens }: Batch): ActivationCache {
    const { engine } = this.parts;
    return new ActivationCache(values, tokens, {
      axes: (name) => engine.site(name).axes,
      outputWeights: (layer) => engine.outputWeights(layer),
      headsOf: (name) => engine.site(name).shape[2] as number,
      tokenText: (id) => this.tokenText(id),
      tokenId: (text) => this.toSingleToken(text),
      config: this.config,
      weights: this.weights,
      finalNorm: () => engine.finalNorm(),
    });
  }

  private checkLayer(layer: number): void {
    const { nLayers, encoder, family } = this.config;
    if (encoder)
      throw new Error(`stopAtLayer is for models of one stack; "${this.name}" (${family}) has two.`);
    if (!Number.isInteger(layer) || layer < 0 || layer > nLayers)
      throw new Error(`stopAtLayer must be a whole number from 0 to ${nLayers}, but is ${layer}.`);
  }
}

/** Values that a cache makes from others when they are asked for. */
const derived = /hook_result$|hook_attn_in$|hook_[qkv]_input$/;

function isBefore(name: string, layer: number): boolean {
  const block = /^blocks\.(\d+)\./.exec(name);
  if (block) return Number(block[1]) < layer;
  return (name.startsWith("hook_") && name !== "hook_pooler_out") || name.startsWith("embed_ln.");
}
