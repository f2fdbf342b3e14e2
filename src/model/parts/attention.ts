/** Attention: many heads, with keys and values of their own or shared by groups of heads. */

import type { Shape, Value } from "../../graph/index.js";
import * as g from "../../graph/index.js";
import { productDim } from "../../graph/shapes.js";
import type { Block, Linear, Norm } from "../family.js";
import { type RotaryAngles, rotate } from "../rotary.js";
import { type Context, HEAD_RESIDUAL, HEADS, MAP, pastName, presentName } from "./context.js";
import { biased, linear, linearByHead, linears, matrix } from "./linear.js";
import { norm, normAside } from "./norm.js";

/** What a layer's attention depends on beside its weights. */
export interface AttentionSetting {
  /** What is added to the scores. */
  readonly bias?: Value;
  readonly angles?: RotaryAngles;
}

/** What attention makes of the residual stream; the result's norm, if there is one, is not part of it. */
export function attention(
  given: Context,
  layer: number,
  block: Block,
  residual: Value,
  { bias, angles }: AttentionSetting,
): { output: Value; normalized?: Value } {
  const context = withHeads(given, block);
  const at = `${context.at(layer)}.attn`;
  const { nHeads, nKvHeads, dHead, scoreCap } = context.config;
  const { values, normalized } = queriesKeysValues(context, layer, block, residual);
  const query = turned(context, at, "q", values[0]!, block.qNorm, angles);
  const key = turned(context, at, "k", values[1]!, block.kNorm, angles);
  const value = g.point(`${at}.hook_v`, values[2]!, HEADS);

  const group = nHeads / nKvHeads;
  const keys = remembered(context, "key", layer, key); // [batch, kvHead, total, dHead]
  const memory = remembered(context, "value", layer, value);
  const grouped = groupHeads(context, query, group); // [batch, kvHead, group*pos, dHead]
  const scale = attentionScale(context, layer);
  const products = splitGroups(context, g.matmul(grouped, keys, { transposeB: true, scale }), context.total);
  const capped = scoreCap === undefined ? products : softCap(products, scoreCap);
  const scores = g.point(`${at}.hook_attn_scores`, bias ? g.add(capped, bias) : capped, MAP);
  const pattern = g.point(`${at}.hook_pattern`, g.softmax(scores), MAP);
  const mixed = g.matmul(joinGroups(context, pattern, context.total), memory);
  const z = g.point(`${at}.hook_z`, g.transpose(splitGroups(context, mixed, dHead), [0, 2, 1, 3]), HEADS);
  return { output: project(context, `${at}.hook_result`, z, block.o), normalized };
}

/** The configuration of a block that has another number of heads. */
const withHeads = (context: Context, { heads }: Block): Context =>
  heads === undefined
    ? context
    : { ...context, config: { ...context.config, nHeads: heads, nKvHeads: heads } };

/** `cap · tanh(x / cap)` */
export const softCap = (x: Value, cap: number): Value => g.mul(g.tanh(g.div(x, cap)), cap);

const attentionScale = ({ config }: Context, layer: number): number =>
  config.scoresScaledByLayer ? config.attentionScale / (layer + 1) : config.attentionScale;

/**
 * q, k and v `[batch, pos, head, dHead]`, through their own inputs for each head where those are wanted; and what they
 * are made from where they share it.
 */
function queriesKeysValues(
  context: Context,
  layer: number,
  block: Block,
  residual: Value,
): { values: Value[]; normalized?: Value } {
  const at = context.at(layer);
  const { nHeads, nKvHeads, dHead, normPlacement } = context.config;
  const { wants } = context.options;
  const kinds = ["q", "k", "v"] as const;
  const heads = { q: nHeads, k: nKvHeads, v: nKvHeads };
  const asHeads = (x: Value, count: number): Value => g.reshape(x, ["batch", context.pos, count, dHead]);
  const together = `${at}.hook_attn_in`;
  const split = kinds.filter((kind) => wants(`${at}.hook_${kind}_input`) || wants(together));
  const before = normPlacement === "before" ? block.ln1 : undefined;
  const normed = (name: string | undefined, x: Value): Value => (before ? norm(context, name, x, before) : x);
  if (split.length === 3 && before) normAside(context, `${at}.ln1`, residual, before);
  const shared = split.length < 3 ? normed(`${at}.ln1`, residual) : undefined;
  if (split.length === 0 && block.qkv) {
    const all = linears(context, shared!, block.qkv, [block.q, block.k, block.v]);
    return { values: kinds.map((kind, i) => asHeads(all[i]!, heads[kind])), normalized: shared };
  }
  const repeated = (count: number): Value => repeatForHeads(context, residual, count);
  const common = wants(together) ? g.point(together, repeated(nHeads), HEAD_RESIDUAL) : undefined;
  const values = kinds.map((kind) => {
    if (!split.includes(kind)) return asHeads(linear(context, shared!, block[kind]), heads[kind]);
    const own = g.point(`${at}.hook_${kind}_input`, common ?? repeated(heads[kind]), HEAD_RESIDUAL);
    return linearByHead(context, own, block[kind], heads[kind], (x) => normed(undefined, x));
  });
  return { values, normalized: shared };
}

function repeatForHeads({ config, pos }: Context, residual: Value, count: number): Value {
  const shape: Shape = ["batch", pos, count, config.dModel];
  return g.expand(g.unsqueeze(residual, [2]), shape);
}

/** A query or key with its points: as the map gives it, after its norm and after the rotation, where there are such. */
function turned(
  context: Context,
  at: string,
  kind: "q" | "k",
  x: Value,
  ownNorm: Norm | undefined,
  angles: RotaryAngles | undefined,
): Value {
  const plain = g.point(`${at}.hook_${kind}`, x, HEADS);
  const normed = ownNorm
    ? g.point(`${at}.hook_${kind}_normed`, headNorm(context, plain, ownNorm), HEADS)
    : plain;
  return angles ? g.point(`${at}.hook_rot_${kind}`, rotate(normed, angles), HEADS) : normed;
}

/** The norm of queries or keys: of each head by itself, or of all heads together. */
function headNorm(context: Context, x: Value, parameters: Norm): Value {
  const width = parameters.size!;
  const [, , heads, dHead] = x.shape as [string, string, number, number];
  if (width === dHead) return norm(context, undefined, x, parameters);
  const flat = g.reshape(x, ["batch", context.pos, heads * dHead]);
  return g.reshape(norm(context, undefined, flat, parameters), x.shape);
}

/** `[batch, kvHead, total, dHead]`: the new keys or values behind the remembered ones. */
function remembered(context: Context, kind: "key" | "value", layer: number, x: Value): Value {
  if (!context.options.cached) return g.transpose(x, [0, 2, 1, 3]);
  const { nKvHeads, dHead } = context.config;
  // Positions lead, so that the memory grows at its end and is fed without a copy.
  const fresh = g.transpose(x, [1, 0, 2, 3]);
  context.outputs[presentName(kind, layer)] = fresh;
  const past = g.input(pastName(kind, layer), "float32", ["past", "batch", nKvHeads, dHead]);
  return g.transpose(g.concat([past, fresh], 0), [1, 2, 0, 3]);
}

/** Queries of the heads that share keys, as rows of one matrix: `[batch, kvHead, group*pos, dHead]`. */
function groupHeads({ config, pos }: Context, x: Value, group: number): Value {
  const byHead = g.transpose(x, [0, 2, 1, 3]);
  return group === 1
    ? byHead
    : g.reshape(byHead, ["batch", config.nKvHeads, `${group}*${pos}`, config.dHead]);
}

function splitGroups({ config, pos }: Context, x: Value, last: number | string): Value {
  return g.reshape(x, ["batch", config.nHeads, pos, last]);
}

function joinGroups({ config: { nHeads, nKvHeads }, pos }: Context, x: Value, last: number | string): Value {
  return nHeads === nKvHeads ? x : g.reshape(x, ["batch", nKvHeads, `${nHeads / nKvHeads}*${pos}`, last]);
}

/** What attention adds to the residual stream; as a sum of the heads' results where those are wanted. */
export function project(context: Context, name: string, z: Value, o: Linear): Value {
  const { nHeads, dHead, dModel } = context.config;
  if (!context.options.wants(name))
    return linear(context, g.reshape(z, ["batch", context.pos, nHeads * dHead]), o);
  const weight = g.reshape(matrix(context, o), [nHeads, dHead, dModel]);
  const rows = g.reshape(g.transpose(z, [2, 0, 1, 3]), [nHeads, productDim(["batch", context.pos]), dHead]);
  const byHead = g.reshape(g.matmul(rows, weight), [nHeads, "batch", context.pos, dModel]);
  const result = g.point(name, g.transpose(byHead, [1, 2, 0, 3]), HEAD_RESIDUAL);
  return biased(context, g.sum(result, [2]), o);
}
