/**
 * Activation patching (Meng et al. 2022; Heimersheim & Nanda 2024, "How to use and interpret activation patching"): one
 * run's values, place by place, in the other run, and what that does to a metric.
 */

import type { Tensor } from "../array/index.js";
import type { Metric, Model, ModelInput } from "../model/index.js";
import { checkAlignment, equalRows } from "../model/pairs.js";
import type { Progress } from "../runtime/host.js";
import { type GridOptions, gridOf } from "./patching/grid.js";
import type { KnownRun } from "./patching/known-run.js";
import { type ReplacementOptions, sourceOf } from "./patching/replacement.js";
import { metricOf, tableOf } from "./patching/table.js";
import { Variants } from "./patching/variants.js";
import type { Sweep } from "./sweep.js";

/** Options of `activationPatching`. */
export interface ActivationPatchingOptions extends GridOptions, Omit<ReplacementOptions, "replacement"> {
  /** The prompt or prompts. */
  readonly clean: ModelInput;
  /** As many prompts of the same lengths, to which other answers belong. Needed where their values are patched. */
  readonly corrupt?: ModelInput;
  /** What is measured; a function of graph values is run cell by cell, which is slower than the metrics that are data. */
  readonly metric: Metric;
  /**
   * `"denoising"`: the corrupt run with clean values (what TransformerLens does; the default where values of the other run
   * are patched). `"noising"`: the clean run with values of the corrupt one, or with other replacements.
   */
  readonly direction?: "denoising" | "noising";
  /** What takes the place of values: those of the other run (`"patch"`, the default), or as in `ReplacementOptions`. */
  readonly replacement?: "patch" | ReplacementOptions["replacement"];
  /**
   * Whether `values` are on a scale on which the corrupt run is 0 and the clean run is 1; true by default where there is a
   * corrupt prompt. `metric` holds the metric itself either way. (`ablationSweep` and `causalTracing` do not normalise.)
   */
  readonly normalize?: boolean;
  /**
   * Whether `logits` of the result hold what the model says next in each run, at the position that the metric reads (the last
   * one, where it reads more). False by default: they take `dVocab` numbers a cell.
   */
  readonly keepLogits?: boolean;
  /** Told how far the sweep has come; by default the host is, which shows it. */
  readonly onProgress?: (progress: Progress) => void;
}

/**
 * Runs the model once for each cell of a table, each time with other values changed, and measures.
 *
 * @returns in `metric` the metric of each cell's run, of several prompts the mean, and in `values` the same normalised: 0 is
 * the corrupt run and 1 the clean run, whatever the direction. `values` is `metric` with `normalize: false`, without corrupt
 * prompts, and where both runs have the same metric, which `notes` say. Where the work is ended by a signal, what was
 * measured by then, and NaN elsewhere.
 * @throws where prompts do not correspond or are the same, the point lacks an axis, or the metric is not finite without
 * any change
 *
 * @example
 * ```ts
 * import { ioi } from "tslens/tasks";
 * const [pair] = ioi({ count: 1, seed: 1 });
 * const sweep = await activationPatching(model, {
 *   ...pair,
 *   metric: logitDiff({ correct: pair.answer, incorrect: pair.wrongAnswer }),
 *   at: "resid_pre",
 *   over: ["layer", "pos"],
 * });
 * sweep.top(3); // where the clean residual stream changes the answer most
 * ```
 */
export async function activationPatching(model: Model, options: ActivationPatchingOptions): Promise<Sweep> {
  const { metric, replacement = "patch", signal, at, keepLogits, onProgress } = options;
  const { direction = replacement === "patch" ? "denoising" : "noising" } = options;
  checkChoice("direction", direction, ["denoising", "noising"]);
  checkChoice("replacement", replacement, ["patch", "zero", "mean", "resample", "noise"]);
  const clean = model.read(options.clean);
  const corrupt = options.corrupt === undefined ? undefined : model.read(options.corrupt);
  if (!corrupt && (replacement === "patch" || direction === "denoising"))
    throw new Error(
      `${replacement === "patch" ? "Patching takes" : "Denoising changes"} a run on corrupt prompts; give them as \`corrupt\`.`,
    );
  if (corrupt && replacement === "patch") {
    checkAlignment(clean, corrupt);
    if (equalRows(clean, corrupt))
      throw new Error(
        "The clean and the corrupt prompts are the same, so patching changes nothing: give corrupt prompts to which other answers belong.",
      );
  }
  const [batch, other] = direction === "denoising" ? [corrupt!, clean] : [clean, corrupt];
  const grid = gridOf(model, clean, options);
  const variants = new Variants(model, {
    batch,
    variants: grid.cells.map((cell) => [cell]),
    replacing: replacement === "zero" ? "zero" : "prompts",
    measure: metric,
    logits: keepLogits,
    padded: [clean, corrupt].some((prompts) => prompts?.mask),
  });
  const known = await variants.observe(batch, signal);
  const otherRun = other && (await variants.observe(other, signal));
  const points = [...new Set(grid.cells.map(({ point }) => point))];
  const source =
    replacement === "patch"
      ? (point: string) => otherRun!.values.get(point)?.value
      : await sourceOf(model, batch, points, (point) => known.values.get(point)?.value, {
          ...options,
          replacement,
        });
  const base = metricOf(known, direction === "denoising" ? "corrupt" : "clean");
  const reference = otherRun && metricOf(otherRun, direction === "denoising" ? "clean" : "corrupt");
  const [cleanMetric, corruptMetric] = direction === "denoising" ? [reference, base] : [base, reference];
  const [cleanRun, corruptRun] = direction === "denoising" ? [otherRun, known] : [known, otherRun];
  return tableOf(variants, known, source, {
    grid,
    at,
    title: `${replacement === "patch" ? "Activation patching" : `Ablation (${replacement})`} of ${at}`,
    task: "patching",
    base,
    clean: cleanMetric,
    corrupt: corruptMetric,
    normalize: options.normalize ?? corrupt !== undefined,
    logits: keepLogits ? { clean: logitsOf(cleanRun), corrupt: logitsOf(corruptRun) } : undefined,
    signal,
    onProgress,
  });
}

const logitsOf = (run: KnownRun | undefined): Tensor | undefined => run?.values.get("logits")?.value;

function checkChoice(what: string, value: string, choices: readonly string[]): void {
  if (!choices.includes(value))
    throw new TypeError(`The ${what} is one of ${choices.join(", ")}; ${JSON.stringify(value)} came.`);
}
