/**
 * Steering: adding a direction to the residual stream while text is generated (Turner et al. 2023, "Activation
 * Addition"; Rimsky et al. 2024).
 */

import { softmax, type Tensor, tensor, topK } from "../array/index.js";
import { add, type GenerateOptions, type Model, type ModelInput, type PointName } from "../model/index.js";

/**
 * A direction as the difference of what two prompts have at a point, at their last tokens; for several prompts, of
 * the means over them.
 *
 * @param options.positions `"last"` (default) reads the last token of each prompt, `"all"` the mean over its tokens
 * @returns a vector of the size of the point's last axes
 * @example
 * ```ts
 * const vector = await activationDifference(model, "I love this", "I hate this", "blocks.2.hook_resid_pre");
 * ```
 */
export async function activationDifference(
  model: Model,
  positive: ModelInput,
  negative: ModelInput,
  point: PointName,
  options: { readonly positions?: "last" | "all"; readonly signal?: AbortSignal } = {},
): Promise<Tensor> {
  const [a, b] = await Promise.all([
    meanActivation(model, positive, point, options),
    meanActivation(model, negative, point, options),
  ]);
  return tensor(
    a.data.map((value, i) => value - b.data[i]!),
    a.shape,
  );
}

/** A point's value at the last position or over all of them, averaged over the rows. */
async function meanActivation(
  model: Model,
  input: ModelInput,
  point: PointName,
  { positions = "last", signal }: { readonly positions?: "last" | "all"; readonly signal?: AbortSignal },
): Promise<Tensor> {
  const axes = model.axes(point);
  if (axes[1] !== "pos")
    throw new Error(
      `A direction is read at a point with positions; ${String(point)} has [${axes.join(", ")}].`,
    );
  const tokens = typeof input === "string" || isTexts(input) ? model.toTokens(input as string[]) : input;
  const { cache } = await model.runWithCache(tokens as ModelInput, {
    names: [point],
    logits: "none",
    signal,
  });
  const value = cache.get(cache.names[0]!);
  const [batch, length, ...rest] = value.shape as [number, number, ...number[]];
  const size = rest.reduce((product, n) => product * n, 1);
  const mean = new Float64Array(size);
  for (let row = 0; row < batch; row++) {
    // Shorter rows are padded on the left.
    const own =
      Array.isArray(tokens) && Array.isArray(tokens[row]) ? (tokens[row] as number[]).length : length;
    const first = positions === "last" ? length - 1 : length - own;
    for (let pos = first; pos < length; pos++)
      for (let i = 0; i < size; i++)
        mean[i]! += value.data[(row * length + pos) * size + i]! / (batch * (length - first));
  }
  return tensor(Float32Array.from(mean), rest);
}

function isTexts(input: ModelInput): input is readonly string[] {
  return Array.isArray(input) && typeof input[0] === "string";
}

/** The direction that the unembedding reads as one token's logit: its column of W_U, `[dModel]`. */
export function unembeddingDirection(model: Model, token: string | number): Tensor {
  const id = typeof token === "number" ? token : model.toSingleToken(token);
  const column = model.weights.get("W_U").pick(null, id) as Tensor;
  return tensor(
    Float32Array.from({ length: model.config.dModel }, (_, i) => column.get(i)),
    [model.config.dModel],
  );
}

/** Where a direction is added: everywhere, at the prompt's last token, or from there on. */
export type SteeredPositions = "all" | "last" | "from-prompt-end";

/** Options of `compareSteering`. */
export interface SteeringOptions
  extends Pick<GenerateOptions, "maxNewTokens" | "temperature" | "topK" | "topP" | "signal"> {
  readonly point: PointName;
  /** `[dModel]`, or the size of the point's last axes. */
  readonly vector: Tensor;
  /** What the vector is multiplied by; 1 by default. */
  readonly coefficient?: number;
  /** `"all"` by default. */
  readonly positions?: SteeredPositions;
  /** Both continuations are sampled with the same numbers; 0 by default. */
  readonly seed?: number;
  /** Called once, when the first step has been computed. */
  readonly onNext?: (next: readonly NextTokenProbabilities[]) => void | Promise<void>;
  /** Called after each step, with the text of the new token of each continuation, or `null` where it has ended. */
  readonly onTokens?: (tokens: { unsteered: string | null; steered: string | null }) => void | Promise<void>;
}

/** How probable a token is right after the prompt. */
export interface NextTokenProbabilities {
  readonly token: string;
  readonly unsteered: number;
  readonly steered: number;
}

/** Two continuations of one prompt. */
export interface SteeringComparison {
  readonly unsteered: { readonly tokens: readonly number[]; readonly text: string };
  readonly steered: { readonly tokens: readonly number[]; readonly text: string };
  /** The ten likeliest next tokens of either. */
  readonly next: readonly NextTokenProbabilities[];
}

/** Tokens shown of each distribution. */
const SHOWN = 10;

/**
 * Continues a prompt with and without steering, as two rows of one batch, so that both cost about as much as one.
 *
 * @example
 * ```ts
 * const vector = await activationDifference(model, "I love this", "I hate this", ["resid_pre", 2]);
 * const { steered } = await compareSteering(model, "The cake was", { point: ["resid_pre", 2], vector, coefficient: 3 });
 * steered.text;
 * ```
 */
export async function compareSteering(
  model: Model,
  prompt: string,
  options: SteeringOptions,
): Promise<SteeringComparison> {
  const {
    point,
    vector,
    coefficient = 1,
    positions = "all",
    seed = 0,
    maxNewTokens = 20,
    onNext,
    onTokens,
  } = options;
  const tokens = model.toTokens(prompt);
  let next: NextTokenProbabilities[] = [];
  const edit = add(point, vector, {
    coefficient: [0, coefficient],
    pos: chosen(positions, tokens.length, maxNewTokens),
  });
  const { maxNewTokens: _, temperature, topK, topP, signal } = options;
  const run = await model.generate([tokens, tokens], {
    maxNewTokens,
    temperature,
    topK,
    topP,
    signal,
    seed: [seed, seed],
    edits: [edit],
    onToken: async ({ step, tokens: [before, after], logits }) => {
      if (step === 1) {
        next = nextTokens(model, logits);
        await onNext?.(next);
      }
      const text = (id: number | undefined): string | null => (id === undefined ? null : model.tokenText(id));
      await onTokens?.({ unsteered: text(before), steered: text(after) });
    },
  });
  const result = (row: number) => ({ tokens: run.tokens[row]!, text: run.text[row]! });
  return { unsteered: result(0), steered: result(1), next };
}

function chosen(positions: SteeredPositions, length: number, newTokens: number): number[] | undefined {
  if (positions === "all") return undefined;
  return Array.from({ length: positions === "last" ? 1 : newTokens }, (_, i) => length - 1 + i);
}

/** The union of both top tens, likeliest first. */
function nextTokens(model: Model, logits: readonly Float32Array[]): NextTokenProbabilities[] {
  const [unsteered, steered] = logits.map((row) => softmax(tensor(row, [row.length]))) as [Tensor, Tensor];
  const count = Math.min(SHOWN, unsteered.shape[0]!);
  const ids = new Set([unsteered, steered].flatMap((row) => Array.from(topK(row, count)[0]!.indices)));
  const best = (id: number): number => Math.max(unsteered.get(id), steered.get(id));
  return [...ids]
    .sort((a, b) => best(b) - best(a))
    .map((id) => ({ token: model.tokenText(id), unsteered: unsteered.get(id), steered: steered.get(id) }));
}
