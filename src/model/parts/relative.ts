/** Biases of attention scores by the distance between query and key, in buckets (Raffel et al. 2020, T5). */

import type { Value } from "../../graph/index.js";
import * as g from "../../graph/index.js";
import type { Context } from "./context.js";

/**
 * A learned number for each head and bucket of distances, `[head, query, key]`: near distances have buckets of their
 * own, farther ones share them, by the logarithm up to a largest distance.
 */
export function relativeBias(context: Context, table: string): Value {
  const { buckets, maxDistance } = context.config.relativeBias!;
  const { bidirectional } = context.config;
  const { pos, total } = context;
  const zero = g.scalar(0, "int64");
  // Read from the tokens, so that the bias can be computed alone.
  const length = g.squeeze(g.slice(g.shapeOf(context.tokens), 0, 1, 2), [0]);
  const first = context.options.cached ? g.dimension("past") : zero;
  const end = context.options.cached ? g.add(first, length) : length;
  const query = g.range(first, end, pos);
  const key = total === pos ? query : g.range(zero, end, total);
  const offset = g.sub(g.unsqueeze(key, [0]), g.unsqueeze(query, [1]));
  const count = bidirectional ? buckets / 2 : buckets;
  const distance = bidirectional ? g.abs(offset) : g.maximum(g.neg(offset), 0);
  const near = Math.floor(count / 2);
  const share = g.div(
    g.log(g.div(g.cast(g.maximum(distance, 1), "float32"), near)),
    Math.log(maxDistance / near),
  );
  const far = g.add(g.cast(g.mul(share, count - near), "int64"), near);
  const bucket = g.where(g.less(distance, near), distance, g.minimum(far, count - 1));
  const sided = bidirectional ? g.add(bucket, g.mul(g.cast(g.greater(offset, 0), "int64"), count)) : bucket;
  const values = g.transpose(g.gather(context.parameter(table), sided), [2, 0, 1]);
  return g.point(`${context.at(0)}.attn.rel_pos_hook`, values, ["head", "query", "key"]);
}
