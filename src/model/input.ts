/** What a model is run on: text or token ids, as rows of equal length. */

import { type AnyTensor, shapeText } from "../array/index.js";
import type { Feed } from "../runtime/ort.js";
import type { ModelConfig } from "./config.js";

/** A text, texts, token ids of one text or of several, or an integer NdArray `[pos]` or `[batch, pos]`. */
export type ModelInput =
  | string
  | readonly string[]
  | readonly number[]
  | readonly (readonly number[])[]
  | AnyTensor;

/**
 * Rows of token ids of equal length; padding, where there is some, stands on the left, or on the right for models that
 * read in both directions.
 */
export interface Batch {
  readonly tokens: readonly (readonly number[])[];
  /** 1 at tokens and 0 at padding, `[batch][pos]`; missing where nothing is padded. */
  readonly mask?: readonly (readonly number[])[];
  /** The type of each token, for models that have such; 0 by default. */
  readonly tokenTypes?: readonly (readonly number[])[];
  /** What the encoder of a model of two stacks reads; `tokens` are then those of the decoder. */
  readonly source?: Pick<Batch, "tokens" | "mask">;
}

/** What is needed to read an input. */
export interface InputContext
  extends Pick<ModelConfig, "family" | "dVocab" | "nCtx" | "bidirectional" | "tokenTypes"> {
  /** The id that fills padded places; it is never attended to. */
  readonly padToken: number;
  readonly encode: (text: string) => number[];
}

/** What goes with an input. */
export interface InputOptions {
  readonly attentionMask?: readonly (readonly number[])[] | AnyTensor;
  readonly tokenTypes?: readonly (readonly number[])[] | AnyTensor;
  readonly decoderInput?: ModelInput;
}

/**
 * Reads what a model of two stacks is run on: the source, and what the decoder has written so far (its start token by
 * default).
 */
export function readSourceAndTarget(
  input: ModelInput,
  context: InputContext & Required<Pick<ModelConfig, "encoder">>,
  { decoderInput, ...options }: InputOptions,
): Batch {
  const { startToken } = context.encoder;
  const { tokens, mask } = readInput(input, { ...context, bidirectional: true }, options);
  const target = readInput(decoderInput ?? tokens.map(() => [startToken]), {
    ...context,
    encode: (text) => [startToken, ...context.encode(text)],
  });
  if (target.tokens.length !== tokens.length)
    throw new Error(`There are ${target.tokens.length} decoder inputs for ${tokens.length} sources.`);
  return { ...target, source: { tokens, ...(mask ? { mask } : {}) } };
}

/** Turns an input into rows of equal length; shorter ones are padded. */
export function readInput(
  input: ModelInput,
  context: InputContext,
  { attentionMask, tokenTypes, decoderInput }: InputOptions = {},
): Batch {
  if (decoderInput !== undefined)
    throw new Error(`Models of the family "${context.family}" have one stack, so they take no decoderInput.`);
  const rows = rowsOf(input, context);
  if (rows.length === 0) throw new Error("The input is empty: give a text or token ids.");
  const length = Math.max(...rows.map((row) => row.length));
  for (const row of rows) checkRow(row, context);
  const ragged = rows.some((row) => row.length !== length);
  const pad = <T>(row: readonly T[], filler: T): T[] => {
    const padding = new Array<T>(length - row.length).fill(filler);
    return context.bidirectional ? [...row, ...padding] : [...padding, ...row];
  };
  const tokens = rows.map((row) => pad(row, context.padToken));
  const types = tokenTypes && readTypes(nestedRows(tokenTypes), rows, context).map((row) => pad(row, 0));
  const typed = types ? { tokenTypes: types } : {};
  if (attentionMask === undefined) {
    if (!ragged) return { tokens, ...typed };
    return {
      tokens,
      mask: rows.map((row) =>
        pad(
          row.map(() => 1),
          0,
        ),
      ),
      ...typed,
    };
  }
  if (ragged) throw new Error("An attention mask goes with rows of equal length; these differ.");
  return { tokens, mask: checkMask(nestedRows(attentionMask), tokens, context), ...typed };
}

function readTypes(
  types: readonly (readonly number[])[],
  rows: readonly (readonly number[])[],
  { family, tokenTypes: count }: InputContext,
): readonly (readonly number[])[] {
  if (count === undefined) throw new Error(`Models of the family "${family}" have no token types.`);
  const fits = types.length === rows.length && types.every((row, i) => row.length === rows[i]!.length);
  if (!fits) throw new Error("The token types must be rows as long as those of the input.");
  for (const type of types.flat())
    if (!Number.isInteger(type) || type < 0 || type >= count)
      throw new Error(`The token type ${type} is not one of 0 to ${count - 1}.`);
  return types;
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
  { bidirectional }: InputContext,
): readonly (readonly number[])[] {
  const fits = mask.length === tokens.length && mask.every((row) => row.length === tokens[0]!.length);
  if (!fits)
    throw new Error(
      `The attention mask is [${mask.length}, ${mask[0]?.length ?? 0}]; the input is [${tokens.length}, ${tokens[0]!.length}].`,
    );
  if (!mask.every((row) => row.every((x) => x === 0 || x === 1)))
    throw new Error("An attention mask holds 1 at tokens and 0 at padding.");
  if (!mask.every((row) => row.at(bidirectional ? 0 : -1) === 1))
    throw new Error(
      bidirectional
        ? "A row of the attention mask begins with padding; models of this kind are padded on the right."
        : "A row of the attention mask ends with padding; models of this kind are padded on the left.",
    );
  return mask;
}

const int64 = (rows: readonly (readonly number[])[]): Feed => ({
  dtype: "int64",
  shape: [rows.length, rows[0]!.length],
  data: BigInt64Array.from(rows.flat(), BigInt),
});

/**
 * The inputs of a model's graph for a batch: token ids, positions (in decoders counted over real tokens, as
 * transformers does), token types where the model has them, and the mask.
 *
 * @param start how many positions of the rows are remembered already
 */
export function batchFeeds(
  { tokens, mask, tokenTypes, source }: Batch,
  config: Pick<ModelConfig, "bidirectional" | "tokenTypes" | "stateSpace">,
  start = 0,
): Record<string, Feed> {
  const fresh = (rows: readonly (readonly number[])[]): readonly (readonly number[])[] =>
    start === 0 ? rows : rows.map((row) => row.slice(start));
  const counted = mask && !config.bidirectional;
  const positions = counted ? mask.map(countReal) : tokens.map((row) => row.map((_, i) => i));
  const types = config.tokenTypes && (tokenTypes ?? tokens.map((row) => row.map(() => 0)));
  return {
    tokens: int64(fresh(tokens)),
    positions: int64(fresh(positions)),
    ...(types ? { tokenTypes: int64(fresh(types)) } : {}),
    ...(mask ? { attentionMask: int64(config.stateSpace ? fresh(mask) : mask) } : {}),
    ...(source ? sourceFeeds(source) : {}),
  };
}

const sourceFeeds = ({ tokens, mask }: NonNullable<Batch["source"]>): Record<string, Feed> => ({
  "source.tokens": int64(tokens),
  "source.mask": int64(mask ?? tokens.map((row) => row.map(() => 1))),
});

/** The position of each token among the real ones; padding gets 1, as in transformers. */
function countReal(mask: readonly number[]): number[] {
  let count = 0;
  return mask.map((real) => (real ? count++ : 1));
}
