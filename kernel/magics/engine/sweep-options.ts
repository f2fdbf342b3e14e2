/** The options by which magics say what a sweep goes over. */

import type { SweepAxis } from "../../../src/index.js";
import { usualAxes } from "../../../src/methods/patching/points.js";
import { UsageError } from "../options.js";
import type { TaskCall } from "./circuit-task.js";

const axes: readonly SweepAxis[] = ["layer", "pos", "head", "neuron", "key"];

/** The axes of a sweep: those of the line, or the usual ones of the point. */
export function sweptAxes(magic: string, at: string, over: string | undefined): SweepAxis[] {
  if (over === undefined) return usualAxes(at);
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
