/** Attention from one stack of blocks to what another made of the source. */

import type { Value } from "../../graph/index.js";
import * as g from "../../graph/index.js";
import type { CrossAttention, Linear } from "../family.js";
import { project } from "./attention.js";
import { type Context, HEADS, MAP } from "./context.js";
import { linear } from "./linear.js";

/** What attention to the source makes of a normalised residual stream. */
export function crossAttention(context: Context, at: string, parts: CrossAttention, input: Value): Value {
  const { config, pos, source } = context;
  const { nHeads, dHead, attentionScale } = config;
  const heads = (kind: "q" | "k" | "v", x: Value, map: Linear, length: string): Value => {
    const split = g.reshape(linear(context, x, map), ["batch", length, nHeads, dHead]);
    return g.transpose(g.point(`${at}.hook_${kind}`, split, HEADS), [0, 2, 1, 3]);
  };
  const query = heads("q", input, parts.q, pos);
  const key = heads("k", source!.value, parts.k, "source");
  const value = heads("v", source!.value, parts.v, "source");
  const products = g.matmul(query, key, { transposeB: true, scale: attentionScale });
  const scores = g.point(`${at}.hook_attn_scores`, g.add(products, source!.bias), MAP);
  const pattern = g.point(`${at}.hook_pattern`, g.softmax(scores), MAP);
  const z = g.point(`${at}.hook_z`, g.transpose(g.matmul(pattern, value), [0, 2, 1, 3]), HEADS);
  return project(context, `${at}.hook_result`, z, parts.o);
}
