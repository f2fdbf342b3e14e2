/** What takes the place of a value. */

import { contiguous, type Random, randomGenerator, sizeOf, type Tensor, tensor } from "../../array/index.js";
import type { Model, ModelInput } from "../../model/index.js";
import type { Batch } from "../../model/input.js";
import { checkAlignment } from "../../model/pairs.js";
import { isPosition } from "./changed-points.js";

/** What takes the place of values, beside those of another run. */
export interface ReplacementOptions {
  /**
   * `"zero"`; `"mean"`: the mean over prompts and positions, or as `meanOver` says; `"resample"`: the values on other
   * prompts; `"noise"`: the value with Gaussian noise added.
   */
  readonly replacement: "zero" | "mean" | "resample" | "noise";
  /**
   * The prompts that a mean is of, or that values are resampled from (as many as there are, of the same lengths). By
   * default those of the run itself; resampling then takes the values of another of them.
   */
  readonly source?: ModelInput;
  /** The mean over prompts and positions, one vector for all places (default), or over prompts at each position. */
  readonly meanOver?: "promptsAndPositions" | "prompts";
  /** The standard deviation of the noise, in those of the values at the point; 3 by default. */
  readonly noise?: number;
  /** Of the noise, and of which prompt is resampled; 0 by default. */
  readonly seed?: number | string;
  readonly signal?: AbortSignal;
}

/** Gives what takes the place of the value at a point, `[prompt, …]`. */
export type SourceOf = (point: string) => Tensor | undefined;

/** Makes what takes the place of values. */
export async function sourceOf(
  model: Model,
  batch: Batch,
  points: readonly string[],
  own: SourceOf,
  options: ReplacementOptions,
): Promise<SourceOf> {
  const { replacement, source, meanOver = "promptsAndPositions", noise = 3, seed = 0, signal } = options;
  if (replacement === "zero") return () => undefined;
  if (replacement === "noise") {
    const random = randomGenerator(seed);
    return kept((point) => withNoise(own(point)!, noise, random.fork(point)));
  }
  const other = source === undefined ? undefined : model.read(source);
  if (other && (replacement === "resample" || meanOver === "prompts")) checkAlignment(batch, other, "source");
  const values = other ? await valuesOn(model, other, points, signal) : own;
  if (replacement === "resample") {
    if (other) return values;
    const order = derangement(batch.tokens.length, randomGenerator(seed));
    checkAlignment(
      batch,
      { tokens: order.map((i) => batch.tokens[i]!), mask: batch.mask && order.map((i) => batch.mask![i]!) },
      "resampled",
    );
    return kept((point) => rowsInOrder(own(point)!, order));
  }
  const from = other ?? batch;
  return kept((point) => {
    const { axes } = model.parts.engine.site(point);
    const positions = meanOver === "prompts" ? -1 : axes.findIndex(isPosition);
    return meanOf(values(point)!, positions, from, batch);
  });
}

/** Remembers what was made. */
function kept(make: (point: string) => Tensor): SourceOf {
  const made = new Map<string, Tensor>();
  return (point) => {
    const value = made.get(point) ?? make(point);
    made.set(point, value);
    return value;
  };
}

async function valuesOn(
  model: Model,
  { tokens, mask }: Batch,
  points: readonly string[],
  signal: AbortSignal | undefined,
): Promise<SourceOf> {
  const { cache } = await model.runWithCache(tokens, {
    names: points,
    attentionMask: mask,
    logits: "none",
    signal,
  });
  return (point) => contiguous(cache.get(point));
}

function withNoise(value: Tensor, factor: number, random: Random): Tensor {
  const { data } = value;
  const mean = data.reduce((sum, x) => sum + x, 0) / data.length;
  const deviation = Math.sqrt(data.reduce((sum, x) => sum + (x - mean) ** 2, 0) / data.length);
  return tensor(
    data.map((x) => x + factor * deviation * random.normal()),
    value.shape,
  );
}

/** An order in which nothing stays in its place. */
function derangement(count: number, random: Random): number[] {
  if (count < 2)
    throw new Error(
      "Resampling takes the values of other prompts, but there is one prompt: give others as `source`.",
    );
  const shuffled = random.sample(
    Array.from({ length: count }, (_, i) => i),
    count,
  );
  const next = new Array<number>(count);
  shuffled.forEach((i, at) => {
    next[i] = shuffled[(at + 1) % count]!;
  });
  return next;
}

function rowsInOrder({ data, shape }: Tensor, order: readonly number[]): Tensor {
  const size = data.length / order.length;
  const result = new Float32Array(data.length);
  order.forEach((from, to) => {
    result.set(data.subarray(from * size, (from + 1) * size), to * size);
  });
  return tensor(result, shape);
}

/** The mean over rows, and over positions along an axis where it is not −1, as `[prompt, …]` for the rows of a batch. */
function meanOf({ data, shape }: Tensor, positions: number, from: Batch, to: Batch): Tensor {
  const [rows, ...rest] = shape as [number, ...number[]];
  const size = sizeOf(rest);
  const inner = positions < 0 ? 1 : sizeOf(shape.slice(positions + 1));
  const length = positions < 0 ? 1 : shape[positions]!;
  const ends = { from: from.tokens[0]!.length, to: to.tokens[0]!.length };
  const slot = (i: number): number =>
    positions < 0 ? i : Math.floor(i / (inner * length)) * inner + (i % inner);
  const slots = positions < 0 ? size : size / length;
  const sums = new Float64Array(slots);
  const counts = new Float64Array(slots);
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < size; i++) {
      const pos = Math.floor(i / inner) % length;
      if (positions >= 0 && from.mask && !from.mask[row]![pos]) continue;
      sums[slot(i)]! += data[row * size + i]!;
      counts[slot(i)]!++;
    }
  const target = positions < 0 ? rest : rest.map((n, i) => (i + 1 === positions ? ends.to : n));
  const targetSize = sizeOf(target);
  const each = Float32Array.from({ length: targetSize }, (_, i) => {
    const at = positions < 0 ? i : Math.floor(i / (inner * ends.to)) * inner + (i % inner);
    return sums[at]! / counts[at]!;
  });
  const result = new Float32Array(to.tokens.length * targetSize);
  for (let row = 0; row < to.tokens.length; row++) result.set(each, row * targetSize);
  return tensor(result, [to.tokens.length, ...target]);
}
