import type { Random } from "../../../array/index.js";
import { type Form, fill, form, forms } from "../form.js";
import { type Opinion, opinions } from "../lexicon/opinions.js";
import { isHeldOut } from "../split.js";

/** Sentences that judge one thing. */
export const opinionForms: readonly Form[] = forms("reviews/opinion", [
  "The {O:judged} was {A:opinion}.",
  "We found the {O:judged} {A:opinion}.",
  "I thought that the {O:judged} was {A:opinion}.",
  "It was a {A:opinion} {O:judged}.",
]);

/** Sentences of a review that judge nothing. */
export const neutralForms: readonly Form[] = forms("reviews/neutral", [
  "We came to the {P:place} in the evening.",
  "I went there with {N:name}.",
  "The day was {W:weather}.",
]);

/** How a review begins and ends. */
export const reviewHead: Form = form("reviews/head", "Review of the {P:place}:");
/** The verdict on what was said. */
export const verdictForm: Form = form("reviews/verdict", "Verdict: {V:verdict}.");

/** Every form of these passages. */
export const reviewForms: readonly Form[] = [...opinionForms, ...neutralForms, reviewHead, verdictForm];

/** A review without its verdict, and the same review with praise and blame exchanged, word for word. */
export interface Review {
  readonly text: string;
  readonly opposite: string;
  readonly good: boolean;
}

function isHeldOutReview(pieces: readonly Opinion[], good: boolean): boolean {
  return isHeldOut("review", [String(good), ...pieces.map(({ judged }) => judged)], 8);
}

/**
 * A review that praises more than it blames or the reverse: one to four opinions, at most one of them (of three or four)
 * on the other side. Which things are judged in which order decides whether the training text may have it.
 */
export function drawReview(random: Random, heldOut: boolean): Review {
  for (;;) {
    const good = random.uniform() < 0.5;
    const pieces = random.sample(opinions, 1 + random.integer(4));
    if (isHeldOutReview(pieces, good) !== heldOut) continue;
    const contrary = pieces.length >= 3 && random.uniform() < 0.3 ? random.integer(pieces.length) : -1;
    const sentences = pieces.map((piece, i) => {
      const praised = good !== (i === contrary);
      const sides = praised ? [piece.good, piece.bad] : [piece.bad, piece.good];
      const wording = random.choice(opinionForms);
      return sides.map((side) => fill(wording, { O: piece.judged, A: random.choice(side) }, random));
    });
    if (random.uniform() < 0.5) {
      const neutral = fill(random.choice(neutralForms), {}, random);
      sentences.splice(random.integer(sentences.length + 1), 0, [neutral, neutral]);
    }
    const head = fill(reviewHead, {}, random);
    const read = (version: 0 | 1): string => [head, ...sentences.map((pair) => pair[version])].join(" ");
    return { text: read(0), opposite: read(1), good };
  }
}

/** A review and its verdict. */
export function reviewsPassage(random: Random): string {
  const { text, good } = drawReview(random, false);
  return `${text} ${fill(verdictForm, { V: good ? "good" : "bad" }, random)}`;
}
