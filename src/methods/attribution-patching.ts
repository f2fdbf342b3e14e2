/**
 * Attribution patching (Nanda 2023; Syed et al. 2023): activation patching to first order. What patching a value would
 * change is its difference between the runs times the gradient of the metric, so two runs and one backward pass tell it
 * for every place at once.
 */

import { contiguous, type Tensor, tensor } from "../array/index.js";
import type { Metric, Model, ModelInput } from "../model/index.js";
import type { Batch } from "../model/input.js";
import { checkAlignment } from "../model/pairs.js";
import type { Selected } from "./patching/changed-points.js";
import { type GridOptions, gridOf } from "./patching/grid.js";
import { Sweep } from "./sweep.js";

/** Options of `attributionPatching`. */
export interface AttributionPatchingOptions extends GridOptions {
  /** The prompt or prompts. */
  readonly clean: ModelInput;
  /** As many prompts of the same lengths, to which other answers belong. */
  readonly corrupt: ModelInput;
  readonly metric: Metric;
  /** As in `activationPatching`, which this approximates: `"denoising"` by default. */
  readonly direction?: "denoising" | "noising";
  readonly signal?: AbortSignal;
}

/**
 * Estimates for each cell of a table how much patching it would change the metric.
 *
 * @returns the estimated changes in `values`, in the metric's unit and not normalised; `metric` is the estimate of the metric
 * itself, and `normalized` that on the scale of `activationPatching`'s `values`
 * @throws if prompts do not correspond or the point lacks an axis
 *
 * @example
 * ```ts
 * import { ioi } from "tslens/tasks";
 * const [pair] = ioi({ count: 1, seed: 1 });
 * const metric = logitDiff({ correct: pair.answer, incorrect: pair.wrongAnswer });
 * const estimate = await attributionPatching(model, { ...pair, metric, at: "z", over: ["layer", "head"] });
 * estimate.top(3);
 * ```
 */
export async function attributionPatching(model: Model, options: AttributionPatchingOptions): Promise<Sweep> {
  const { metric, at, direction = "denoising", signal } = options;
  const clean = model.read(options.clean);
  const corrupt = model.read(options.corrupt);
  checkAlignment(clean, corrupt);
  const [base, other] = direction === "denoising" ? [corrupt, clean] : [clean, corrupt];
  const grid = gridOf(model, clean, options);
  const names = [...new Set(grid.cells.map(({ point }) => point))];
  const run = (batch: Batch): { attentionMask: Batch["mask"]; signal: AbortSignal | undefined } => ({
    attentionMask: batch.mask,
    signal,
  });
  const slopes = await model.gradients(base.tokens, metric, names, run(base));
  const values = await model.runWithCache(base.tokens, { names, logits: "none", ...run(base) });
  const wanted = await model.runWithCache(other.tokens, { names, logits: "none", ...run(other) });
  const otherMetric = await model.metric(other.tokens, metric, run(other));

  const effects = new Map(
    names.map((name) => {
      const [slope, from, to] = [slopes, values, wanted].map(({ cache }) => contiguous(cache.get(name))) as [
        Tensor,
        Tensor,
        Tensor,
      ];
      const effect = slope.data.map((x, i) => x * finite(to.data[i]! - from.data[i]!));
      return [name, tensor(effect, slope.shape)] as const;
    }),
  );
  const attributions = tensor(
    Float32Array.from(grid.cells, ({ point, select }) =>
      sumOver(effects.get(point)!, model.axes(point), select),
    ),
    [...grid.shape],
  );
  const [cleanMetric, corruptMetric] =
    direction === "denoising" ? [otherMetric, slopes.value] : [slopes.value, otherMetric];
  return new Sweep({
    title: `Attribution patching of ${at}`,
    valueTitle: "estimated change of the metric",
    at,
    points: grid.cells.map(({ point }) => point),
    over: grid.over,
    labels: grid.labels,
    values: attributions,
    metric: tensor(
      attributions.data.map((change) => slopes.value + change),
      attributions.shape,
    ),
    base: slopes.value,
    clean: cleanMetric,
    corrupt: corruptMetric,
    done: grid.cells.length,
    notes: [],
  });
}

/** Masked scores are −∞ in both runs: nothing changes there. */
const finite = (x: number): number => (Number.isNaN(x) ? 0 : x);

/** The sum over all places of a value that are selected. */
function sumOver({ data, shape }: Tensor, axes: readonly string[], select: Selected): number {
  let places = [0];
  shape.forEach((size, i) => {
    const along = select[axes[i]!] ?? Array.from({ length: size }, (_, place) => place);
    places = places.flatMap((place) => along.map((index) => place * size + index));
  });
  return places.reduce((sum, place) => sum + data[place]!, 0);
}
