/** Clean and corrupt prompts, which come in pairs. */

import type { Batch } from "./input.js";

/** How many real tokens each row has. */
const realLengths = ({ tokens, mask }: Batch): number[] =>
  tokens.map((row, i) => (mask ? mask[i]!.reduce((a, b) => a + b, 0) : row.length));

/** Throws where the rows of two sets of prompts do not have the same lengths. */
export function checkAlignment(clean: Batch, corrupt: Batch, other = "corrupt"): void {
  const [ours, theirs] = [realLengths(clean), realLengths(corrupt)];
  if (ours.length !== theirs.length)
    throw new Error(
      `There are ${ours.length} clean prompts and ${theirs.length} ${other} ones; they come in pairs.`,
    );
  const at = ours.findIndex((length, i) => length !== theirs[i]);
  if (at >= 0)
    throw new Error(
      `Clean prompt ${at} has ${ours[at]} tokens and its ${other} prompt ${theirs[at]}: their positions must correspond, so choose words of equally many tokens.`,
    );
}

/** Whether two sets of prompts are the same. */
export const equalRows = (a: Batch, b: Batch): boolean =>
  sameTokens(a.tokens, b.tokens) &&
  (a.source === undefined || b.source === undefined || sameTokens(a.source.tokens, b.source.tokens));

const sameTokens = (a: Batch["tokens"], b: Batch["tokens"]): boolean =>
  a.length === b.length &&
  a.every((row, i) => row.length === b[i]!.length && row.every((token, j) => token === b[i]![j]));
