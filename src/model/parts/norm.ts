/** Norms: one operator, or steps where their inner values are wanted. */

import type { Value } from "../../graph/index.js";
import * as g from "../../graph/index.js";
import type { Norm } from "../family.js";
import { type Context, RESIDUAL } from "./context.js";

type NormContext = Pick<Context, "config" | "parameter" | "options">;

/** Whether someone wants a norm's inner values. */
export function wantsNorm({ options }: NormContext, name: string): boolean {
  return options.wants(`${name}.hook_scale`) || options.wants(`${name}.hook_normalized`);
}

/** A norm over the last axis; without a name it has no points. */
export function norm(context: NormContext, name: string | undefined, x: Value, parameters: Norm): Value {
  const { epsilon, normalization } = context.config;
  const { weight: w, bias: b } = normWeights(context, parameters);
  if (name === undefined || !wantsNorm(context, name))
    return normalization === "RMS" ? g.rmsNorm(x, w, epsilon) : g.layerNorm(x, w, b!, epsilon);
  const centred = normalization === "RMS" ? x : g.sub(x, g.mean(x, [-1], true));
  const deviation = g.sqrt(g.add(g.mean(g.square(centred), [-1], true), epsilon));
  const scale = g.point(`${name}.hook_scale`, deviation, ["batch", "pos", "one"]);
  const normalized = g.point(`${name}.hook_normalized`, g.div(centred, scale), RESIDUAL);
  const weighted = g.mul(normalized, w);
  return b ? g.add(weighted, b) : weighted;
}

function normWeights(
  { config, parameter }: NormContext,
  { weight, bias }: Norm,
): { weight: Value; bias?: Value } {
  const stored = parameter(weight);
  return {
    weight: config.normOffset ? g.add(stored, config.normOffset) : stored,
    bias: bias === undefined ? undefined : parameter(bias),
  };
}

/** A norm that nothing reads, for its points: outputs of the graph under their names. */
export function normAside(context: Context, name: string, x: Value, parameters: Norm): void {
  if (!wantsNorm(context, name)) return;
  const points = g.pointsOf({ outputs: { aside: norm(context, name, x, parameters) } });
  for (const part of ["hook_scale", "hook_normalized"])
    context.outputs[`${name}.${part}`] = points.get(`${name}.${part}`)!;
}
