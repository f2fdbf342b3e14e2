/**
 * How a text falls into words before they are looked up: as in GPT-2, with the space before a word belonging to it, but
 * digits in twos, so that the year 1732 is " 17" and "32".
 */
export const wordPattern: string =
  "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}{1,2}| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

const words = new RegExp(wordPattern, "gu");

/** The words of a text, in order; joined they are the text. */
export function pretokens(text: string): string[] {
  return text.match(words) ?? [];
}

/** About how many tokens a text has: exactly so where all its words are the world's. */
export function countTokens(text: string): number {
  return pretokens(text).length;
}
