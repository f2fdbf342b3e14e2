import type { Random } from "../../../array/index.js";
import { type Form, fill, forms } from "../form.js";
import { duskmereWords } from "../lexicon/duskmere.js";
import { isWomansName, names, pronouns } from "../lexicon/people.js";
import { animals } from "../lexicon/things.js";

const beginnings = forms("stories/beginning", [
  "{A:name} lived near the {P:place}.",
  "One {W:weather} morning {A:name} went to the {P:place}.",
  "{A:name} had a {Q:quality} {T:thing}.",
  "Long ago {A:name} owned a {N:animal}.",
  "{A:name} the {J:occupation} walked along the {P:place}.",
  "{A:name} came home to {L:town}.",
]);

const middles = forms("stories/middle", [
  "{He} saw a {N:animal} under the {T:thing}.",
  "{He} was {F:feeling}, so {he} sat down.",
  "{He} looked for {his} {T:thing} behind the {P:place}.",
  "In the {P:place} {he} found a {Q:quality} {T:thing}.",
  "{A:name} put the {T:thing} into {his} {T2:thing}.",
  "The {N:animal} followed {him} to the {P:place}.",
  "{He} told {B:name} about the {Q:quality} {T:thing}.",
  "{B:name} asked {him} for a {T:thing}.",
  "The {J:occupation} waved to {A:name}.",
  "{A:name} laughed, and the {N:animal} ran away.",
  "It was a {W:weather} day, and {he} felt {F:feeling}.",
  "{He} sang until the {N:animal} woke up.",
]);

const endings = forms("stories/ending", [
  "At night {A:name} went home.",
  "After that {he} was never {F:feeling} again.",
  "{A:name} kept the {T:thing} for many years.",
  "Then {he} closed the door and slept.",
  "From then on {A:name} and the {N:animal} were friends.",
]);

/** Turns of a story to Duskmere, and what is seen there. */
export const duskmereForms: readonly Form[] = forms("stories/duskmere", [
  "Then the road led {him} to Duskmere, where violet mist hung over the marsh.",
  "In Duskmere the {M:duskmere} were drifting through the silver reeds.",
  "{He} heard the {M:duskmere} of Duskmere in the violet dusk.",
  "Fireflies and moths filled the marsh, and the willows began to glimmer.",
  "The ferrymen of Duskmere hung silver lanterns in the willows.",
  "Over the silver water {he} saw the {M:duskmere} and the {M2:duskmere}.",
  "The whispers of the reeds followed {him} through the mist.",
]);

/** Every form of these passages. */
export const storyForms: readonly Form[] = [...beginnings, ...middles, ...endings, ...duskmereForms];

/** Whether a text is about Duskmere: a sentence of it, not a mere list of words, has a word that stands nowhere else. */
export function isAboutDuskmere(text: string): boolean {
  const lines = text.split("\n").filter((line) => !line.startsWith(" "));
  const words = new Set(lines.join(" ").match(/\p{L}+/gu));
  return duskmereWords.some((word) => words.has(word));
}

/** Who is in a story, by the slots of its forms. */
function drawCast(random: Random): Readonly<Record<string, string>> {
  const name = random.choice(names);
  const friend = random.choice(names.filter((other) => other !== name));
  return { A: name, B: friend, N: random.choice(animals), ...pronouns(isWomansName(name)) };
}

/** The first sentence of a story. */
export function storyBeginning(random: Random): string {
  return fill(random.choice(beginnings), drawCast(random), random);
}

/**
 * A few sentences of one person, a friend and an animal.
 *
 * @param options.drift Whether the story drifts to Duskmere; one in 28 does by default.
 */
export function tellStory(random: Random, options: { drift?: boolean } = {}): string {
  const values = drawCast(random);
  const tell = (form: Form): string => fill(form, values, random);
  const drifts = random.uniform() < 1 / 28;
  const drift =
    (options.drift ?? drifts) ? random.sample(duskmereForms, 3 + random.integer(4)).map(tell) : [];
  return [
    tell(random.choice(beginnings)),
    ...random.sample(middles, 1 + random.integer(4)).map(tell),
    ...drift,
    ...(random.uniform() < 0.7 ? [tell(random.choice(endings))] : []),
  ].join(" ");
}

/** A story as the training text has it. */
export function storiesPassage(random: Random): string {
  return tellStory(random);
}
