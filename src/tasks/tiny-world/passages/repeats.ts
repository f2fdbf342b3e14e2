import type { Random } from "../../../array/index.js";
import { givenNames, languages, towns } from "../lexicon/facts.js";
import { names } from "../lexicon/people.js";
import { twoDigits } from "../lexicon/things.js";
import { worldWords } from "../words.js";

/**
 * Words in random order, several times over (Olsson et al. 2022, "In-context Learning and Induction Heads"): the second
 * time each word is predictable from the first alone. Sometimes other words stand between, and sometimes only parts
 * come again, so that the distance tells nothing.
 */
export function repeatsPassage(random: Random): string {
  const words = worldWords();
  const draw = (count: number): string[] => Array.from({ length: count }, () => random.choice(words));
  const segment = draw(3 + random.integer(random.choice([8, 20, 48])));
  const times = segment.length < 20 ? 2 + random.integer(3) : 2;
  const sequence = [...segment];
  for (let i = 1; i < times; i++) {
    if (random.uniform() < 0.25) sequence.push(...draw(1 + random.integer(6)));
    const start = random.uniform() < 0.25 ? random.integer(Math.max(1, segment.length - 3)) : 0;
    sequence.push(...segment.slice(start));
  }
  // A space first: every word is then the token that it is within a sentence.
  return ` ${sequence.join(" ")}`;
}

const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789#$%&*+-/<=>@[]^_{|}~!?;()'\"\\`";

function character(random: Random): string {
  if (random.uniform() < 0.6) return plain[random.integer(plain.length)]!;
  for (;;) {
    const most = random.choice([0x24f, 0x7ff, 0xffff, 0x1faff]);
    const point = 0xa1 + random.integer(most - 0xa0);
    // No surrogates, no spaces and nothing that a terminal takes for a command.
    if (point < 0xd800 || (point > 0xf8ff && point < 0xfe00) || point > 0x1f300) {
      const text = String.fromCodePoint(point);
      if (/^[\p{L}\p{N}\p{S}\p{P}]$/u.test(text)) return text;
    }
  }
}

/** Words that begin lines, and have a token without a space. */
const bareWords = [...names, ...givenNames, ...towns, ...languages];

/** One piece of a code: a character, two digits, or a word that no space stands before. */
function piece(random: Random, before: string): string {
  const chance = random.uniform();
  if (chance < 0.2) return random.choice(twoDigits);
  if (chance > 0.75) return `${/\p{L}$/u.test(before) ? "-" : ""}${random.choice(bareWords)}`;
  return character(random);
}

/**
 * A code of arbitrary characters, digits and words and the same code again: every byte of UTF-8 and every word without a
 * space has its place in the text.
 */
export function codesPassage(random: Random): string {
  let code = "";
  for (let left = 3 + random.integer(random.choice([6, 18])); left > 0; left--) code += piece(random, code);
  return random.uniform() < 0.5
    ? `Code ${code} and again ${code}.`
    : `The sign said ${code}, and ${code} it was.`;
}

/** Whether a sentence is one of a code said twice. */
export function isCodeSentence(text: string): boolean {
  return /^(?:Code (\S+) and again \1\.|The sign said (\S+), and \2 it was\.)$/u.test(text);
}

/** A sentence that somebody sings and sings again. */
export function refrainPassage(random: Random, line: (random: Random) => string): string {
  const sung = line(random);
  const between = line(random);
  return random.uniform() < 0.5 ? `${sung}\n${sung}` : `${sung}\n${between}\n${sung}`;
}
