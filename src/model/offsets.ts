/** Where tokens stand in the text that they were made from. */

/** The part `text.slice(from, to)` of a text. */
export type Offsets = readonly [from: number, to: number];

/** What a token is made of: bytes of UTF-8, or characters after normalisation. */
export type TokenSurface =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "text"; readonly text: string }
  /** It stands for text that it does not spell: a word, or all that no other token stands for. */
  | { readonly kind: "unknown"; readonly of: "word" | "rest" }
  /** It stands for nothing in the text, such as a token that begins every text. */
  | { readonly kind: "added" };

/**
 * The part of the text that each token covers. Tokens of bytes that are parts of a character cover all of it. A token of
 * which nothing is found, such as one that stands for nothing, covers an empty part.
 */
export function offsetsOf(text: string, surfaces: readonly TokenSurface[]): Offsets[] {
  return surfaces.every(({ kind }) => kind === "bytes" || kind === "added") && spells(text, surfaces)
    ? byteOffsets(text, surfaces)
    : textOffsets(text, surfaces);
}

const bytesIn = (surface: TokenSurface): number => (surface.kind === "bytes" ? surface.bytes.length : 0);

/** Whether the bytes of the tokens are those of the text. */
function spells(text: string, surfaces: readonly TokenSurface[]): boolean {
  const expected = new TextEncoder().encode(text);
  let at = 0;
  for (const surface of surfaces) {
    if (surface.kind !== "bytes") continue;
    for (const byte of surface.bytes) if (expected[at++] !== byte) return false;
  }
  return at === expected.length;
}

function byteOffsets(text: string, surfaces: readonly TokenSurface[]): Offsets[] {
  // For each byte the character that it belongs to.
  const starts: number[] = [];
  const ends: number[] = [];
  let unit = 0;
  for (const character of text) {
    const bytes = new TextEncoder().encode(character).length;
    for (let i = 0; i < bytes; i++) {
      starts.push(unit);
      ends.push(unit + character.length);
    }
    unit += character.length;
  }
  let at = 0;
  return surfaces.map((surface) => {
    const length = bytesIn(surface);
    const from = starts[at] ?? text.length;
    if (length === 0) return [from, from];
    at += length;
    return [from, ends[at - 1]!];
  });
}

interface Character {
  readonly character: string;
  /** Whether words are split before it. */
  readonly begins: boolean;
  readonly from: number;
  readonly to: number;
}

/** The characters that normalisers make of a text, each with its place: decomposed, without accents, in lower case. */
function comparable(text: string): Character[] {
  const characters: Character[] = [];
  let from = 0;
  let begins = true;
  for (const original of text) {
    const to = from + original.length;
    const alone = isAlone(original);
    for (const character of fold(original)) {
      characters.push({ character, begins: begins || alone, from, to });
      begins = false;
    }
    begins = begins || alone || /\s/u.test(original);
    from = to;
  }
  return characters;
}

/** Whether BERT makes a word of the character alone: punctuation, symbols of ASCII, ideographs. */
const isAlone = (character: string): boolean =>
  /[\p{P}\p{Script=Han}]/u.test(character) || /[!-/:-@[-`{-~]/.test(character);

const fold = (text: string): string =>
  text
    .normalize("NFKD")
    .replace(/\p{Mn}|\p{Cf}|\p{Cc}|[\s▁\ufffd]/gu, "")
    .toLowerCase();

/** How far ahead a token is looked for: normalisers drop a character here and there, not whole passages. */
const REACH = 64;

/** Tokens found one after another in the text, whatever normalisation has done to both. */
function textOffsets(text: string, surfaces: readonly TokenSurface[]): Offsets[] {
  const stream = comparable(text);
  const spelled = surfaces.map((surface) => (surface.kind === "text" ? Array.from(fold(surface.text)) : []));
  const offsets: Offsets[] = [];
  /** Everything before this place of the text has been found. */
  let cursor = 0;
  let at = 0;
  const goTo = (place: number): void => {
    cursor = Math.max(cursor, place);
    while (at < stream.length && stream[at]!.from < cursor) at++;
  };
  for (let i = 0; i < surfaces.length; i++) {
    const surface = surfaces[i]!;
    const letters = spelled[i]!;
    if (surface.kind === "bytes") {
      const run = bytesFrom(surfaces, i);
      const found = byteRun(text, run, cursor);
      offsets.push(...found);
      goTo(found.at(-1)![1]);
      i += run.length - 1;
    } else if (surface.kind === "unknown") {
      const next = spelled.slice(i + 1).find((later) => later.length > 0);
      const stop = surface.of === "word" ? wordEnd(stream, at) : find(stream, next, at + 1, stream.length);
      const from = stream[at]?.from ?? text.length;
      const to = withMarks(text, Math.max(from, stream[stop - 1]?.to ?? text.length));
      offsets.push([from, to]);
      goTo(to);
    } else if (letters.length === 0) {
      const to = afterSpaces(text, cursor, spacesOf(surface));
      offsets.push([cursor, to]);
      goTo(to);
    } else {
      const found = find(stream, letters, at, Math.min(stream.length, at + REACH));
      if (!matches(stream, letters, found)) {
        offsets.push([cursor, cursor]);
        continue;
      }
      let { from } = stream[found]!;
      for (let left = spacesOf(surface); left > 0 && from > cursor && /\s/u.test(text[from - 1]!); left--)
        from--;
      // Not `goTo`: the next token may begin inside a character that normalisation has split.
      at = found + letters.length;
      cursor = Math.max(cursor, stream[at - 1]!.to);
      offsets.push([from, stream[at - 1]!.to]);
    }
  }
  return offsets;
}

/** How many spaces a token of SentencePiece begins with. */
const spacesOf = (surface: TokenSurface): number =>
  surface.kind === "text" ? /^▁*/.exec(surface.text)![0].length : 0;

/** The place behind up to `count` spaces. */
function afterSpaces(text: string, from: number, count: number): number {
  let to = from;
  while (to < from + count && /\s/u.test(text[to] ?? "")) to++;
  return to;
}

/** The place behind marks and joiners, which were folded away and belong to the character before them. */
const withMarks = (text: string, to: number): number =>
  to + /^[\p{M}\p{Cf}]*/u.exec(text.slice(to))![0].length;

/** The bytes of the tokens from one on that are made of bytes. */
function bytesFrom(surfaces: readonly TokenSurface[], from: number): Uint8Array[] {
  const run: Uint8Array[] = [];
  for (let i = from; i < surfaces.length; i++) {
    const surface = surfaces[i]!;
    if (surface.kind !== "bytes") break;
    run.push(surface.bytes);
  }
  return run;
}

/** The places of tokens of bytes that spell a part of the text together. */
function byteRun(text: string, run: readonly Uint8Array[], cursor: number): Offsets[] {
  const spelled = new TextDecoder("utf-8", { ignoreBOM: true }).decode(
    Uint8Array.from(run.flatMap((bytes) => [...bytes])),
  );
  const found = text.indexOf(spelled, cursor);
  if (spelled === "" || found < 0 || found > cursor + REACH) return run.map(() => [cursor, cursor]);
  const surfaces = run.map((bytes): TokenSurface => ({ kind: "bytes", bytes }));
  return byteOffsets(spelled, surfaces).map(([from, to]) => [found + from, found + to]);
}

/** The place behind the word that begins here. */
function wordEnd(stream: readonly Character[], at: number): number {
  let end = at + 1;
  while (end < stream.length && !stream[end]!.begins) end++;
  return Math.min(end, stream.length);
}

const matches = (stream: readonly Character[], letters: readonly string[], at: number): boolean =>
  at + letters.length <= stream.length && letters.every((letter, i) => stream[at + i]!.character === letter);

/** The next place at which letters stand; `limit` where they do not stand before it. */
function find(
  stream: readonly Character[],
  letters: readonly string[] | undefined,
  from: number,
  limit: number,
): number {
  if (!letters) return limit;
  for (let at = from; at < limit; at++) if (matches(stream, letters, at)) return at;
  return limit;
}
