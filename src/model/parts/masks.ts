/** What is added to attention scores: which keys a query may look at, and biases by distance. */

import type { Value } from "../../graph/index.js";
import * as g from "../../graph/index.js";
import type { Context } from "./context.js";

const blocked = Number.NEGATIVE_INFINITY;

/**
 * 0 where a query may look and −∞ elsewhere, broadcast to `[batch, head, pos, total]`; nothing where every query may
 * look at every key. With ALiBi (Press et al. 2022) its slopes times the key's position are added: softmax does not
 * see the difference to slopes times the distance.
 *
 * @param window the last so many positions, the query's own among them, are seen; all by default
 */
export function attentionBias(context: Context, window?: number): Value | undefined {
  const { alibi, bidirectional } = context.config;
  const bias = bidirectional ? paddingBias(context) : causalBias(context, window);
  if (!alibi) return bias;
  const keys = g.cast(g.range(g.scalar(0, "int64"), g.dimension(context.total), context.total), "float32");
  const slopes = g.constant(alibi, [1, alibi.length, 1, 1]);
  return g.add(bias!, g.mul(slopes, keys));
}

/** Nothing looks at padding. */
const paddingBias = ({ mask }: Context): Value | undefined =>
  mask && g.where(g.unsqueeze(g.equal(mask, 1), [1, 2]), 0, blocked);

function causalBias(context: Context, window?: number): Value {
  const zero = g.scalar(0, "int64");
  const total = g.dimension(context.total);
  const first = context.options.cached ? g.dimension("past") : zero;
  const query = g.unsqueeze(g.range(first, total, context.pos), [1]);
  const key = g.unsqueeze(g.range(zero, total, context.total), [0]);
  const causal = g.greaterOrEqual(query, key);
  const seen = window === undefined ? causal : g.and(causal, g.greater(key, g.sub(query, window)));
  if (!context.mask) return g.where(seen, 0, blocked);
  const real = g.unsqueeze(g.equal(context.mask, 1), [1, 2]);
  // Padding looks at itself, so that no row is empty and softmax stays finite; nothing real looks at padding.
  return g.where(g.and(seen, g.or(real, g.equal(query, key))), 0, blocked);
}
