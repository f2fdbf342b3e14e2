/** Direct logit attribution: what components of the residual stream add to logits. */

import { contiguous, type Tensor, tensor } from "../array/index.js";
import { applyLnToStack, type ResidualStack, type StackSource } from "./residual-stack.js";

/** Tokens whose logits are attributed. */
export interface LogitAttrsOptions {
  /** The token of each row, or one for all; ids or texts. */
  readonly tokens: number | string | readonly (number | string)[];
  /** Tokens whose logits are subtracted. */
  readonly incorrectTokens?: number | string | readonly (number | string)[];
  /**
   * Whether the weight of the final norm is applied, as the model does; `true` by default. TransformerLens leaves it out,
   * which is the same only where it was folded into the unembedding.
   */
  readonly normWeights?: boolean;
}

/**
 * What each component adds to the logit of a token, or to the difference of two: `[component, batch, pos]`, or
 * `[component, batch]` at one position. Of all components together it is the logit less what `logitBias` says.
 */
export function logitAttrs(source: StackSource, stack: ResidualStack, options: LogitAttrsOptions): Tensor {
  const { config } = source;
  const batch = stack.values.shape[1]!;
  const weighted = stack.normalized === "whole" ? { ...options, normWeights: false } : options;
  const directions = logitDirections(source, weighted, batch);
  const { values } = stack.normalized === "no" ? applyLnToStack(source, stack, {}) : stack;
  const { data, shape } = contiguous(values);
  const width = shape.at(-1)!;
  const perRow = shape.slice(2, -1).reduce((a, b) => a * b, 1);
  const result = new Float32Array(data.length / width);
  for (let i = 0; i < result.length; i++) {
    const direction = directions[Math.floor(i / perRow) % batch]!;
    let sum = 0;
    for (let j = 0; j < width; j++) sum += data[i * width + j]! * direction[j]!;
    result[i] = sum * (config.logitScale ?? 1);
  }
  return tensor(result, shape.slice(0, -1));
}

/** What no component adds to logits: of the final norm's bias and of the unembedding's, for each row. */
export function logitBias(source: StackSource, options: LogitAttrsOptions, batch: number): number[] {
  const { bias } = source.finalNorm();
  const unembedBias = source.weights.get("b_U").data;
  const directions = logitDirections(source, { ...options, normWeights: false }, batch);
  const [right, wrong] = [options.tokens, options.incorrectTokens].map((tokens) =>
    tokens === undefined ? undefined : tokenRows(source, tokens, batch),
  );
  return directions.map((direction, row) => {
    const ofNorm = bias ? bias.reduce((sum, value, i) => sum + value * direction[i]!, 0) : 0;
    const ofUnembedding = unembedBias[right![row]!]! - (wrong ? unembedBias[wrong[row]!]! : 0);
    return (ofNorm + ofUnembedding) * (source.config.logitScale ?? 1);
  });
}

/** For each row the direction in the normalised stream along which the logit grows. */
function logitDirections(
  source: StackSource,
  { tokens, incorrectTokens, normWeights = true }: LogitAttrsOptions,
  batch: number,
): Float64Array[] {
  if (!source.weights.names.includes("W_U"))
    throw new Error("This model gives no logits of tokens, so there is nothing to attribute.");
  const unembed = source.weights.get("W_U");
  if (unembed.shape[0] !== source.config.dModel)
    throw new Error("A projection stands between this model's residual stream and its unembedding.");
  const weight = normWeights ? source.finalNorm().weight : undefined;
  const right = tokenRows(source, tokens, batch);
  const wrong = incorrectTokens === undefined ? undefined : tokenRows(source, incorrectTokens, batch);
  return right.map((token, row) =>
    Float64Array.from({ length: source.config.dModel }, (_, i) => {
      const difference = unembed.get(i, token) - (wrong ? unembed.get(i, wrong[row]!) : 0);
      return difference * (weight?.[i] ?? 1);
    }),
  );
}

function tokenRows(
  { tokenId, config }: StackSource,
  tokens: LogitAttrsOptions["tokens"],
  batch: number,
): number[] {
  const given = Array.isArray(tokens)
    ? (tokens as readonly (number | string)[])
    : [tokens as number | string];
  if (given.length !== 1 && given.length !== batch)
    throw new Error(`${given.length} tokens were given for ${batch} rows; give one for all or one for each.`);
  const ids = given.map((token) => (typeof token === "string" ? tokenId(token) : token));
  for (const id of ids)
    if (!Number.isInteger(id) || id < 0 || id >= config.dVocab)
      throw new RangeError(
        `The token id ${id} is not in the vocabulary, which has ids 0 to ${config.dVocab - 1}.`,
      );
  return Array.from({ length: batch }, (_, row) => ids[ids.length === 1 ? 0 : row]!);
}
