/** One block: attention and MLP, their norms, and what they add to the residual stream. */

import type { Value } from "../../graph/index.js";
import * as g from "../../graph/index.js";
import type { CrossAttention, Norm } from "../family.js";
import { type AttentionSetting, attention } from "./attention.js";
import { type Context, RESIDUAL } from "./context.js";
import { crossAttention } from "./cross-attention.js";
import { mlp } from "./mlp.js";
import { norm } from "./norm.js";

/** The residual stream after block `layer`. */
export function block(context: Context, layer: number, input: Value, setting: AttentionSetting): Value {
  const at = context.at(layer);
  const parts = context.layout.block(layer);
  const { normPlacement, parallel } = context.config;
  const pre = g.point(`${at}.hook_resid_pre`, input, RESIDUAL);
  const attended = attention(context, layer, parts, pre, setting);
  const attentionOut = g.point(`${at}.hook_attn_out`, branch("ln1", attended.output), RESIDUAL);
  if (!parts.mlp) return g.point(`${at}.hook_resid_post`, g.add(pre, attentionOut), RESIDUAL);
  if (parallel) {
    const made = mlp(context, `${at}.mlp`, parts.mlp, mlpInput(pre, attended.normalized));
    const mlpOut = g.point(`${at}.hook_mlp_out`, branch("ln2", made), RESIDUAL);
    return g.point(`${at}.hook_resid_post`, g.add(g.add(pre, attentionOut), mlpOut), RESIDUAL);
  }
  const mid = g.point(`${at}.hook_resid_mid`, g.add(pre, attentionOut), RESIDUAL);
  const between = parts.cross ? crossed(parts.cross, mid) : after("ln1", "mid", mid);
  const made = mlp(context, `${at}.mlp`, parts.mlp, mlpInput(between));
  const mlpOut = g.point(`${at}.hook_mlp_out`, branch("ln2", made), RESIDUAL);
  const post = g.point(`${at}.hook_resid_post`, g.add(between, mlpOut), RESIDUAL);
  return after("ln2", "post", post);

  /** The residual stream after attention to the source. */
  function crossed(cross: CrossAttention, residual: Value): Value {
    const made = crossAttention(
      context,
      `${at}.cross_attn`,
      cross,
      norm(context, `${at}.ln2`, residual, cross.norm),
    );
    const out = g.point(`${at}.hook_cross_attn_out`, made, RESIDUAL);
    return g.point(`${at}.hook_resid_mid_cross`, g.add(residual, out), RESIDUAL);
  }

  /** What a branch adds: after its own norm and the family's multiplier, where there are such. */
  function branch(name: "ln1" | "ln2", made: Value): Value {
    const own: [string, Norm | undefined] =
      normPlacement === "branch"
        ? [`${at}.${name}`, parts[name]]
        : [`${at}.${name}_post`, name === "ln1" ? parts.ln1Post : parts.ln2Post];
    const normed = own[1] ? norm(context, own[0], made, own[1]) : made;
    const { residualScale } = context.config;
    return residualScale === undefined ? normed : g.mul(normed, residualScale);
  }

  /** The residual stream after a norm that acts on the sum, in families that are made so. */
  function after(name: "ln1" | "ln2", place: "mid" | "post", sum: Value): Value {
    if (normPlacement !== "after") return sum;
    return g.point(
      `${at}.hook_normalized_resid_${place}`,
      norm(context, `${at}.${name}`, sum, parts[name]!),
      RESIDUAL,
    );
  }

  /** What the MLP reads. Where it shares the norm before attention, an input of its own has that norm again. */
  function mlpInput(residual: Value, shared?: Value): Value {
    const name = `${at}.hook_mlp_in`;
    const own = (): Value => g.point(name, residual, RESIDUAL);
    if (normPlacement !== "before") return own();
    if (parts.ln2) return norm(context, `${at}.${parts.cross ? "ln3" : "ln2"}`, own(), parts.ln2);
    if (!parts.ln1) return own();
    return shared && !context.options.wants(name) ? shared : norm(context, undefined, own(), parts.ln1);
  }
}
