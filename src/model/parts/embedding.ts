/** From token ids to the first residual stream. */

import type { Value } from "../../graph/index.js";
import * as g from "../../graph/index.js";
import { type Context, RESIDUAL } from "./context.js";
import { linear } from "./linear.js";
import { norm } from "./norm.js";

/** Embeddings of tokens, of positions and of token types where the family has them, and their norm. */
export function embedding(context: Context): Value {
  const { layout, config, parameter, stack } = context;
  const tokens = g.point(`${stack}hook_tokens`, context.tokens, ["batch", "pos"]);
  const looked = g.gather(parameter(layout.embed), tokens);
  const projected = layout.embedProjection ? linear(context, looked, layout.embedProjection) : looked;
  const scaled = config.embeddingScale === undefined ? projected : g.mul(projected, config.embeddingScale);
  let sum = g.point(`${stack}hook_embed`, scaled, RESIDUAL);
  if (layout.positions) {
    const offset = config.positionOffset ?? 0;
    const rows = offset === 0 ? context.positions : g.add(context.positions, offset);
    sum = g.add(sum, g.point("hook_pos_embed", g.gather(parameter(layout.positions), rows), RESIDUAL));
  }
  if (layout.tokenTypes) {
    const types = g.gather(parameter(layout.tokenTypes), g.input("tokenTypes", "int64", ["batch", "pos"]));
    sum = g.add(sum, g.point("hook_token_type_embed", types, RESIDUAL));
  }
  if (!layout.embedNorm) return sum;
  return g.point("hook_full_embed", norm(context, "embed_ln", sum, layout.embedNorm), RESIDUAL);
}
