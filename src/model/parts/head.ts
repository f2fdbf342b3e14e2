/** From the last residual stream to logits: of the next token, of masked tokens, or of classes. */

import type { Value } from "../../graph/index.js";
import * as g from "../../graph/index.js";
import type { Layout } from "../family.js";
import { softCap } from "./attention.js";
import { type Context, LOGITS, RESIDUAL } from "./context.js";
import { linear } from "./linear.js";
import { activation } from "./mlp.js";
import { norm, wantsNorm } from "./norm.js";

type HeadContext = Pick<Context, "config" | "layout" | "parameter" | "options">;

/** `point`, or what does nothing in its place where the values are not those of the model's own run. */
type Naming = (name: string, x: Value, axes: readonly string[]) => Value;

/** The logits: `[batch, pos, dVocab]`, or `[batch, labels]` of a classifier. */
export function head(context: HeadContext, residual: Value): Value {
  return context.layout.classifier ? classify(context, residual) : tokenLogits(context, residual, g.point);
}

function tokenLogits(context: HeadContext, residual: Value, name: Naming): Value {
  const { options, layout, config } = context;
  const last = (x: Value): Value => (options.last ? g.slice(x, 1, -1) : x);
  // The norm acts on each position alone, so only the last one needs it, unless all of its values are wanted.
  const wanted = wantsNorm(context, finalNorm(layout)) || options.wants("unembed.hook_in");
  const input = wanted
    ? last(beforeUnembedding(context, residual))
    : beforeUnembedding(context, last(residual));
  const logits = linear(context, name("unembed.hook_in", input, RESIDUAL), layout.unembed!);
  const scaled = config.logitScale === undefined ? logits : g.mul(logits, config.logitScale);
  const capped = config.logitCap === undefined ? scaled : softCap(scaled, config.logitCap);
  return name("unembed.hook_out", capped, LOGITS);
}

/** The name of the norm before the unembedding. */
const finalNorm = ({ encoder }: Layout): string => (encoder ? "decoder_final_ln" : "ln_final");

/** The final norm, or what a masked language model's head does before its unembedding. */
function beforeUnembedding(context: HeadContext, residual: Value): Value {
  const { lnFinal, transform, unembedProjection } = context.layout;
  let x = residual;
  if (transform) {
    const dense = activation(context.config.actFn, linear(context, x, transform.dense));
    x = norm(context, undefined, dense, transform.norm);
  }
  if (lnFinal) x = norm(context, finalNorm(context.layout), x, lnFinal);
  return unembedProjection ? linear(context, x, unembedProjection) : x;
}

/** The first position, a layer with a nonlinearity, and a linear map to the classes. */
function classify(context: HeadContext, residual: Value): Value {
  const { pooler, nonlinearity, out } = context.layout.classifier!;
  const first = g.squeeze(g.slice(residual, 1, 0, 1), [1]);
  const pooled = activation(nonlinearity, linear(context, first, pooler));
  return linear(context, g.point("hook_pooler_out", pooled, ["batch", "dModel"]), out);
}

/** Logits of any residual stream `[batch, pos, dModel]` by the model's own head; refused for classifiers. */
export function unembed(context: Omit<HeadContext, "options">, residual: Value): Value {
  if (context.layout.classifier)
    throw new Error("This model gives logits of classes, so a residual stream has no logits of tokens.");
  return tokenLogits({ ...context, options: { wants: () => false } }, residual, (_, x) => x);
}
