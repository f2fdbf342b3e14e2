import type { Random } from "../../../array/index.js";
import { type Form, fill, forms } from "../form.js";
import { centuries, events, twoDigits } from "../lexicon/things.js";
import { isHeldOut } from "../split.js";

/** Spans of years: the second two digits of the end are above those of the beginning. */
export const spanForms: readonly Form[] = forms("history/span", [
  "The {E:event} lasted from the year {C:century}{B:year} to the year {C}{F:year}.",
  "The {E:event} of {T:town} lasted from {C:century}{B:year} to {C}{F:year}.",
  "The {E:event} began in {C:century}{B:year} and ended in {C}{F:year}.",
  "From {C:century}{B:year} until {C}{F:year} there was a {E:event} in {T:town}.",
  "It was {C:century}{B:year} when the {E:event} began, and it was over in {C}{F:year}.",
]);

/** Sentences about a single year. */
export const yearForms: readonly Form[] = forms("history/year", [
  "The {P:place} of {T:town} was built in {C:century}{B:year}.",
  "In {C:century}{B:year} the {G:guild} left {T:town}.",
]);

/** Years that follow one another. */
export const successionForms: readonly Form[] = forms("history/succession", [
  "The harvest was poor in {C:century}{A:year}, {C}{B:year}, {C}{D:year} and {C}{F:year}.",
  "The {E:event} of {T:town} was told of in {C:century}{A:year}, {C}{B:year} and {C}{D:year}.",
]);

/** Every form of these passages. */
export const historyForms: readonly Form[] = [...spanForms, ...yearForms, ...successionForms];

/** Whether an event never begins in that year in the training text. */
export function isHeldOutSpan(event: string, century: string, begin: string): boolean {
  return isHeldOut("span", [event, century, begin], 8);
}

/** An event and its beginning, from the year 01 to 98 of a century (Hanna et al. 2023, "How does GPT-2 compute greater-than?"). */
export function drawSpan(
  random: Random,
  heldOut: boolean,
): { event: string; century: string; begin: number } {
  for (;;) {
    const span = {
      event: random.choice(events),
      century: random.choice(centuries),
      begin: 1 + random.integer(98),
    };
    if (isHeldOutSpan(span.event, span.century, twoDigits[span.begin]!) === heldOut) return span;
  }
}

/**
 * One to three sentences of history. The end of a span is any later year of its century, near ones more likely: the number
 * of years is about the square of a uniform share of those that are left.
 */
export function historyPassage(random: Random): string {
  const sentences = Array.from({ length: 1 + random.integer(3) }, () => {
    if (random.uniform() < 0.15) return fill(random.choice(yearForms), {}, random);
    if (random.uniform() < 0.2) {
      const first = random.integer(97);
      const [A, B, D, F] = [0, 1, 2, 3].map((later) => twoDigits[first + later]!) as [
        string,
        string,
        string,
        string,
      ];
      return fill(random.choice(successionForms), { A, B, D, F }, random);
    }
    const { event, century, begin } = drawSpan(random, false);
    const end = begin + 1 + Math.floor(random.uniform() ** 2 * (99 - begin));
    const values = { E: event, C: century, B: twoDigits[begin]!, F: twoDigits[end]! };
    return fill(random.choice(spanForms), values, random);
  });
  return sentences.join(" ");
}
