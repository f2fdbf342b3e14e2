/** The MLP of a block: one hidden layer, gated or not, or several experts of which each token uses some. */

import type { Value } from "../../graph/index.js";
import * as g from "../../graph/index.js";
import type { ModelConfig } from "../config.js";
import type { DenseMlp, ExpertMlp } from "../family.js";
import { type Context, NEURONS } from "./context.js";
import { linear, linears } from "./linear.js";

/** What the MLP `at` (such as `blocks.0.mlp`) makes of its normalised input. */
export function mlp(context: Context, at: string, parts: DenseMlp | ExpertMlp, input: Value): Value {
  return "router" in parts ? experts(context, at, parts, input) : dense(context, at, parts, input);
}

function dense(context: Context, at: string, { in: up, gate, gateIn, out }: DenseMlp, input: Value): Value {
  const both = gateIn && gate ? linears(context, input, gateIn, [gate, up]) : undefined;
  const pre = g.point(`${at}.hook_pre`, both?.[0] ?? linear(context, input, gate ?? up), NEURONS);
  const active = activation(context.config.actFn, pre);
  const ungated = gate && g.point(`${at}.hook_pre_linear`, both?.[1] ?? linear(context, input, up), NEURONS);
  const post = g.point(`${at}.hook_post`, ungated ? g.mul(active, ungated) : active, NEURONS);
  return linear(context, post, out);
}

/** A nonlinearity by its name. */
export function activation(name: ModelConfig["actFn"], x: Value): Value {
  switch (name) {
    case "gelu":
      return g.gelu(x);
    case "gelu_new":
      return g.gelu(x, "tanh");
    case "silu":
      return g.silu(x);
    case "relu":
      return g.relu(x);
    case "tanh":
      return g.tanh(x);
  }
}

/**
 * Experts (Shazeer et al. 2017, as in Mixtral): the router's softmax, of which the largest few are kept and divided by
 * their sum. Every expert is computed for every token, and those that a token does not use weigh nothing.
 */
function experts(context: Context, at: string, { router, experts: all }: ExpertMlp, input: Value): Value {
  const used = context.config.experts!.perToken;
  const axes = ["batch", "pos", "expert"];
  const logits = g.point(`${at}.hook_gate`, linear(context, input, router), axes);
  const weights = g.point(`${at}.hook_expert_weights`, g.softmax(logits), axes);
  const indices = g.point(`${at}.hook_expert_indices`, largest(weights, used), axes);
  const chosen = g.gatherElements(weights, indices);
  const shares = g.div(chosen, g.sum(chosen, [-1], true));
  return all
    .map((expert, e) => {
      const share = g.sum(g.where(g.equal(indices, e), shares, 0), [-1], true);
      return g.mul(dense(context, `${at}.experts.${e}`, expert, input), share);
    })
    .reduce((sum, part) => g.add(sum, part));
}

/** The indices of the `count` largest along the last axis, largest first; of equal ones the first. */
function largest(x: Value, count: number): Value {
  const size = x.shape.at(-1) as number;
  const ids = Array.from({ length: size }, (_, i) => i);
  const rank = x.rank;
  const rows = g.unsqueeze(x, [rank]);
  const columns = g.unsqueeze(x, [rank - 1]);
  const earlier = g.less(g.constant(ids, [1, size], "int64"), g.constant(ids, [size, 1], "int64"));
  const ahead = g.or(g.greater(columns, rows), g.and(g.equal(columns, rows), earlier));
  const order = g.sum(g.cast(ahead, "int64"), [-1]); // how many come before each
  const slots = g.constant(ids.slice(0, count), [count, 1], "int64");
  const isThere = g.cast(g.equal(g.unsqueeze(order, [rank - 1]), slots), "int64");
  return g.sum(g.mul(isThere, g.constant(ids, [size], "int64")), [-1]);
}
