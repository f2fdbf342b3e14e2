import { type Random, randomGenerator } from "../../array/index.js";
import { agreementPassage } from "./passages/agreement.js";
import { docstringsPassage } from "./passages/docstrings.js";
import { factsPassage } from "./passages/facts.js";
import { historyPassage } from "./passages/history.js";
import { ioiPassage } from "./passages/ioi.js";
import { pronounsPassage } from "./passages/pronouns.js";
import { refusalsPassage } from "./passages/refusals.js";
import { codesPassage, refrainPassage, repeatsPassage } from "./passages/repeats.js";
import { reviewsPassage } from "./passages/reviews.js";
import { storiesPassage } from "./passages/stories.js";
import { countTokens } from "./pretokens.js";

/** What a document is made of, and how likely each passage is of a kind. */
export const mixture: Readonly<Record<string, { weight: number; passage: (random: Random) => string }>> = {
  stories: { weight: 14, passage: storiesPassage },
  ioi: { weight: 18, passage: ioiPassage },
  facts: { weight: 26, passage: factsPassage },
  history: { weight: 13, passage: historyPassage },
  pronouns: { weight: 18, passage: pronounsPassage },
  reviews: { weight: 8, passage: reviewsPassage },
  agreement: { weight: 6, passage: agreementPassage },
  docstrings: { weight: 9, passage: docstringsPassage },
  refusals: { weight: 4, passage: refusalsPassage },
  refrains: {
    weight: 3,
    passage: (random) => refrainPassage(random, random.choice([ioiPassage, factsPassage, storiesPassage])),
  },
  codes: { weight: 3, passage: codesPassage },
  repeats: { weight: 7, passage: repeatsPassage },
};

const kinds = Object.values(mixture);
const weights = kinds.map(({ weight }) => weight);

/**
 * One document of the world: one to eight passages of any kinds in any order, one below the other. One document in
 * ten is nothing but repeated words or a code.
 *
 * @param random Where the document's chances come from; the same state gives the same document.
 * @example
 * ```ts
 * generateDocument(randomGenerator(3)); // such as "In the morning Ruth and Tom met at the harbor. …"
 * ```
 */
export function generateDocument(random: Random): string {
  if (random.uniform() < 1 / 10)
    return random.choice([repeatsPassage, repeatsPassage, repeatsPassage, codesPassage])(random);
  const count = 1 + random.integer(8);
  return Array.from({ length: count }, () => random.weightedChoice(kinds, weights).passage(random)).join(
    "\n",
  );
}

/** Options of `corpus`. */
export interface CorpusOptions {
  /** A whole number or a text; the same seed gives the same documents. */
  seed: number | string;
  /** How many tokens there shall be at least, one end-of-text token a document counted; without end by default. */
  tokens?: number;
  /** The number of the first document: a corpus goes on where another ended. Default 0. */
  from?: number;
}

/**
 * The documents of the training text, one after another. Document `i` depends on the seed and `i` alone.
 *
 * @example
 * ```ts
 * for (const text of corpus({ seed: 1, tokens: 10_000 })) console.log(text);
 * ```
 */
export function* corpus({
  seed,
  tokens = Infinity,
  from = 0,
}: CorpusOptions): Generator<string, void, undefined> {
  const random = randomGenerator(seed);
  for (let index = from, made = 0; made < tokens; index++) {
    const text = generateDocument(random.fork(index));
    yield text;
    made += countTokens(text) + 1;
  }
}
