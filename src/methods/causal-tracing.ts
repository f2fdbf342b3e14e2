/**
 * Causal tracing (Meng et al. 2022, "Locating and Editing Factual Associations in GPT"): the subject's embeddings are
 * blurred by noise, and the states that bring the answer back when they are restored are where the fact is.
 */

import { normalTensor, randomGenerator, type Tensor, tensor } from "../array/index.js";
import { type Metric, type Model, patch, probDiff } from "../model/index.js";
import type { Batch } from "../model/input.js";
import type { PointChange } from "./patching/changed-points.js";
import { gridOf } from "./patching/grid.js";
import { metricOf, tableOf } from "./patching/table.js";
import { Variants } from "./patching/variants.js";
import type { Sweep } from "./sweep.js";

/** Options of `causalTracing`. */
export interface CausalTracingOptions {
  /** The subject: a text that is in the prompt, or the positions of its tokens. */
  readonly subject: string | readonly number[];
  /** The token that the prompt asks for; what the model says by default. */
  readonly answer?: string | number;
  /** What is measured; the probability of the answer by default. */
  readonly metric?: Metric;
  /** What is restored: the residual stream (`"resid_post"`, the default), `"mlp_out"` or `"attn_out"`. */
  readonly at?: string;
  /**
   * In how many layers around the cell's own it is restored: by default 1 for the residual stream and 10 for the others, as
   * in the paper.
   */
  readonly window?: number;
  /** How many times the subject is blurred; the metric is the mean over them. 10 by default. */
  readonly samples?: number;
  /**
   * The standard deviation of the noise, in those of the embedding matrix (3 by default); or the noise itself, `[sample,
   * token of the subject, dModel]`.
   */
  readonly noise?: number | Tensor;
  /** Of the noise; 0 by default. */
  readonly seed?: number | string;
  readonly signal?: AbortSignal;
}

/**
 * Blurs the subject and restores states one by one.
 *
 * @returns in `values` the metric itself with each state restored, `[layer, pos]`, in its own unit (a probability by default)
 * as in the paper's figures; `base` is the metric with nothing restored, which is also `corrupt`, and `clean` that of the
 * undisturbed run. `normalized` has them on a scale on which these are 0 and 1.
 * @throws if the subject is not in the prompt
 *
 * @example
 * ```ts
 * import { facts } from "tslens/tasks";
 * const [fact] = facts({ count: 1 });
 * const trace = await causalTracing(model, fact.clean, { subject: fact.subject, answer: fact.answer });
 * trace.values.shape; // [layer, pos]
 * ```
 */
export async function causalTracing(
  model: Model,
  prompt: string | readonly number[],
  options: CausalTracingOptions,
): Promise<Sweep> {
  const { at = "resid_post", window = at.startsWith("resid") ? 1 : 10, signal } = options;
  const clean = model.read(prompt);
  const [tokens] = clean.tokens as [readonly number[]];
  const metric =
    options.metric ??
    probDiff({ correct: [options.answer ?? (await prediction(model, clean))], incorrect: [] });
  const grid = gridOf(model, clean, { at, over: ["layer", "pos"] });
  const points = [...new Set(grid.cells.map(({ point }) => point))];
  const { cache } = await model.runWithCache([tokens], {
    names: [EMBEDDING, ...points],
    logits: "none",
    signal,
  });
  const blurred = blur(
    model,
    cache.get(EMBEDDING),
    subjectPositions(model, prompt, options.subject),
    options,
  );
  const samples = blurred.shape[0]!;
  const variants = new Variants(model, {
    batch: { tokens: Array.from({ length: samples }, () => tokens) },
    variants: grid.cells.map(({ layer, select }): PointChange[] =>
      around(layer!, window, points).map((point) => ({ point, select })),
    ),
    replacing: "prompts",
    measure: metric,
    disturbed: [patch(EMBEDDING, blurred)],
  });
  const known = await variants.observe(variants.batch, signal);
  const base = metricOf(known, "blurred");
  const repeated = new Map(points.map((point) => [point, repeat(cache.get(point), samples)]));
  return tableOf(variants, known, (point) => repeated.get(point), {
    grid,
    at,
    title: `Causal tracing: ${at} restored${window > 1 ? ` in ${window} layers` : ""}`,
    task: "causal tracing",
    base,
    clean: await model.metric([tokens], metric, { signal }),
    corrupt: base,
    normalize: false,
    signal,
  });
}

const EMBEDDING = "hook_embed";

/** Half of the window before a layer, the layer and the other half. */
function around(layer: number, window: number, points: readonly string[]): readonly string[] {
  if (!Number.isInteger(window) || window < 1)
    throw new Error(`States are restored in one layer or more; window is ${window}.`);
  return points.slice(Math.max(0, layer - Math.floor(window / 2)), layer + Math.ceil(window / 2));
}

async function prediction(model: Model, { tokens }: Batch): Promise<number> {
  const { data } = await model.forward(tokens, { logits: "last" });
  return data.reduce((best, logit, token) => (logit > data[best]! ? token : best), 0);
}

/** The embeddings `[1, pos, dModel]` with noise at some positions, `[sample, pos, dModel]`. */
function blur(
  model: Model,
  embedded: Tensor,
  positions: readonly number[],
  { noise = 3, samples = 10, seed = 0 }: CausalTracingOptions,
): Tensor {
  if (!Number.isInteger(samples) || samples < 1)
    throw new Error(`The subject is blurred once or more often; samples is ${samples}.`);
  const [, length, dModel] = embedded.shape as [number, number, number];
  const drawn =
    typeof noise === "number" ? drawNoise(model, noise, [samples, positions.length, dModel], seed) : noise;
  const [count, width, size] = drawn.shape as [number, number, number];
  if (width !== positions.length || size !== dModel)
    throw new Error(
      `The noise has the shape [${drawn.shape.join(", ")}]; expected [samples, ${positions.length}, ${dModel}].`,
    );
  const blurred = repeat(embedded, count);
  for (let sample = 0; sample < count; sample++)
    positions.forEach((pos, i) => {
      for (let d = 0; d < dModel; d++)
        blurred.data[(sample * length + pos) * dModel + d]! += drawn.get(sample, i, d);
    });
  return blurred;
}

/** Gaussian noise whose deviation is a multiple of that of the embedding matrix. */
function drawNoise(model: Model, factor: number, shape: readonly number[], seed: number | string): Tensor {
  const { data } = model.weights.get("W_E") as Tensor;
  const mean = data.reduce((sum, x) => sum + x, 0) / data.length;
  const deviation = Math.sqrt(data.reduce((sum, x) => sum + (x - mean) ** 2, 0) / data.length);
  return normalTensor(randomGenerator(seed), shape, { standardDeviation: factor * deviation });
}

/** One row several times. */
function repeat({ data, shape }: Tensor, count: number): Tensor {
  const result = new Float32Array(data.length * count);
  for (let i = 0; i < count; i++) result.set(data, i * data.length);
  return tensor(result, [count, ...shape.slice(1)]);
}

/** Where the tokens of the subject stand. */
function subjectPositions(
  model: Model,
  prompt: string | readonly number[],
  subject: string | readonly number[],
): number[] {
  if (typeof subject !== "string") {
    const length = typeof prompt === "string" ? model.toTokens(prompt).length : prompt.length;
    const positions = subject.map((pos) => (pos < 0 ? pos + length : pos));
    const wrong = positions.findIndex((pos) => !Number.isInteger(pos) || pos < 0 || pos >= length);
    if (wrong < 0 && positions.length > 0) return positions;
    throw new Error(
      positions.length === 0
        ? "The subject has no positions; give those of one token or more."
        : `The subject is at position ${subject[wrong]}, but the prompt has ${length} tokens.`,
    );
  }
  if (typeof prompt !== "string")
    throw new Error("The prompt came as token ids; give the positions of the subject's tokens then.");
  const from = prompt.indexOf(subject.trim());
  if (subject.trim() === "" || from < 0)
    throw new Error(`The subject ${JSON.stringify(subject)} is not in the prompt ${JSON.stringify(prompt)}.`);
  const end = from + subject.trim().length;
  return model.tokenizer
    .encodeWithOffsets(prompt)
    .offsets.flatMap(([start, stop], pos) => (start < end && stop > from ? [pos] : []));
}
