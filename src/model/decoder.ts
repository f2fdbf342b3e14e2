/**
 * The graph of a decoder: what every family of autoregressive transformers has in common.
 *
 * Points that cost nothing are always there. Points that cost something (`optional` below) are woven in where they
 * are wanted; without them the same numbers come from fused operators.
 */

import type { Shape, Value } from "../graph/index.js";
import * as g from "../graph/index.js";
import type { ModelConfig } from "./config.js";
import type { Block, Layout, Linear, Norm } from "./family.js";
import { rotaryAngles, rotate } from "./rotary.js";

/** How the graph is fed and what it is to hold. */
export interface DecoderOptions {
  /** Names of points that someone wants to see, edit or differentiate. */
  readonly wants: (name: string) => boolean;
  /** There is an `attentionMask` `[batch, total]`, 1 at tokens and 0 at padding. */
  readonly padded?: boolean;
  /** Keys and values of earlier positions are fed, and those of the new ones are given back. */
  readonly cached?: boolean;
  /** Logits of the last position only. */
  readonly last?: boolean;
}

/** The types of parameters as the files have them. */
export type ParameterType = (name: string) => Value;

/**
 * A decoder's graph: `logits`, and with `cached` the new keys and values of each layer. Where every head has inputs of
 * its own, the points of the norm before attention are outputs too: they can be seen, but nothing is made from them.
 */
export function decoder(
  config: ModelConfig,
  layout: Layout,
  parameter: ParameterType,
  options: DecoderOptions,
): g.Graph {
  return new Decoder(config, layout, parameter, options).graph();
}

/** Logits of a residual stream `[batch, pos, dModel]` by a model's final norm and unembedding. */
export function unembed(
  config: ModelConfig,
  layout: Layout,
  parameter: ParameterType,
  residual: Value,
): Value {
  const { lnFinal, unembed: map } = layout;
  const weight = parameter(lnFinal.weight);
  const normalized =
    lnFinal.bias === undefined
      ? g.rmsNorm(residual, weight, config.epsilon)
      : g.layerNorm(residual, weight, parameter(lnFinal.bias), config.epsilon);
  return g.matmul(normalized, parameter(map.weight), { transposeB: map.layout === "outIn" });
}

/** The names under which the keys and values of a layer are fed and given back. */
export const pastName = (kind: "key" | "value", layer: number): string => `past.${layer}.${kind}`;
export const presentName = (kind: "key" | "value", layer: number): string => `present.${layer}.${kind}`;

const RESIDUAL = ["batch", "pos", "dModel"];
const HEADS = ["batch", "pos", "head", "dHead"];
const HEAD_RESIDUAL = ["batch", "pos", "head", "dModel"];
const MAP = ["batch", "head", "query", "key"];

class Decoder {
  private readonly outputs: Record<string, Value> = {};
  private readonly tokens = g.input("tokens", "int64", ["batch", "pos"]);
  private readonly positions = g.input("positions", "int64", ["batch", "pos"]);
  private readonly total: string;
  private readonly bias: Value;
  private readonly angles?: { cos: Value; sin: Value };

  constructor(
    private readonly config: ModelConfig,
    private readonly layout: Layout,
    private readonly parameter: ParameterType,
    private readonly options: DecoderOptions,
  ) {
    this.total = options.cached ? "past+pos" : "pos";
    this.bias = this.attentionBias();
    if (config.rotary) this.angles = rotaryAngles(config.rotary, this.positions);
  }

  graph(): g.Graph {
    let residual = this.embedding();
    for (let layer = 0; layer < this.config.nLayers; layer++) residual = this.block(layer, residual);
    this.outputs.logits = this.unembedding(residual);
    return { outputs: this.outputs };
  }

  private embedding(): Value {
    const tokens = g.point("hook_tokens", this.tokens, ["batch", "pos"]);
    const embed = g.point("hook_embed", g.gather(this.parameter(this.layout.embed), tokens), RESIDUAL);
    if (!this.layout.positions) return embed;
    const positions = g.gather(this.parameter(this.layout.positions), this.positions);
    return g.add(embed, g.point("hook_pos_embed", positions, RESIDUAL));
  }

  private unembedding(residual: Value): Value {
    const { lnFinal, unembed } = this.layout;
    const last = (x: Value): Value => (this.options.last ? g.slice(x, 1, -1) : x);
    // The norm acts on each position alone, so only the last one needs it, unless all of its values are wanted.
    const wanted = this.wantsNorm("ln_final") || this.options.wants("unembed.hook_in");
    const normalized = wanted
      ? last(this.norm("ln_final", residual, lnFinal))
      : this.norm("ln_final", last(residual), lnFinal);
    const input = g.point("unembed.hook_in", normalized, RESIDUAL);
    return g.point("unembed.hook_out", this.linear(input, unembed), ["batch", "pos", "dVocab"]);
  }

  private block(layer: number, input: Value): Value {
    const at = `blocks.${layer}`;
    const parts = this.layout.block(layer);
    const pre = g.point(`${at}.hook_resid_pre`, input, RESIDUAL);
    const attention = g.point(`${at}.hook_attn_out`, this.attention(layer, parts, pre), RESIDUAL);
    const mid = g.point(`${at}.hook_resid_mid`, g.add(pre, attention), RESIDUAL);
    const mlp = g.point(`${at}.hook_mlp_out`, this.mlp(layer, parts, mid), RESIDUAL);
    return g.point(`${at}.hook_resid_post`, g.add(mid, mlp), RESIDUAL);
  }

  // ---- attention

  private attention(layer: number, block: Block, residual: Value): Value {
    const at = `blocks.${layer}.attn`;
    const { nHeads, nKvHeads, dHead, attentionScale } = this.config;
    const [q, k, v] = this.queriesKeysValues(layer, block, residual);
    const query = g.point(`${at}.hook_q`, q!, HEADS);
    const key = g.point(`${at}.hook_k`, k!, HEADS);
    const value = g.point(`${at}.hook_v`, v!, HEADS);
    const turnedQuery = this.rotated(`${at}.hook_rot_q`, query);
    const turnedKey = this.rotated(`${at}.hook_rot_k`, key);

    const group = nHeads / nKvHeads;
    const keys = this.remembered("key", layer, turnedKey); // [batch, kvHead, total, dHead]
    const values = this.remembered("value", layer, value);
    const grouped = this.groupHeads(turnedQuery, group); // [batch, kvHead, group*pos, dHead]
    const products = g.matmul(grouped, keys, { transposeB: true, scale: attentionScale });
    const scores = g.point(
      `${at}.hook_attn_scores`,
      g.add(this.splitGroups(products, this.total), this.bias),
      MAP,
    );
    const pattern = g.point(`${at}.hook_pattern`, g.softmax(scores), MAP);
    const mixed = g.matmul(this.joinGroups(pattern, this.total), values);
    const z = g.point(`${at}.hook_z`, g.transpose(this.splitGroups(mixed, dHead), [0, 2, 1, 3]), HEADS);
    return this.output(`${at}.hook_result`, z, block.o);
  }

  /** q, k and v `[batch, pos, head, dHead]`; through their own inputs for each head where those are wanted. */
  private queriesKeysValues(layer: number, block: Block, residual: Value): Value[] {
    const at = `blocks.${layer}`;
    const { nHeads, nKvHeads, dHead } = this.config;
    const kinds = ["q", "k", "v"] as const;
    const heads = { q: nHeads, k: nKvHeads, v: nKvHeads };
    const asHeads = (x: Value, count: number): Value => g.reshape(x, ["batch", "pos", count, dHead]);
    const together = `${at}.hook_attn_in`;
    const split = kinds.filter(
      (kind) => this.options.wants(`${at}.hook_${kind}_input`) || this.options.wants(together),
    );
    const shared =
      split.length < 3
        ? this.norm(`${at}.ln1`, residual, block.ln1)
        : this.normAside(`${at}.ln1`, residual, block.ln1);
    if (split.length === 0 && block.qkv) {
      const sizes = kinds.map((kind) => heads[kind] * dHead);
      const all = g.split(this.linear(shared!, block.qkv), -1, sizes);
      return kinds.map((kind, i) => asHeads(all[i]!, heads[kind]));
    }
    const repeated = (count: number): Value => this.repeatForHeads(residual, count);
    const common = this.options.wants(together)
      ? g.point(together, repeated(nHeads), HEAD_RESIDUAL)
      : undefined;
    return kinds.map((kind) => {
      if (!split.includes(kind)) return asHeads(this.linear(shared!, block[kind]), heads[kind]);
      const own = g.point(`${at}.hook_${kind}_input`, common ?? repeated(heads[kind]), HEAD_RESIDUAL);
      return this.linearByHead(this.norm(undefined, own, block.ln1), block[kind], heads[kind]);
    });
  }

  private rotated(name: string, x: Value): Value {
    if (!this.angles) return x;
    return g.point(name, rotate(x, this.config.rotary!, this.angles), HEADS);
  }

  /** `[batch, kvHead, total, dHead]`: the new keys or values behind the remembered ones. */
  private remembered(kind: "key" | "value", layer: number, x: Value): Value {
    if (!this.options.cached) return g.transpose(x, [0, 2, 1, 3]);
    const { nKvHeads, dHead } = this.config;
    // Positions lead, so that the memory grows at its end and is fed without a copy.
    const fresh = g.transpose(x, [1, 0, 2, 3]);
    this.outputs[presentName(kind, layer)] = fresh;
    const past = g.input(pastName(kind, layer), "float32", ["past", "batch", nKvHeads, dHead]);
    return g.transpose(g.concat([past, fresh], 0), [1, 2, 0, 3]);
  }

  /** Queries of the heads that share keys, as rows of one matrix: `[batch, kvHead, group*pos, dHead]`. */
  private groupHeads(x: Value, group: number): Value {
    const byHead = g.transpose(x, [0, 2, 1, 3]);
    return group === 1
      ? byHead
      : g.reshape(byHead, ["batch", this.config.nKvHeads, `${group}*pos`, this.config.dHead]);
  }

  private splitGroups(x: Value, last: number | string): Value {
    return g.reshape(x, ["batch", this.config.nHeads, "pos", last]);
  }

  private joinGroups(x: Value, last: number | string): Value {
    const { nHeads, nKvHeads } = this.config;
    return nHeads === nKvHeads ? x : g.reshape(x, ["batch", nKvHeads, `${nHeads / nKvHeads}*pos`, last]);
  }

  /** What attention adds to the residual stream; as a sum of the heads' results where those are wanted. */
  private output(name: string, z: Value, o: Linear): Value {
    const { nHeads, dHead, dModel } = this.config;
    if (!this.options.wants(name)) return this.linear(g.reshape(z, ["batch", "pos", nHeads * dHead]), o);
    const weight = g.reshape(this.matrix(o), [nHeads, dHead, dModel]);
    const byHead = g.matmul(g.transpose(z, [0, 2, 1, 3]), weight); // [batch, head, pos, dModel]
    const result = g.point(name, g.transpose(byHead, [0, 2, 1, 3]), HEAD_RESIDUAL);
    return this.biased(g.sum(result, [2]), o);
  }

  /** 0 where a query may look and −∞ elsewhere, `[pos, total]`, with padding `[batch, 1, pos, total]`. */
  private attentionBias(): Value {
    const zero = g.scalar(0, "int64");
    const total = g.dimension(this.total);
    const first = this.options.cached ? g.dimension("past") : zero;
    const query = g.unsqueeze(g.range(first, total, "pos"), [1]);
    const key = g.unsqueeze(g.range(zero, total, this.total), [0]);
    const causal = g.greaterOrEqual(query, key);
    if (!this.options.padded) return g.where(causal, 0, Number.NEGATIVE_INFINITY);
    const mask = g.input("attentionMask", "int64", ["batch", this.total]);
    const real = g.unsqueeze(g.equal(mask, 1), [1, 2]);
    // Padding looks at itself, so that no row is empty and softmax stays finite; nothing real looks at padding.
    return g.where(g.and(causal, g.or(real, g.equal(query, key))), 0, Number.NEGATIVE_INFINITY);
  }

  // ---- MLP, norms and products

  private mlp(layer: number, block: Block, residual: Value): Value {
    const at = `blocks.${layer}`;
    const axes = ["batch", "pos", "dMlp"];
    const input = g.point(`${at}.hook_mlp_in`, residual, RESIDUAL);
    const normalized = this.norm(`${at}.ln2`, input, block.ln2);
    const { gate, in: up, out } = block.mlp;
    const pre = g.point(`${at}.mlp.hook_pre`, this.linear(normalized, gate ?? up), axes);
    const active = this.activation(pre);
    const linear = gate && g.point(`${at}.mlp.hook_pre_linear`, this.linear(normalized, up), axes);
    const post = g.point(`${at}.mlp.hook_post`, linear ? g.mul(active, linear) : active, axes);
    return this.linear(post, out);
  }

  private activation(x: Value): Value {
    switch (this.config.actFn) {
      case "gelu":
        return g.gelu(x);
      case "gelu_new":
        return g.gelu(x, "tanh");
      case "silu":
        return g.silu(x);
      case "relu":
        return g.relu(x);
    }
  }

  private wantsNorm(name: string): boolean {
    return this.options.wants(`${name}.hook_scale`) || this.options.wants(`${name}.hook_normalized`);
  }

  /** The norm, as one operator; in steps where its inner values are wanted. */
  private norm(name: string | undefined, x: Value, { weight, bias }: Norm): Value {
    const { epsilon, normalization } = this.config;
    const w = this.parameter(weight);
    const b = bias === undefined ? undefined : this.parameter(bias);
    if (name === undefined || !this.wantsNorm(name))
      return normalization === "RMS" ? g.rmsNorm(x, w, epsilon) : g.layerNorm(x, w, b!, epsilon);
    const centred = normalization === "RMS" ? x : g.sub(x, g.mean(x, [-1], true));
    const deviation = g.sqrt(g.add(g.mean(g.square(centred), [-1], true), epsilon));
    const scale = g.point(`${name}.hook_scale`, deviation, ["batch", "pos", "one"]);
    const normalized = g.point(`${name}.hook_normalized`, g.div(centred, scale), RESIDUAL);
    const weighted = g.mul(normalized, w);
    return b ? g.add(weighted, b) : weighted;
  }

  /** A norm that nothing reads, for its points: outputs of the graph under their names. */
  private normAside(name: string, x: Value, norm: Norm): undefined {
    if (!this.wantsNorm(name)) return;
    const points = g.pointsOf({ outputs: { aside: this.norm(name, x, norm) } });
    for (const part of ["hook_scale", "hook_normalized"])
      this.outputs[`${name}.${part}`] = points.get(`${name}.${part}`)!;
  }

  private linear(x: Value, map: Linear): Value {
    const product = map.part
      ? g.matmul(x, this.matrix(map))
      : g.matmul(x, this.parameter(map.weight), { transposeB: map.layout === "outIn" });
    return this.biased(product, map);
  }

  private biased(x: Value, { bias, part, dOut }: Linear): Value {
    if (bias === undefined) return x;
    const whole = this.parameter(bias);
    return g.add(x, part ? g.slice(whole, 0, part.from, part.from + dOut) : whole);
  }

  /** A map's matrix as `[in, out]`. */
  private matrix({ weight, layout, part, dOut }: Linear): Value {
    const whole = this.parameter(weight);
    const used = part ? g.slice(whole, layout === "inOut" ? 1 : 0, part.from, part.from + dOut) : whole;
    return layout === "inOut" ? used : g.transpose(used, [1, 0]);
  }

  private repeatForHeads(residual: Value, count: number): Value {
    const shape: Shape = ["batch", "pos", count, this.config.dModel];
    return g.expand(g.unsqueeze(residual, [2]), shape);
  }

  /** A linear map whose input differs by head: `[batch, pos, head, dModel]` to `[batch, pos, head, dHead]`. */
  private linearByHead(x: Value, map: Linear, count: number): Value {
    const { dHead, dModel } = this.config;
    const weight = g.transpose(g.reshape(this.matrix(map), [dModel, count, dHead]), [1, 0, 2]);
    const product = g.transpose(g.matmul(g.transpose(x, [0, 2, 1, 3]), weight), [0, 2, 1, 3]);
    const flat = g.reshape(product, ["batch", "pos", count * dHead]);
    return g.reshape(this.biased(flat, map), ["batch", "pos", count, dHead]);
  }
}
