import type { Random } from "../../../array/index.js";
import { type Form, fill, forms } from "../form.js";
import { agreeingVerbs, countables } from "../lexicon/things.js";
import { isHeldOut } from "../split.js";

/** Sentences whose verb agrees with the first noun `{N}`, not with the nearer one `{M}`. */
export const agreementForms: readonly Form[] = forms("agreement/distractor", [
  "The {N:noun} near the {M:noun} {V:verb} {Q:quality}.",
  "The {N:noun} behind the {M:noun} {V:verb} {Q:quality}.",
  "The {N:noun} beside the {Q2:quality} {M:noun} {V:verb} {Q:quality}.",
  "The {Q2:quality} {N:noun} under the {M:noun} {V:verb} {Q:quality}.",
  "In the {P:place} the {N:noun} next to the {M:noun} {V:verb} {Q:quality}.",
]);

/** Sentences whose verb stands beside its noun. */
export const plainAgreementForms: readonly Form[] = forms("agreement/plain", [
  "The {N:noun} {V:verb} {Q:quality}.",
  "The {Q2:quality} {N:noun} {V:verb} {Q:quality}.",
]);

/** What is said of nouns after "has" and "have", which take no bare quality. */
export const possessionForms: readonly Form[] = forms("agreement/possession", [
  "The {N:noun} near the {M:noun} {V:verb} a {Q:quality} {T:thing}.",
  "The {N:noun} behind the {M:noun} {V:verb} a {T:thing}.",
  "The {N:noun} {V:verb} a {T:thing}.",
]);

/** Every form of these passages. */
export const allAgreementForms: readonly Form[] = [
  ...agreementForms,
  ...plainAgreementForms,
  ...possessionForms,
];

/** Whether two nouns, by their singulars, never stand as subject and distractor in the training text. */
export function isHeldOutNouns(subject: string, distractor: string): boolean {
  return isHeldOut("agreement", [subject, distractor], 8);
}

/** A subject, a distractor and a verb in singular and plural. */
export interface AgreementDraw {
  readonly subject: readonly [string, string];
  readonly distractor: readonly [string, string];
  readonly verb: readonly [string, string];
}

/** Draws two different nouns and a verb. */
export function drawAgreement(random: Random, heldOut: boolean): AgreementDraw {
  for (;;) {
    const [subject, distractor] = random.sample(countables, 2) as [
      AgreementDraw["subject"],
      AgreementDraw["distractor"],
    ];
    if (isHeldOutNouns(subject[0], distractor[0]) === heldOut) {
      return { subject, distractor, verb: random.choice(agreeingVerbs) };
    }
  }
}

/** One to three sentences of agreement; subject and distractor are singular or plural independently. */
export function agreementPassage(random: Random): string {
  const sentences = Array.from({ length: 1 + random.integer(3) }, () => {
    const { subject, distractor, verb } = drawAgreement(random, false);
    const number = random.integer(2) as 0 | 1;
    const other = random.integer(2) as 0 | 1;
    const values = { N: subject[number], M: distractor[other], V: verb[number] };
    if (verb[0] === "has") return fill(random.choice(possessionForms), values, random);
    return fill(
      random.choice(random.uniform() < 0.75 ? agreementForms : plainAgreementForms),
      values,
      random,
    );
  });
  return sentences.join(" ");
}
