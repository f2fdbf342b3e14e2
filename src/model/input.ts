/** What a model is run on: text or token ids, as rows of equal length. */

import { type AnyTensor, shapeText } from "../array/index.js";
import type { Feed } from "../runtime/ort.js";

/** A text, texts, token ids of one text or of several, or an integer NdArray `[pos]` or `[batch, pos]`. */
export type ModelInput =
  | string
  | readonly string[]
  | readonly number[]
  | readonly (readonly number[])[]
  | AnyTensor;

/** Rows of token ids of equal length; padding, where there is some, stands on the left. */
export interface Batch {
  readonly tokens: readonly (readonly number[])[];
  /** 1 at tokens and 0 at padding, `[batch][pos]`; missing where nothing is padded. */
  readonly mask?: readonly (readonly number[])[];
}

/** What is needed to read an input. */
export interface InputContext {
  readonly dVocab: number;
  readonly nCtx: number;
  /** The id that fills padded places; it is never attended to. */
  readonly padToken: number;
  readonly encode: (text: string) => number[];
}

/** Turns an input into rows of equal length; shorter ones are padded on the left. */
export function readInput(
  input: ModelInput,
  context: InputContext,
  attentionMask?: readonly (readonly number[])[] | AnyTensor,
): Batch {
  const rows = rowsOf(input, context);
  if (rows.length === 0) throw new Error("The input is empty: give a text or token ids.");
  const length = Math.max(...rows.map((row) => row.length));
  for (const row of rows) checkRow(row, context);
  const ragged = rows.some((row) => row.length !== length);
  const tokens = rows.map((row) => [
    ...new Array<number>(length - row.length).fill(context.padToken),
    ...row,
  ]);
  if (attentionMask === undefined) {
    if (!ragged) return { tokens };
    return { tokens, mask: rows.map((row) => tokens[0]!.map((_, i) => (i < length - row.length ? 0 : 1))) };
  }
  if (ragged) throw new Error("An attention mask goes with rows of equal length; these differ.");
  return { tokens, mask: checkMask(nestedRows(attentionMask), tokens) };
}

function rowsOf(input: ModelInput, { encode }: InputContext): readonly (readonly number[])[] {
  if (typeof input === "string") return [encode(input)];
  if (!Array.isArray(input)) return nestedRows(input as AnyTensor);
  if (input.length === 0) return [];
  if (typeof input[0] === "string") return (input as readonly string[]).map(encode);
  return Array.isArray(input[0]) ? (input as readonly (readonly number[])[]) : [input as readonly number[]];
}

function nestedRows(array: readonly (readonly number[])[] | AnyTensor): readonly (readonly number[])[] {
  if (Array.isArray(array)) return array;
  const nd = array as AnyTensor;
  if (!nd?.shape || nd.shape.length < 1 || nd.shape.length > 2)
    throw new Error(
      `The input must be a text, texts, token ids or an NdArray [pos] or [batch, pos]; it came as ${nd?.shape ? `an NdArray ${shapeText(nd.shape)}` : typeof array}.`,
    );
  const get = nd.get.bind(nd) as (...index: number[]) => number | bigint;
  const [batch, length] = nd.shape.length === 1 ? [1, nd.shape[0]!] : (nd.shape as [number, number]);
  return Array.from({ length: batch }, (_, b) =>
    Array.from({ length }, (_, i) => Number(nd.shape.length === 1 ? get(i) : get(b, i))),
  );
}

function checkRow(row: readonly number[], { dVocab, nCtx }: InputContext): void {
  if (row.length === 0)
    throw new Error("A row of the input has no tokens; begin it with a token, such as the model's BOS.");
  if (row.length > nCtx)
    throw new Error(`The input has ${row.length} tokens, but the model's context is ${nCtx}; shorten it.`);
  for (const id of row)
    if (!Number.isInteger(id) || id < 0 || id >= dVocab)
      throw new Error(`The token id ${id} is not in the vocabulary, which has ids 0 to ${dVocab - 1}.`);
}

function checkMask(
  mask: readonly (readonly number[])[],
  tokens: readonly (readonly number[])[],
): readonly (readonly number[])[] {
  const fits = mask.length === tokens.length && mask.every((row) => row.length === tokens[0]!.length);
  if (!fits)
    throw new Error(
      `The attention mask is [${mask.length}, ${mask[0]?.length ?? 0}]; the input is [${tokens.length}, ${tokens[0]!.length}].`,
    );
  if (!mask.every((row) => row.every((x) => x === 0 || x === 1)))
    throw new Error("An attention mask holds 1 at tokens and 0 at padding.");
  if (!mask.every((row) => row.at(-1) === 1))
    throw new Error(
      "A row of the attention mask ends with padding; models of this kind are padded on the left.",
    );
  return mask;
}

const int64 = (rows: readonly (readonly number[])[]): Feed => ({
  dtype: "int64",
  shape: [rows.length, rows[0]!.length],
  data: BigInt64Array.from(rows.flat(), BigInt),
});

/**
 * The inputs of a decoder's graph for a batch: token ids, positions (counted over real tokens, as transformers does)
 * and the mask.
 *
 * @param start how many positions of the rows are remembered already
 */
export function batchFeeds({ tokens, mask }: Batch, start = 0): Record<string, Feed> {
  const fresh = (rows: readonly (readonly number[])[]): readonly (readonly number[])[] =>
    start === 0 ? rows : rows.map((row) => row.slice(start));
  const positions = mask ? mask.map(countReal) : tokens.map((row) => row.map((_, i) => i));
  return {
    tokens: int64(fresh(tokens)),
    positions: int64(fresh(positions)),
    ...(mask ? { attentionMask: int64(mask) } : {}),
  };
}

/** The position of each token among the real ones; padding gets 1, as in transformers. */
function countReal(mask: readonly number[]): number[] {
  let count = 0;
  return mask.map((real) => (real ? count++ : 1));
}
