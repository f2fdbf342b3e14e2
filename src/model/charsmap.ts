/**
 * SentencePiece's precompiled maps of characters: a double-array trie (Darts) from texts to places in a list of texts
 * that stand for them.
 */

/** A normaliser by such a map. */
export type CharsMap = (text: string) => string;

/**
 * The normaliser of a map's bytes.
 *
 * @param step how far matches go: SentencePiece takes the longest one, tokenizers of Hugging Face the first in each
 * grapheme or, for long ones, character
 * @throws if the bytes are no such map
 */
export function charsMap(bytes: Uint8Array, step: "longest" | "grapheme"): CharsMap {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const trieBytes = bytes.length >= 4 ? view.getUint32(0, true) : 0;
  if (trieBytes === 0 || trieBytes % 4 !== 0 || 4 + trieBytes > bytes.length)
    throw new Error("The tokenizer's map of characters is damaged.");
  const trie = Uint32Array.from({ length: trieBytes / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
  const texts = bytes.subarray(4 + trieBytes);
  const textAt = (place: number): string => {
    const end = texts.indexOf(0, place);
    return new TextDecoder().decode(texts.subarray(place, end < 0 ? texts.length : end));
  };
  return step === "longest"
    ? (text) => longest(trie, textAt, new TextEncoder().encode(text))
    : (text) => byGraphemes(trie, textAt, text);
}

interface Match {
  /** Bytes that matched. */
  readonly length: number;
  readonly place: number;
}

/** The texts of the trie that a key begins with, the shortest first. */
function* prefixes(trie: Uint32Array, key: Uint8Array, from = 0): Generator<Match> {
  const offset = (unit: number): number => (unit >>> 10) << ((unit & (1 << 9)) >>> 6);
  let at = offset(trie[0]!);
  for (let i = from; i < key.length; i++) {
    at ^= key[i]!;
    const unit = trie[at];
    if (unit === undefined || (unit & 0x800000ff) >>> 0 !== key[i]) return;
    at ^= offset(unit);
    if ((unit >>> 8) & 1) yield { length: i + 1 - from, place: (trie[at] ?? 0) & 0x7fffffff };
  }
}

function longest(trie: Uint32Array, textAt: (place: number) => string, key: Uint8Array): string {
  let result = "";
  let plainFrom = 0;
  let at = 0;
  const copy = (): void => {
    result += new TextDecoder("utf-8", { ignoreBOM: true }).decode(key.subarray(plainFrom, at));
  };
  while (at < key.length) {
    const match = [...prefixes(trie, key, at)].at(-1);
    if (!match) {
      at += characterBytes(key[at]!);
      continue;
    }
    copy();
    result += textAt(match.place);
    at += match.length;
    plainFrom = at;
  }
  at = key.length;
  copy();
  return result;
}

const characterBytes = (first: number): number =>
  first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;

function byGraphemes(trie: Uint32Array, textAt: (place: number) => string, text: string): string {
  const encoder = new TextEncoder();
  const mapped = (part: string): string | undefined => {
    const [first] = prefixes(trie, encoder.encode(part));
    return first && textAt(first.place);
  };
  let result = "";
  for (const { segment } of new Intl.Segmenter("en", { granularity: "grapheme" }).segment(text)) {
    const whole = encoder.encode(segment).length < 6 ? mapped(segment) : undefined;
    result += whole ?? Array.from(segment, (character) => mapped(character) ?? character).join("");
  }
  return result;
}
