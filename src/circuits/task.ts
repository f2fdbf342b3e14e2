/** What circuits are found for: two sets of prompts and a metric, checked. */

import { type Tensor, tensor } from "../array/index.js";
import { klDivergence, type Metric, type Model, type ModelInput } from "../model/index.js";
import type { Batch } from "../model/input.js";
import { checkAlignment, equalRows } from "../model/pairs.js";

/** What takes the place of a sender's output where an edge is cut. */
export interface AblationOptions {
  /**
   * `"resample"` (default): the sender's output on the corrupt prompts; `"zero"`; `"mean"`: its mean, as `meanOver` and
   * `meanOf` say.
   */
  readonly ablation?: "resample" | "zero" | "mean";
  /** The mean over prompts at each position (default), or over prompts and positions. */
  readonly meanOver?: "prompts" | "promptsAndPositions";
  /** Of which prompts the mean is; the clean ones by default. */
  readonly meanOf?: "clean" | "corrupt";
}

/** What every method for circuits takes. */
export interface CircuitTask extends AblationOptions {
  /** The prompts that the task is about. */
  readonly clean: ModelInput;
  /** As many prompts of the same lengths, to which other answers belong; only resampling and means of them need these. */
  readonly corrupt?: ModelInput;
  /**
   * What is measured; KL(model ‖ circuit) of the next token behind the clean prompts by default. A function of graph values
   * is evaluated circuit by circuit, which is slower than the metrics that are data.
   */
  readonly metric?: Metric;
  /** Whether `embed` and `pos` are nodes of their own in the place of `input`; false by default. */
  readonly splitInput?: boolean;
  /** Ends the work. */
  readonly signal?: AbortSignal;
}

/** A task with its prompts read. */
export interface ReadTask {
  readonly clean: Batch;
  readonly corrupt: Batch | undefined;
  readonly metric: Metric;
  readonly ablation: Required<AblationOptions>;
}

/** Reads and checks a task. @throws where prompts do not correspond, or corrupt ones are missing */
export async function readTask(model: Model, task: CircuitTask): Promise<ReadTask> {
  const { ablation = "resample", meanOver = "prompts", meanOf = "clean" } = task;
  if (!["resample", "zero", "mean"].includes(ablation))
    throw new TypeError(`An ablation is "resample", "zero" or "mean"; ${JSON.stringify(ablation)} came.`);
  const clean = model.read(task.clean);
  const corrupt = task.corrupt === undefined ? undefined : model.read(task.corrupt);
  const needsCorrupt = ablation === "resample" || (ablation === "mean" && meanOf === "corrupt");
  if (needsCorrupt && !corrupt)
    throw new Error(`The ablation "${ablation}" takes outputs on corrupt prompts; give them as \`corrupt\`.`);
  if (corrupt) checkAlignment(clean, corrupt);
  if (ablation === "resample" && corrupt && equalRows(clean, corrupt))
    throw new Error(
      "The clean and the corrupt prompts are the same, so no edge can matter: give corrupt prompts to which other answers belong.",
    );
  const metric = task.metric ?? (await divergenceFrom(model, clean, task.signal));
  return { clean, corrupt, metric, ablation: { ablation, meanOver, meanOf } };
}

async function divergenceFrom(model: Model, clean: Batch, signal?: AbortSignal): Promise<Metric> {
  const { tokens, mask } = clean;
  const logits: Tensor = await model.forward(tokens, { attentionMask: mask, signal, logits: "last" });
  const [rows, , width] = logits.shape as [number, number, number];
  return klDivergence({ reference: tensor(Float32Array.from(logits.data), [rows, 1, width]), pos: -1 });
}

/** Whether a smaller value of a metric, or of one that is called so, is better: true for divergences, losses and functions. */
export function smallerIsBetter(metric: Metric | string): boolean {
  const name = typeof metric === "string" ? metric : metricName(metric);
  return /^(klDivergence|crossEntropy|squaredError|a function)$/.test(name);
}

/** Whether a metric reads the logits of the last position alone. */
export const readsLastLogits = (metric: Metric): boolean =>
  typeof metric !== "function" && "pos" in metric && metric.pos === -1;

/** The metric as messages and stored circuits call it; without one it is the divergence from the model. */
export function metricName(metric: Metric | undefined): string {
  if (metric === undefined) return "klDivergence";
  return typeof metric === "function" ? "a function" : metric.kind;
}

/**
 * Throws where a metric is not a number that circuits can be compared by.
 *
 * @param values of several circuits, one behind the other
 * @param prompts how many of them are of one circuit, each of a prompt; undefined where a value is of all prompts
 */
export function refuseUnlessFinite(values: Float64Array, prompts: number | undefined): void {
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    throw new Error(
      `The metric of a circuit is ${values[bad]}${prompts === undefined ? "" : ` for prompt ${bad % prompts}`}, so circuits cannot be compared by it.`,
    );
}
