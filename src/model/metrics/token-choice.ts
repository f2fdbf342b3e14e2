/** Tokens as users name them, as what metrics are fed. */

import type { Feed } from "../../runtime/ort.js";
import type { MetricInput } from "./lowered.js";
import type { ProbDiff, TokenChoice, TokenSet } from "./metric.js";

/** One token for each row, `[rows, 1]`. */
export function choiceFeed(choice: TokenChoice, rows: number, { tokenId }: MetricInput): Feed {
  const all =
    typeof choice === "number" || typeof choice === "string" ? new Array(rows).fill(choice) : choice;
  if (all.length !== rows)
    throw new Error(`The metric names ${all.length} tokens for a batch of ${rows} rows.`);
  const ids = all.map((token) => BigInt(typeof token === "string" ? tokenId(token) : token));
  return { dtype: "int64", shape: [rows, 1], data: BigInt64Array.from(ids) };
}

/** +1 at the tokens of the right set and −1 at those of the wrong one: `[dVocab]`, or `[rows, dVocab]` for sets of each row. */
export function setWeights(
  { correct, incorrect }: ProbDiff,
  rows: number,
  dVocab: number,
  { tokenId }: MetricInput,
): Feed & { data: Float32Array } {
  const perRow = [...correct, ...incorrect].some((entry) => Array.isArray(entry));
  const count = perRow ? rows : 1;
  const data = new Float32Array(count * dVocab);
  const write = (sets: ProbDiff["correct"], sign: number): void => {
    if (sets.length === 0) return;
    const each = perRow ? (sets as readonly TokenSet[]) : [sets as TokenSet];
    if (each.length !== count || !each.every(Array.isArray))
      throw new Error(
        `The metric has ${each.length} sets of tokens for a batch of ${rows} rows; it takes one for all rows, or one for each.`,
      );
    each.forEach((set, row) => {
      for (const token of set) {
        const id = typeof token === "string" ? tokenId(token) : token;
        if (!Number.isInteger(id) || id < 0 || id >= dVocab)
          throw new RangeError(`The metric names the token ${id}; ids go from 0 to ${dVocab - 1}.`);
        data[row * dVocab + id]! += sign;
      }
    });
  };
  write(correct, 1);
  write(incorrect, -1);
  return { dtype: "float32", shape: perRow ? [rows, dVocab] : [dVocab], data };
}
