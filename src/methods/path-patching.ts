/**
 * Path patching (Wang et al. 2022, "Interpretability in the Wild"; Goldowsky-Dill et al. 2023): what a sender changes
 * through receivers alone, along direct paths.
 */

import { tensor } from "../array/index.js";
import type { Metric, Model, ModelInput } from "../model/index.js";
import { actName } from "../model/names.js";
import { checkAlignment, equalRows } from "../model/pairs.js";
import type { PointChange } from "./patching/changed-points.js";
import { chosen, type GridOptions, gridOf } from "./patching/grid.js";
import { metricOf, tableOf } from "./patching/table.js";
import { Variants } from "./patching/variants.js";
import type { Sweep } from "./sweep.js";

/** What reads the residual stream: a head's queries, keys or values, an MLP's input, or the residual stream itself. */
export interface Receiver {
  /** `"q"`, `"k"`, `"v"`, `"mlp_in"`, `"resid_pre"`, `"resid_post"` … */
  readonly at: string;
  readonly layer: number;
  /** The head, for points that have such; all by default. */
  readonly head?: number | readonly number[];
  /** The positions; all by default. */
  readonly pos?: number | readonly number[];
}

/** Options of `pathPatching`. */
export interface PathPatchingOptions extends Partial<GridOptions> {
  /** The prompt or prompts. */
  readonly clean: ModelInput;
  /** As many prompts of the same lengths, to which other answers belong. */
  readonly corrupt: ModelInput;
  readonly metric: Metric;
  /** What is reached: `"logits"` (default), or inputs of heads and MLPs, all of which are changed together. */
  readonly receivers?: "logits" | readonly Receiver[];
  /**
   * Whether MLPs between sender and receivers are computed anew, so that paths through them count as direct (`"mlps"`, as
   * Wang et al. do; the default), or stay as they are (`"none"`, the single edge). Attention always stays as it is.
   */
  readonly through?: "mlps" | "none";
  /** `"noising"` (default, as in the paper): senders of the clean run take the corrupt values; or the other way. */
  readonly direction?: "noising" | "denoising";
  /** As in `activationPatching`; true by default. */
  readonly normalize?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Patches the paths from each sender of a table (by default each head) to receivers.
 *
 * @returns the metric of each run; `values` are on a scale on which the corrupt run is 0 and the clean run is 1
 * @throws if prompts do not correspond or are the same, or a receiver is no point of the model
 *
 * @example
 * ```ts
 * import { ioi } from "tslens/tasks";
 * const [pair] = ioi({ count: 1, seed: 1 });
 * const metric = logitDiff({ correct: pair.answer, incorrect: pair.wrongAnswer });
 * const toLogits = await pathPatching(model, { ...pair, metric });
 * const { labels } = toLogits.top(1)[0]; // layer and head
 * ```
 */
export async function pathPatching(model: Model, options: PathPatchingOptions): Promise<Sweep> {
  const {
    at = "z",
    over = ["layer", "head"],
    metric,
    direction = "noising",
    through = "mlps",
    signal,
  } = options;
  const clean = model.read(options.clean);
  const corrupt = model.read(options.corrupt);
  checkAlignment(clean, corrupt);
  if (equalRows(clean, corrupt))
    throw new Error(
      "The clean and the corrupt prompts are the same, so patching changes nothing: give corrupt prompts to which other answers belong.",
    );
  const [batch, other] = direction === "denoising" ? [corrupt, clean] : [clean, corrupt];
  const grid = gridOf(model, clean, { ...options, at, over });
  const receivers = receiversOf(model, options.receivers ?? "logits", clean.tokens[0]!.length);

  // First run: each sender patched, and everything between it and the receivers frozen.
  const senders = new Variants(model, {
    batch,
    variants: grid.cells.map((cell) => [cell]),
    replacing: "prompts",
    measure: receivers.map(({ point }) => point),
    frozen: frozenPoints(model, through),
  });
  const known = await senders.observe(batch, signal);
  const otherRun = await senders.observe(other, signal);
  const { outputs: received, done } = await senders.run(known, (point) => otherRun.values.get(point)?.value, {
    signal,
    task: "path patching: senders",
  });

  // Second run: the receivers read what reached them.
  const variants = new Variants(model, {
    batch,
    variants: grid.cells.map(() => receivers),
    replacing: "rows",
    measure: metric,
  });
  const whole = await variants.observe(batch, signal);
  const base = metricOf(whole, direction === "denoising" ? "corrupt" : "clean");
  const reference = metricOf(
    await variants.observe(other, signal),
    direction === "denoising" ? "clean" : "corrupt",
  );
  const sources = new Map(
    receivers.map(({ point }) => {
      const [, ...rest] = whole.values.get(point)!.value.shape;
      return [point, tensor(received[point]!, [grid.cells.length * batch.tokens.length, ...rest])];
    }),
  );
  return tableOf(variants, whole, (point) => sources.get(point), {
    grid,
    at,
    title: `Path patching from ${at}`,
    task: "path patching: receivers",
    base,
    clean: direction === "denoising" ? reference : base,
    corrupt: direction === "denoising" ? base : reference,
    normalize: options.normalize ?? true,
    among: done,
    signal,
  });
}

/** The attention of every layer, and its MLP where paths do not go through it. */
function frozenPoints({ hookNames }: Model, through: "mlps" | "none"): string[] {
  const kept = through === "none" ? /\.attn\.hook_z$|\.hook_mlp_out$/ : /\.attn\.hook_z$/;
  return hookNames.filter((name) => kept.test(name));
}

function receiversOf(model: Model, receivers: "logits" | readonly Receiver[], length: number): PointChange[] {
  const list: readonly Receiver[] =
    receivers === "logits" ? [{ at: "resid_post", layer: model.config.nLayers - 1 }] : receivers;
  if (list.length === 0) throw new Error("Path patching needs a receiver at least; none came.");
  const order = model.hookNames;
  return list
    .map(({ at, layer, head, pos }) => {
      if (typeof at !== "string")
        throw new TypeError(
          `A receiver names its point as \`at\`, such as { at: "q", layer: 2 }; ${String(at)} came.`,
        );
      const point = model.pointName(actName(at, layer));
      const { axes, shape } = model.parts.engine.site(point);
      const select: Record<string, number[]> = {};
      if (head !== undefined) {
        if (!axes.includes("head")) throw new Error(`The receiver "${point}" has no heads to choose from.`);
        select.head = chosen([head].flat(), shape[axes.indexOf("head")] as number, "head", "A receiver is");
      }
      if (pos !== undefined) {
        const axis = axes.find((name) => name === "pos" || name === "query");
        if (!axis) throw new Error(`The receiver "${point}" has no positions to choose from.`);
        select[axis] = chosen([pos].flat(), length, "position", "A receiver is");
      }
      return { point, select };
    })
    .sort((a, b) => order.indexOf(a.point) - order.indexOf(b.point));
}
