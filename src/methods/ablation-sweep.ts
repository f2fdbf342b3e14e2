/** Ablation sweeps: what each part of a model is worth to a metric, by taking it away. */

import type { Metric, Model, ModelInput } from "../model/index.js";
import { activationPatching } from "./activation-patching.js";
import type { GridOptions } from "./patching/grid.js";
import type { ReplacementOptions } from "./patching/replacement.js";
import type { Sweep } from "./sweep.js";

/** Options of `ablationSweep`. */
export interface AblationSweepOptions
  extends Partial<GridOptions>,
    Partial<Pick<ReplacementOptions, "replacement">>,
    Omit<ReplacementOptions, "replacement"> {
  /** What is measured. */
  readonly metric: Metric;
}

/**
 * Runs the model once for each cell of a table, each time with a part ablated; by default one head, set to zero.
 *
 * @returns in `values` the metric of each run itself, in its own unit and not normalised (there is one run to compare with,
 * not two); in `base` that of the whole model
 * @throws as `activationPatching` does
 *
 * @example
 * ```ts
 * import { ioi } from "tslens/tasks";
 * const [{ clean, answer, wrongAnswer }] = ioi({ count: 1, seed: 1 });
 * const metric = logitDiff({ correct: answer, incorrect: wrongAnswer });
 * const sweep = await ablationSweep(model, clean, { metric, replacement: "mean" });
 * sweep.top(5).map(({ labels, metric }) => [labels, metric]);
 * ```
 */
export function ablationSweep(
  model: Model,
  input: ModelInput,
  options: AblationSweepOptions,
): Promise<Sweep> {
  const { at = "z", over = ["layer", "head"], replacement = "zero" } = options;
  return activationPatching(model, {
    ...options,
    at,
    over,
    replacement,
    clean: input,
    direction: "noising",
    normalize: false,
  });
}
