/** The values of points that a run has kept. */

import ndarray from "ndarray";
import { contiguous, type Tensor, tensor } from "../array/index.js";
import { nearest } from "../graph/index.js";
import type { ModelConfig } from "./config.js";
import { type LogitAttrsOptions, logitAttrs, logitBias } from "./logit-attrs.js";
import { actName } from "./names.js";
import { PointCache } from "./point-cache.js";
import * as stacks from "./residual-stack.js";
import type { ModelWeights } from "./weights.js";

/** What a cache needs to know of the model that made it. */
export interface CacheContext {
  /** The axes of each point. */
  readonly axes: (name: string) => readonly string[];
  /** W_O of a layer as `[head, dHead, dModel]`, for `hook_result`. */
  readonly outputWeights: (layer: number) => Tensor;
  /** Heads that read a point for each head, by the point's full name. */
  readonly headsOf: (name: string) => number;
  /** The text of a token, if the model has a tokenizer. */
  readonly tokenText: (id: number) => string;
  /** The id of a text that is one token. */
  readonly tokenId: (text: string) => number;
  readonly config: ModelConfig;
  readonly weights: ModelWeights;
  /** Weight and bias of the final norm, where there is one. */
  readonly finalNorm: () => { readonly weight?: Float32Array; readonly bias?: Float32Array };
}

/**
 * The values of points that a run has kept, by full or short name.
 *
 * Values that are large and made from others are made when they are asked for: `hook_attn_in` and the inputs for each
 * head are views of `hook_resid_pre`, and `hook_result` is z times W_O. Name them in `names` to have them computed in
 * the run.
 */
export class ActivationCache extends PointCache {
  constructor(
    values: ReadonlyMap<string, Tensor>,
    /** The token ids of the run, `[batch][pos]`. */
    readonly tokens: readonly (readonly number[])[],
    private readonly context: CacheContext,
  ) {
    super(values, context.axes);
  }

  /**
   * A point's value.
   *
   * @example
   * ```ts
   * cache.get("blocks.0.attn.hook_pattern"); // [batch, head, query, key]
   * cache.get("pattern", 0); // the same
   * cache.get("normalized", 3, "ln2");
   * ```
   * @throws if the run did not keep it, with the nearest names
   */
  override get(name: string, layer?: number, type?: string): Tensor {
    const full = this.values.has(name) ? name : actName(name, layer, type);
    const value = this.values.get(full) ?? this.derive(full);
    if (value) return value;
    throw new Error(
      `The cache has no "${full}". The nearest are ${nearest(full, this.values.keys()).join(", ")}.`,
    );
  }

  /** Whether the run kept a point. */
  override has(name: string, layer?: number, type?: string): boolean {
    const full = this.values.has(name) ? name : actName(name, layer, type);
    return this.values.has(full) || this.derivation(full) !== undefined;
  }

  // ---- the residual stream as a sum

  /**
   * The residual streams before each block, and the last one (`"0_pre"`, `"0_mid"` with `inclMid`, …, `"final_post"`).
   *
   * @example
   * ```ts
   * const { values, labels } = cache.accumulatedResid({ applyLn: true, pos: -1 }); // [component, batch, dModel]
   * ```
   */
  accumulatedResid(options: stacks.StackOptions & { readonly inclMid?: boolean } = {}): stacks.ResidualStack {
    return stacks.accumulatedResid(this.source, options);
  }

  /** What embeddings, attention layers and MLPs have added to the residual stream; of one `mode`, or all. */
  decomposeResid(
    options: stacks.StackOptions & {
      readonly mode?: "all" | "attn" | "mlp";
      readonly inclEmbeds?: boolean;
    } = {},
  ): stacks.ResidualStack {
    return stacks.decomposeResid(this.source, options);
  }

  /** What each head has added (`"L0H0"`, …), and with `inclRemainder` what else the stream is made of. */
  stackHeadResults(
    options: Omit<stacks.StackOptions, "mlpInput"> & { readonly inclRemainder?: boolean } = {},
  ): stacks.ResidualStack {
    return stacks.stackHeadResults(this.source, options);
  }

  /** What each neuron, or each of some, has added (`"L0N0"`, …). Large: give `pos`, `layer` or `neurons`. */
  stackNeuronResults(
    options: Omit<stacks.StackOptions, "mlpInput"> & {
      readonly inclRemainder?: boolean;
      readonly neurons?: readonly number[];
    } = {},
  ): stacks.ResidualStack {
    return stacks.stackNeuronResults(this.source, options);
  }

  /** Heads, neurons (or, with `expandNeurons: false`, MLPs), embeddings and biases, which add up to the stream. */
  getFullResidDecomposition(
    options: stacks.StackOptions & { readonly expandNeurons?: boolean } = {},
  ): stacks.ResidualStack {
    return stacks.fullResidDecomposition(this.source, options);
  }

  /** Components as the norm before a block, or before the unembedding, scales them; see `ResidualStack`. */
  applyLnToStack(
    stack: stacks.ResidualStack,
    options: Pick<stacks.StackOptions, "layer" | "mlpInput"> = {},
  ): stacks.ResidualStack {
    return stacks.applyLnToStack(this.source, stack, options);
  }

  /**
   * What each component adds to a token's logit, or to the difference of two (direct logit attribution):
   * `[component, batch, pos]`, or `[component, batch]` at one position.
   *
   * @example
   * ```ts
   * const heads = cache.stackHeadResults({ pos: -1 });
   * cache.logitAttrs(heads, { tokens: " Mary", incorrectTokens: " John" }); // [component, batch]
   * ```
   */
  logitAttrs(stack: stacks.ResidualStack, options: LogitAttrsOptions): Tensor {
    return logitAttrs(this.source, stack, options);
  }

  /** What no component adds to those logits: of the final norm's bias and of the unembedding's, for each row. */
  logitBias(options: LogitAttrsOptions): number[] {
    return logitBias(this.source, options, this.tokens.length);
  }

  private get source(): stacks.StackSource {
    return { ...this.context, get: (name) => this.get(name) };
  }

  /** The tokens of a row as text. */
  strTokens(row = 0): string[] {
    return this.tokens[row]!.map((id) => this.context.tokenText(id));
  }

  /** What it holds, in a few words. */
  protected override get contents(): string {
    return `${super.contents}, tokens [${this.tokens.length}, ${this.tokens[0]!.length}]`;
  }

  /** The points with their shapes, those of equal blocks on one line. */
  protected override summary(): string[] {
    const lines = new Map<string, number[]>();
    for (const [name, { shape }] of this.values) {
      const [, layer] = /^blocks\.(\d+)\./.exec(name) ?? [];
      const line = `${layer === undefined ? name : name.replace(layer, "*")} [${shape.join(", ")}]`;
      lines.set(line, [...(lines.get(line) ?? []), ...(layer === undefined ? [] : [Number(layer)])]);
    }
    return [...lines].map(([line, layers]) => line.replace("*", `{${layers.join(",")}}`));
  }

  private derivation(name: string): { from: string; layer: number; kind: "result" | "input" } | undefined {
    const match = /^blocks\.(\d+)\.(attn\.hook_result|hook_(?:attn_in|[qkv]_input))$/.exec(name);
    if (!match) return undefined;
    const kind = match[2] === "attn.hook_result" ? "result" : "input";
    const from = `blocks.${match[1]}.${kind === "result" ? "attn.hook_z" : "hook_resid_pre"}`;
    return this.values.has(from) ? { from, layer: Number(match[1]), kind } : undefined;
  }

  private derive(name: string): Tensor | undefined {
    const derivation = this.derivation(name);
    if (!derivation) return undefined;
    const value = this.values.get(derivation.from)!;
    return derivation.kind === "result"
      ? headResults(value, this.context.outputWeights(derivation.layer))
      : repeatHeads(value, this.context.headsOf(name));
  }
}

/** A view of `[batch, pos, dModel]` as `[batch, pos, heads, dModel]` that copies nothing. */
function repeatHeads(value: Tensor, heads: number): Tensor {
  const [batch, length, width] = value.shape as [number, number, number];
  const [b, p, d] = value.stride as [number, number, number];
  return ndarray(value.data, [batch, length, heads, width], [b, p, 0, d], value.offset);
}

/** `z [batch, pos, head, dHead]` times `W_O [head, dHead, dModel]`, head by head: `[batch, pos, head, dModel]`. */
function headResults(z: Tensor, weights: Tensor): Tensor {
  const [heads, dHead, dModel] = weights.shape as [number, number, number];
  const from = contiguous(z).data;
  const w = contiguous(weights).data;
  const rows = from.length / dHead;
  const results = new Float32Array(rows * dModel);
  for (let row = 0; row < rows; row++) {
    const head = row % heads;
    const out = results.subarray(row * dModel, (row + 1) * dModel);
    for (let i = 0; i < dHead; i++) {
      const factor = from[row * dHead + i]!;
      const at = (head * dHead + i) * dModel;
      for (let j = 0; j < dModel; j++) out[j]! += factor * w[at + j]!;
    }
  }
  return tensor(results, [...z.shape.slice(0, 3), dModel]);
}
