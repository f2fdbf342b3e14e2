import { type Random, randomGenerator } from "../array/index.js";

/** Options of `induction`. */
export interface InductionOptions {
  /** The token ids to draw from: an array of them, or how many there are, for all ids from 0 on. */
  vocabulary: readonly number[] | number;
  /** Tokens of one half. Default 20. */
  length?: number;
  /** How many sequences. Default 10. */
  count?: number;
  /** A token to put before each sequence, such as the end-of-text token of GPT-2. */
  prepend?: number;
  /** A whole number or a text; the same seed gives the same sequences. Default 0. */
  seed?: number | string;
}

/** A sequence of random tokens and the same once more. */
export interface InductionPrompt {
  /** Token ids: what is prepended, the random tokens, the same random tokens. */
  readonly clean: number[];
  /** The same second half after a first half of other tokens: nothing is repeated, and nothing can be predicted. */
  readonly corrupt: number[];
  /** Where the second half begins. */
  readonly repeatStart: number;
  /** The last token of the second half: what follows the sequence without its last token. */
  readonly answer: number;
}

/**
 * Random tokens repeated, the test of induction heads (Olsson et al. 2022, "In-context Learning and Induction Heads").
 * Tokens within a half are different where the vocabulary is large enough.
 *
 * @throws RangeError where the vocabulary has fewer than two tokens, or a number is not a whole one from 1 on.
 * @example
 * ```ts
 * const [{ clean }] = induction({ vocabulary: 50257, length: 30, prepend: 50256 }); // 61 ids
 * ```
 */
export function induction(options: InductionOptions): InductionPrompt[] {
  const { vocabulary, length = 20, count = 10, prepend, seed = 0 } = options;
  const ids = typeof vocabulary === "number" ? Array.from({ length: vocabulary }, (_, id) => id) : vocabulary;
  if (ids.length < 2) throw new RangeError(`Induction draws from at least 2 tokens; ${ids.length} came.`);
  for (const [what, value] of Object.entries({ length, count })) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new RangeError(`${what} is a whole number from 1 on; ${value} came.`);
  }
  const random = randomGenerator(seed).fork("induction");
  const head = prepend === undefined ? [] : [prepend];
  return Array.from({ length: count }, () => {
    const half = draw(random, ids, length);
    const rest = ids.length >= 2 * length ? ids.filter((id) => !half.includes(id)) : ids;
    return {
      clean: [...head, ...half, ...half],
      corrupt: [...head, ...draw(random, rest, length), ...half],
      repeatStart: head.length + length,
      answer: half.at(-1)!,
    };
  });
}

function draw(random: Random, ids: readonly number[], length: number): number[] {
  return ids.length >= length ? random.sample(ids, length) : Array.from({ length }, () => random.choice(ids));
}
