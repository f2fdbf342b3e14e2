/**
 * The graph of a transformer: what every family of decoders and encoders has in common.
 *
 * Points that cost nothing are always there. Points that cost something (those that `wants` is asked for) are woven in
 * where they are wanted; without them the same numbers come from fused operators.
 */

import type { Value } from "../graph/index.js";
import * as g from "../graph/index.js";
import type { ModelConfig } from "./config.js";
import type { Layout } from "./family.js";
import type { AttentionSetting } from "./parts/attention.js";
import { block } from "./parts/block.js";
import type { Context, GraphOptions, ParameterType } from "./parts/context.js";
import { embedding } from "./parts/embedding.js";
import { head } from "./parts/head.js";
import { attentionBias } from "./parts/masks.js";
import { stateSpaceBlock } from "./parts/state-space.js";
import { rotaryAngles } from "./rotary.js";

/**
 * A transformer's graph: `logits`, and with `cached` the new keys and values of each layer. Where every head has inputs
 * of its own, the points of the norm before attention are outputs too: they can be seen, but nothing is made from them.
 */
export function transformer(
  config: ModelConfig,
  layout: Layout,
  parameter: ParameterType,
  options: GraphOptions,
): g.Graph {
  const outputs: Record<string, Value> = {};
  const total = options.cached ? "past+pos" : "pos";
  const context: Context = {
    config,
    layout,
    parameter,
    options,
    total,
    tokens: g.input("tokens", "int64", ["batch", "pos"]),
    positions: g.input("positions", "int64", ["batch", "pos"]),
    mask: options.padded ? g.input("attentionMask", "int64", ["batch", total]) : undefined,
    outputs,
  };
  const settings = attentionSettings(context);
  let residual = embedding(context);
  for (let layer = 0; layer < config.nLayers; layer++)
    residual = layout.stateSpace
      ? stateSpaceBlock(context, layer, residual)
      : block(context, layer, residual, settings(layer));
  outputs.logits = head(context, residual);
  return { outputs };
}

/** What attention depends on in each layer: made once for all layers, and once for those that see a window only. */
function attentionSettings(context: Context): (layer: number) => AttentionSetting {
  const { window, localLayers, rotary, localRotary } = context.config;
  const make = (local: boolean): AttentionSetting => {
    const turn = local ? (localRotary ?? rotary) : rotary;
    return {
      bias: attentionBias(context, local ? window : undefined),
      angles: turn && rotaryAngles(turn, context),
    };
  };
  const made = new Map<boolean, AttentionSetting>();
  return (layer) => {
    const local = localLayers?.[layer] ?? window !== undefined;
    const known = made.get(local) ?? make(local);
    made.set(local, known);
    return known;
  };
}
