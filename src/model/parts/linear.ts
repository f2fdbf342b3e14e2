/** Linear maps, whatever way their matrices are stored. */

import type { Value } from "../../graph/index.js";
import * as g from "../../graph/index.js";
import { productDim } from "../../graph/shapes.js";
import type { Linear } from "../family.js";
import type { Context } from "./context.js";

type Weights = Pick<Context, "parameter">;

/** `x W + b` */
export function linear(context: Weights, x: Value, map: Linear): Value {
  const product = map.part
    ? g.matmul(x, matrix(context, map))
    : g.matmul(x, context.parameter(map.weight), { transposeB: map.layout === "outIn" });
  return biased(context, product, map);
}

/** `x + b`, where the map has a bias. */
export function biased(context: Weights, x: Value, map: Linear): Value {
  const own = biasOf(context, map);
  return own ? g.add(x, own) : x;
}

/** A map's bias as `[out]`, where it has one. */
export function biasOf({ parameter }: Weights, { bias, part, dOut }: Linear): Value | undefined {
  if (bias === undefined) return undefined;
  return part ? takePart(parameter(bias), 0, part, dOut) : parameter(bias);
}

/** A map's matrix as `[in, out]`. */
export function matrix({ parameter }: Weights, { weight, layout, part, dOut }: Linear): Value {
  const whole = parameter(weight);
  const used = part ? takePart(whole, layout === "inOut" ? 1 : 0, part, dOut) : whole;
  return layout === "inOut" ? used : g.transpose(used, [1, 0]);
}

/**
 * A map whose input `[batch, pos, head, dModel]` differs by head, to `[batch, pos, head, dHead]`; `before` acts on the input.
 * Heads lead inside, so that each one's product is of all rows and positions together.
 */
export function linearByHead(
  context: Context,
  x: Value,
  map: Linear,
  heads: number,
  before: (x: Value) => Value,
): Value {
  const { dHead, dModel } = context.config;
  const rows = productDim(["batch", context.pos]);
  const weight = g.transpose(g.reshape(matrix(context, map), [dModel, heads, dHead]), [1, 0, 2]);
  const byHead = g.reshape(before(g.transpose(x, [2, 0, 1, 3])), [heads, rows, dModel]);
  const product = g.reshape(g.matmul(byHead, weight), [heads, "batch", context.pos, dHead]);
  const flat = g.reshape(g.transpose(product, [1, 2, 0, 3]), ["batch", context.pos, heads * dHead]);
  return g.reshape(biased(context, flat, map), ["batch", context.pos, heads, dHead]);
}

/** The outputs of several maps that share one matrix, by one product: `[batch, pos, out]` of each. */
export function linears(context: Context, x: Value, whole: Linear, maps: readonly Linear[]): Value[] {
  const all = linear(context, x, whole);
  const groups = maps[0]!.part!.groups ?? 1;
  const sizes = maps.map(({ dOut }) => dOut / groups);
  if (groups === 1) return g.split(all, -1, sizes);
  const grouped = g.reshape(all, ["batch", context.pos, groups, whole.dOut / groups]);
  return g.split(grouped, -1, sizes).map((part, i) => g.reshape(part, ["batch", context.pos, maps[i]!.dOut]));
}

/** The outputs of one map among those that share a matrix, along an axis of the stored tensor. */
function takePart(x: Value, axis: number, part: NonNullable<Linear["part"]>, dOut: number): Value {
  const { from, of, groups = 1 } = part;
  if (groups === 1) return g.slice(x, axis, from, from + dOut);
  const before = x.shape.slice(0, axis);
  const after = x.shape.slice(axis + 1);
  const grouped = g.reshape(x, [...before, groups, of / groups, ...after]);
  const taken = g.slice(grouped, axis + 1, from, from + dOut / groups);
  return g.reshape(taken, [...before, dOut, ...after]);
}
