/**
 * A block of a selective state-space model (Gu & Dao 2023, "Mamba"): in the place of attention, each channel of the
 * input is written to a state that decays, by amounts that the input decides.
 */

import type { Value } from "../../graph/index.js";
import * as g from "../../graph/index.js";
import { sumDim } from "../../graph/shapes.js";
import type { StateSpace } from "../family.js";
import { type Context, pastName, presentName, RESIDUAL } from "./context.js";
import { linear } from "./linear.js";
import { activation } from "./mlp.js";
import { norm } from "./norm.js";

const CHANNELS = ["batch", "pos", "channel"];
const STATES = ["batch", "channel", "pos", "state"];

/** The residual stream after block `layer`. */
export function stateSpaceBlock(context: Context, layer: number, input: Value): Value {
  const at = `blocks.${layer}`;
  const parts = context.layout.stateSpace!(layer);
  const pre = g.point(`${at}.hook_resid_pre`, input, RESIDUAL);
  const normed = g.point(`${at}.hook_mixer_in`, norm(context, `${at}.norm`, pre, parts.norm), RESIDUAL);
  const out = g.point(`${at}.hook_mixer_out`, mixer(context, layer, parts, normed), RESIDUAL);
  return g.point(`${at}.hook_resid_post`, g.add(pre, out), RESIDUAL);
}

function mixer(context: Context, layer: number, parts: StateSpace, input: Value): Value {
  const at = `blocks.${layer}.mixer`;
  const { dInner, dState, dtRank } = context.config.stateSpace!;
  const both = g.point(
    `${at}.hook_in_proj`,
    linear(context, withoutPadding(context, input), parts.inProj),
    CHANNELS,
  );
  const [x, gate] = g.split(both, -1, [dInner, dInner]);
  const mixed = g.point(`${at}.hook_conv`, causalConvolution(context, layer, parts.conv, x!), CHANNELS);
  const active = withoutPadding(context, activation(context.config.actFn, mixed));
  const chosen = g.point(`${at}.hook_x_proj`, linear(context, active, parts.xProj), CHANNELS);
  const [low, writes, reads] = g.split(chosen, -1, [dtRank, dState, dState]);
  const time = g.point(`${at}.hook_dt_proj`, linear(context, low!, parts.dtProj), CHANNELS);
  const step = byChannel(g.activation("softplus", time)); // [batch, channel, pos, 1]
  const rates = g.neg(g.exp(context.parameter(parts.aLog)));
  const decay = g.exp(g.mul(step, g.unsqueeze(rates, [1]))); // [batch, channel, pos, state]
  const write = g.point(
    `${at}.hook_ssm_write`,
    g.mul(g.mul(step, g.unsqueeze(writes!, [1])), byChannel(active)),
    STATES,
  );
  const state = g.point(`${at}.hook_ssm_state`, states(context, layer, decay, write), STATES);
  const read = g.transpose(g.sum(g.mul(state, g.unsqueeze(reads!, [1])), [-1]), [0, 2, 1]);
  const passed = g.add(read, g.mul(active, context.parameter(parts.d)));
  return linear(context, g.mul(passed, activation(context.config.actFn, gate!)), parts.outProj);
}

/** The states at all positions, from the one that is remembered, or from 0. */
function states({ config, options, outputs }: Context, layer: number, decay: Value, write: Value): Value {
  if (!options.cached) return g.linearScan(decay, write, 2);
  const { dInner, dState } = config.stateSpace!;
  const past = g.input(pastName("state", layer), "float32", ["batch", dInner, dState]);
  const kept = g.mul(g.slice(decay, 2, 0, 1), g.unsqueeze(past, [2]));
  const all = g.linearScan(decay, g.add(write, g.place(kept, 2, 0, 1, "pos")), 2);
  outputs[presentName("state", layer)] = g.squeeze(g.slice(all, 2, -1), [2]);
  return all;
}

/** `[batch, pos, channel]` as `[batch, channel, pos, 1]`. */
const byChannel = (x: Value): Value => g.unsqueeze(g.transpose(x, [0, 2, 1]), [3]);

/** 0 at padding, so that nothing of it reaches the state. */
const withoutPadding = ({ mask }: Context, x: Value): Value =>
  mask ? g.mul(x, g.unsqueeze(g.cast(mask, "float32"), [2])) : x;

/** Each channel's weighted sum of its last few positions. */
function causalConvolution(
  context: Context,
  layer: number,
  { weight, bias }: StateSpace["conv"],
  x: Value,
): Value {
  const { config, parameter } = context;
  const { dInner, kernel } = config.stateSpace!;
  const weights = g.reshape(parameter(weight), [dInner, kernel]);
  const padded = kernel === 1 ? x : withEarlier(context, layer, x);
  const taps = Array.from({ length: kernel }, (_, k) => {
    const end = k - kernel + 1;
    const shifted = g.slice(padded, 1, k, end === 0 ? undefined : end);
    return g.mul(shifted, g.squeeze(g.slice(weights, 1, k, k + 1), [1]));
  });
  const sum = taps.reduce((a, b) => g.add(a, b));
  return bias === undefined ? sum : g.add(sum, parameter(bias));
}

/** The inputs of a convolution behind those that it reads again: the remembered ones, or 0. */
function withEarlier({ config, options, outputs }: Context, layer: number, x: Value): Value {
  const { dInner, kernel } = config.stateSpace!;
  const count = kernel - 1;
  if (!options.cached) return g.place(x, 1, count, undefined, sumDim(["pos", count]));
  const past = g.input(pastName("input", layer), "float32", ["batch", count, dInner]);
  const whole = g.concat([past, x], 1);
  outputs[presentName("input", layer)] = g.slice(whole, 1, -count);
  return whole;
}
