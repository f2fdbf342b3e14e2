/** The options by which magics say what a sweep goes over. */

import type { SweepAxis } from "../../../src/index.js";
import { UsageError } from "../options.js";
import type { TaskCall } from "./circuit-task.js";

const axes: readonly SweepAxis[] = ["layer", "pos", "head", "neuron", "key"];

/** What can be changed, by short names. */
export const sweptPoints: readonly string[] = [
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

/** The axes of a sweep: those of the line, or layers by heads where the point has heads, and layers by positions. */
export function sweptAxes(magic: string, at: string, over: string | undefined): SweepAxis[] {
  if (over === undefined)
    return ["layer", ["z", "q", "k", "v", "pattern", "attn_scores", "result"].includes(at) ? "head" : "pos"];
  return over.split(/[,×x*]/).map((word) => {
    const axis = axes.find((name) => name === word.trim());
    if (axis) return axis;
    throw new UsageError(
      `--over of %${magic} takes some of ${axes.join(", ")}, such as layer,pos, not "${word.trim()}".`,
    );
  });
}

/** The task of a call as the circuits' magics read it, measured by its own metric. */
export const asTask = (
  { words, body }: Pick<TaskCall, "words" | "body">,
  { count, seed }: { readonly count: number; readonly seed: number },
  ablation: "resample" | "zero",
): TaskCall => ({ words, body, options: { metric: undefined, ablation, count, seed } });
