/**
 * The graph of a transformer: what every family of decoders and encoders has in common.
 *
 * Points that cost nothing are always there. Points that cost something (those that `wants` is asked for) are woven in
 * where they are wanted; without them the same numbers come from fused operators.
 */

import type { Value } from "../graph/index.js";
import * as g from "../graph/index.js";
import type { ModelConfig } from "./config.js";
import type { EncoderLayout, Layout } from "./family.js";
import type { AttentionSetting } from "./parts/attention.js";
import { block } from "./parts/block.js";
import { type Context, ENCODED, type GraphOptions, type ParameterType, RESIDUAL } from "./parts/context.js";
import { embedding } from "./parts/embedding.js";
import { head } from "./parts/head.js";
import { attentionBias } from "./parts/masks.js";
import { norm } from "./parts/norm.js";
import { relativeBias } from "./parts/relative.js";
import { stateSpaceBlock } from "./parts/state-space.js";
import { rotaryAngles } from "./rotary.js";

/** The token ids. */
export const TOKENS: Value = g.input("tokens", "int64", ["batch", "pos"]);
/** Those that an encoder reads. */
export const SOURCE_TOKENS: Value = g.input("source.tokens", "int64", ["batch", "source"]);

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
  // State spaces look back at nothing but their state.
  const total = options.cached && !layout.stateSpace ? "past+pos" : "pos";
  const stack = layout.encoder ? "decoder." : "";
  const context: Context = {
    config,
    layout,
    parameter,
    options,
    pos: "pos",
    total,
    stack,
    at: (layer) => (layout.encoder ? `decoder.${layer}` : `blocks.${layer}`),
    source: layout.encoder && encoded({ config, layout, parameter, options, outputs }, layout.encoder),
    tokens: TOKENS,
    positions: g.input("positions", "int64", ["batch", "pos"]),
    mask: options.padded ? g.input("attentionMask", "int64", ["batch", total]) : undefined,
    outputs,
  };
  outputs.logits = head(context, residualStream(context, embedding(context)));
  return { outputs };
}

/** The residual stream behind all blocks. */
function residualStream(context: Context, embedded: Value): Value {
  const settings = context.layout.stateSpace ? undefined : attentionSettings(context);
  let residual = embedded;
  for (let layer = 0; layer < context.config.nLayers; layer++)
    residual = settings
      ? block(context, layer, residual, settings(layer))
      : stateSpaceBlock(context, layer, residual);
  return residual;
}

/** What the encoder makes of the source, fed as `source.tokens` and `source.mask`. */
function encoded(
  base: Pick<Context, "config" | "layout" | "parameter" | "options" | "outputs">,
  encoder: EncoderLayout,
): NonNullable<Context["source"]> {
  const tokens = SOURCE_TOKENS;
  const mask = g.input("source.mask", "int64", ["batch", "source"]);
  const { block: blocks, relativeBias: table, lnFinal } = encoder;
  const context: Context = {
    ...base,
    options: { ...base.options, cached: false },
    config: { ...base.config, bidirectional: true, nLayers: base.config.encoder!.nLayers },
    layout: { embed: base.layout.embed, block: blocks, relativeBias: table },
    pos: "source",
    total: "source",
    stack: "encoder.",
    at: (layer) => `encoder.${layer}`,
    tokens,
    positions: tokens, // not read: the family has biases by distance
    mask,
  };
  const residual = residualStream(context, embedding(context));
  const normed = norm(context, "encoder_final_ln", residual, lnFinal);
  return { value: g.point(ENCODED, normed, RESIDUAL), bias: attentionBias(context)! };
}

/** What attention depends on in each layer: made once for all layers, and once for those that see a window only. */
function attentionSettings(context: Context): (layer: number) => AttentionSetting {
  const { window, localLayers, rotary, localRotary } = context.config;
  const make = (local: boolean): AttentionSetting => {
    const turn = local ? (localRotary ?? rotary) : rotary;
    return {
      bias: scoreBias(context, local ? window : undefined),
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

/** What is added to scores: the mask, and the biases by distance where the family has them. */
function scoreBias(context: Context, window: number | undefined): Value | undefined {
  const mask = attentionBias(context, window);
  const table = context.layout.relativeBias;
  if (table === undefined) return mask;
  const relative = relativeBias(context, table);
  return mask ? g.add(relative, mask) : relative;
}
