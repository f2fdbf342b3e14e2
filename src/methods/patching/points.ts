/** The points that sweeps are usually made over. */

import { actName } from "../../model/names.js";
import type { SweepAxis } from "../sweep.js";

/** What is usually changed in a block, by short names: the residual stream, what is added to it, attention, the MLP. */
export const usualPoints: readonly string[] = [
  "resid_pre",
  "resid_mid",
  "resid_post",
  "attn_out",
  "mlp_out",
  "z",
  "q",
  "k",
  "v",
  "pattern",
  "post",
];

/** The axes that a sweep over a point usually has: heads where the point has them, else positions; layers by short names. */
export function usualAxes(at: string): SweepAxis[] {
  const isFull = at.includes(".") || at.startsWith("hook_");
  const full = isFull ? at : actName(at, 0);
  return [...(isFull ? [] : ["layer" as const]), full.includes(".attn.") ? "head" : "pos"];
}
