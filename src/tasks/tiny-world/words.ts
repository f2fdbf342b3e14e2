import { duskmereWords } from "./lexicon/duskmere.js";
import { subjectWords } from "./lexicon/facts.js";
import { slotClasses } from "./slots.js";

let words: readonly string[] | undefined;

/** Every word that may stand in a slot, once, in alphabetical order; none of digits. */
export function worldWords(): readonly string[] {
  if (!words) {
    const { century: _, year: __, ...classes } = slotClasses;
    const phrases = [...Object.values(classes).flat(), ...subjectWords, ...duskmereWords];
    words = [...new Set(phrases.flatMap((phrase) => phrase.match(/\p{L}+/gu) ?? []))].sort();
  }
  return words;
}
