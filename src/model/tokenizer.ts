/** Text to tokens and back, by `@huggingface/tokenizers`. */

import { Tokenizer as HfTokenizer } from "@huggingface/tokenizers";
import { charsMap } from "./charsmap.js";
import { applyChatTemplate, type ChatMessage, type ChatOptions } from "./chat-template.js";
import { checkTokenizerJson } from "./check-tokenizer.js";
import { type Offsets, offsetsOf, type TokenSurface } from "./offsets.js";
import { tokenContent } from "./special-tokens.js";
import { readTokenizerFiles } from "./tokenizer-files.js";

/** Token ids, and where each stands in the text. */
export interface Encoding {
  readonly ids: number[];
  /** `text.slice(from, to)` is what a token covers; empty for tokens that are not in the text, such as BOS. */
  readonly offsets: readonly Offsets[];
}

/** Text to tokens and back. */
export interface Tokenizer {
  /** Whether `encode` begins texts with the BOS token where it is not told otherwise, as transformers does. */
  readonly addsBos: boolean;
  /** Token ids of a text; special tokens as the tokenizer itself adds them, or as `prependBos` says. */
  encode(text: string, options?: { prependBos?: boolean }): number[];
  /** As `encode`, with the place of each token in the text. */
  encodeWithOffsets(text: string, options?: { prependBos?: boolean }): Encoding;
  /** The text of token ids. */
  decode(ids: readonly number[]): string;
  /** The text of one token, spaces kept; bytes that are no whole character as `<0xE2>`. */
  tokenText(id: number): string;
  /** A conversation as text, by the chat template of the model. */
  applyChatTemplate(messages: readonly ChatMessage[], options?: ChatOptions): string;
  /** The token ids of a conversation; the template says itself where BOS is, so none is added. */
  encodeChat(messages: readonly ChatMessage[], options?: ChatOptions): number[];
}

/** The tokenizer of a folder in Hugging Face's layout, or `undefined` where it has none. */
export async function openTokenizer(
  folder: string,
  bosToken: number | undefined,
): Promise<Tokenizer | undefined> {
  const files = await readTokenizerFiles(folder);
  return files && makeTokenizer(files.json, files.config, bosToken, files.source);
}

/** A tokenizer from the contents of `tokenizer.json` and `tokenizer_config.json`. */
export function makeTokenizer(
  json: unknown,
  config: unknown,
  bosToken?: number,
  source = "tokenizer.json",
): Tokenizer {
  checkTokenizerJson(json, source);
  const inner = sentence(
    source,
    "cannot be read as a tokenizer",
    () => new HfTokenizer({ added_tokens: [], ...(json as object) }, config as object),
  );
  useCharsMaps(inner.normalizer, source);
  return new LoadedTokenizer(inner, json as TokenizerJson, config as Settings, bosToken, source);
}

/** Runs the library, whose errors on files that are damaged are not all sentences. */
function sentence<T>(source: string, what: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const isThought = error instanceof Error && !(error instanceof TypeError || error instanceof RangeError);
    const reason = isThought ? error.message : "a part of the file is missing or is not what it should be";
    throw new Error(`${source} ${what}: ${reason}.`, { cause: error });
  }
}

/** What the library has for a step of normalisation. */
interface NormalizerStep {
  readonly config?: {
    readonly type?: unknown;
    readonly precompiled_charsmap?: unknown;
    readonly charsmap?: Uint8Array;
    readonly step?: "longest";
  };
  readonly normalizers?: readonly NormalizerStep[];
  normalize: (text: string) => string;
}

/** Lets precompiled maps of characters be read, in whose place the library has something alike. */
function useCharsMaps(step: unknown, source: string): void {
  const { config, normalizers } = (step ?? {}) as NormalizerStep;
  for (const inner of normalizers ?? []) useCharsMaps(inner, source);
  if (config?.type !== "Precompiled") return;
  const { charsmap, precompiled_charsmap } = config;
  const bytes =
    charsmap ??
    (typeof precompiled_charsmap === "string" && precompiled_charsmap !== ""
      ? sentence(source, "has a map of characters that cannot be read", () =>
          Uint8Array.from(atob(precompiled_charsmap), (letter) => letter.charCodeAt(0)),
        )
      : undefined);
  if (bytes) (step as NormalizerStep).normalize = charsMap(bytes, config.step ?? "grapheme");
}

type Settings = Readonly<Record<string, unknown>>;

interface TokenizerJson {
  readonly model: {
    readonly type?: string;
    readonly unk_token?: unknown;
    readonly unk_id?: unknown;
    readonly byte_fallback?: unknown;
    readonly continuing_subword_prefix?: unknown;
  };
  readonly decoder?: {
    readonly type?: string;
    readonly decoders?: readonly { readonly type?: string }[];
  } | null;
}

class LoadedTokenizer implements Tokenizer {
  readonly addsBos: boolean;
  private readonly bosToken: number | undefined;
  private readonly texts = new Map<number, string>();
  private readonly isByteLevel: boolean;
  private readonly added: ReadonlyMap<number, string>;
  /** What the tokenizer puts around every text. */
  private readonly around: { readonly before: readonly number[]; readonly after: readonly number[] };

  constructor(
    private readonly inner: HfTokenizer,
    private readonly json: TokenizerJson,
    private readonly config: Settings,
    bosToken: number | undefined,
    private readonly source: string,
  ) {
    const steps = [json.decoder, ...(json.decoder?.decoders ?? [])];
    this.isByteLevel = steps.some((step) => step?.type === "ByteLevel");
    this.added = new Map([...inner.get_added_tokens_decoder()].map(([id, token]) => [id, token.content]));
    const named = tokenContent(config.bos_token);
    this.bosToken = bosToken ?? (named === undefined ? undefined : inner.token_to_id(named));
    this.around = this.addedAround();
    this.addsBos = this.bosToken !== undefined && this.around.before.includes(this.bosToken);
  }

  /** What the post-processor adds. As in transformers, `add_bos_token` says nothing beside a `tokenizer.json`. */
  private addedAround(): { before: number[]; after: number[] } {
    const probe = this.raw("a");
    const whole = this.ids(this.inner.encode("a").ids);
    const start = whole.findIndex((_, i) => probe.every((id, j) => whole[i + j] === id));
    const before = start < 0 ? [] : whole.slice(0, start);
    const after = start < 0 ? [] : whole.slice(start + probe.length);
    return { before, after };
  }

  encode(text: string, { prependBos }: { prependBos?: boolean } = {}): number[] {
    const { before, after } = this.ends(prependBos);
    return [...before, ...this.raw(text), ...after];
  }

  encodeWithOffsets(text: string, { prependBos }: { prependBos?: boolean } = {}): Encoding {
    const { before, after } = this.ends(prependBos);
    const { ids: raw, pieces } = this.pieces(text);
    const offsets = offsetsOf(
      text,
      raw.map((id, i) => this.surface(id, pieces[i])),
    );
    const end = text.length;
    return {
      ids: [...before, ...raw, ...after],
      offsets: [...before.map((): Offsets => [0, 0]), ...offsets, ...after.map((): Offsets => [end, end])],
    };
  }

  private ends(prependBos: boolean | undefined): { before: readonly number[]; after: readonly number[] } {
    if (prependBos === undefined) return this.around;
    if (!prependBos) return { before: [], after: [] };
    if (this.bosToken === undefined)
      throw new Error("This model has no BOS token, so none can be prepended.");
    return { before: [this.bosToken], after: [] };
  }

  decode(ids: readonly number[]): string {
    if (ids.length === 0) return "";
    for (const id of ids) this.checkId(id);
    return sentence(this.source, "cannot decode these tokens", () =>
      this.inner.decode([...ids], { skip_special_tokens: false, clean_up_tokenization_spaces: false }),
    );
  }

  tokenText(id: number): string {
    const known = this.texts.get(id);
    if (known !== undefined) return known;
    const text = this.makeTokenText(id);
    this.texts.set(id, text);
    return text;
  }

  applyChatTemplate(messages: readonly ChatMessage[], options?: ChatOptions): string {
    const specials: Record<string, string> = {};
    for (const [key, value] of Object.entries(this.config)) {
      const content = /_token$/.test(key) ? tokenContent(value) : undefined;
      if (content !== undefined) specials[key] = content;
    }
    return applyChatTemplate(messages, this.config.chat_template, specials, options);
  }

  encodeChat(messages: readonly ChatMessage[], options?: ChatOptions): number[] {
    return this.raw(this.applyChatTemplate(messages, options));
  }

  // ---- inside

  /** The tokens of the text alone. */
  private raw(text: string): number[] {
    return this.pieces(text).ids;
  }

  /** The tokens of the text alone, and the texts that the library has for them, those of unknown ones among them. */
  private pieces(text: string): { ids: number[]; pieces: readonly string[] } {
    if (typeof text !== "string") throw new TypeError(`A text was expected; ${typeof text} came.`);
    if (text === "") return { ids: [], pieces: [] };
    // Half of a character pair is no text: every encoder of UTF-8 makes this of it.
    const whole = text.replace(/\p{Surrogate}/gu, "\ufffd");
    const { ids, tokens }: { ids: number[]; tokens: string[] } = sentence(
      this.source,
      "cannot encode this text",
      () => this.inner.encode(whole, { add_special_tokens: false }),
    );
    const { type, byte_fallback, unk_id } = this.json.model;
    if (type !== "Unigram" || byte_fallback !== true) return { ids: this.ids(ids), pieces: tokens };
    // The library leaves out this step for Unigram models.
    const pieces = tokens.flatMap((token, i) => (ids[i] === unk_id ? bytePieces(token) : [token]));
    return {
      ids: this.ids(pieces.map((piece) => this.inner.token_to_id(piece) ?? (unk_id as number))),
      pieces,
    };
  }

  private ids(ids: readonly (number | undefined)[]): number[] {
    if (ids.every((id) => Number.isInteger(id))) return [...(ids as number[])];
    throw new Error(`${this.source} has no token for a part of this text, and none for what is unknown.`);
  }

  private checkId(id: number): void {
    if (!Number.isInteger(id) || id < 0)
      throw new RangeError(`A token id is a whole number from 0 on; ${id} came.`);
  }

  /** What a token is made of; `given` is what it stands for, where the vocabulary does not say. */
  private surface(id: number, given?: string): TokenSurface {
    const piece = this.inner.id_to_token(id);
    const unknown: TokenSurface = {
      kind: "unknown",
      of: this.json.model.type === "WordPiece" ? "word" : "rest",
    };
    if (piece === undefined) return unknown;
    const added = this.added.get(id);
    const { unk_token, continuing_subword_prefix } = this.json.model;
    if (piece === unk_token || piece === "<unk>" || piece === "[UNK]")
      return given === undefined || given === piece ? unknown : { kind: "text", text: given };
    if (added !== undefined) return this.isByteLevel ? utf8(added) : { kind: "text", text: added };
    if (this.isByteLevel) return { kind: "bytes", bytes: byteLevelBytes(piece) };
    const [, byte] = /^<0x([0-9A-F]{2})>$/.exec(piece) ?? [];
    if (byte !== undefined) return { kind: "bytes", bytes: Uint8Array.of(Number.parseInt(byte, 16)) };
    const prefix = typeof continuing_subword_prefix === "string" ? continuing_subword_prefix : "";
    const isContinued = prefix !== "" && piece.startsWith(prefix);
    return { kind: "text", text: isContinued ? piece.slice(prefix.length) : piece };
  }

  private makeTokenText(id: number): string {
    const piece = this.inner.id_to_token(id);
    if (piece === undefined) return `<${id}>`;
    const surface = this.added.has(id) ? undefined : this.surface(id);
    if (surface?.kind === "bytes") return bytesText(surface.bytes);
    if (this.added.has(id)) return this.added.get(id)!;
    if (this.json.model.type === "WordPiece") return piece;
    return piece.replaceAll("▁", " ");
  }
}

/** The names of a text's bytes in vocabularies of SentencePiece. */
const bytePieces = (text: string): string[] =>
  Array.from(
    new TextEncoder().encode(text),
    (byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
  );

const utf8 = (text: string): TokenSurface => ({ kind: "bytes", bytes: new TextEncoder().encode(text) });

/** The bytes that byte-level BPE writes as printable characters (Radford et al. 2019). */
const byteOfCharacter: ReadonlyMap<string, number> = (() => {
  const isPrintable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  const bytes = new Map<string, number>();
  let shifted = 0;
  for (let byte = 0; byte < 256; byte++)
    bytes.set(String.fromCodePoint(isPrintable(byte) ? byte : 256 + shifted++), byte);
  return bytes;
})();

function byteLevelBytes(piece: string): Uint8Array {
  const bytes = Array.from(piece, (character) => byteOfCharacter.get(character));
  return bytes.every((byte) => byte !== undefined)
    ? Uint8Array.from(bytes as number[])
    : new TextEncoder().encode(piece);
}

/** Bytes as text, those that are no part of a whole character as `<0xE2>`. */
function bytesText(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const length = characterLength(bytes, at);
    if (length === 0) text += `<0x${bytes[at++]!.toString(16).toUpperCase().padStart(2, "0")}>`;
    else text += new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(at, (at += length)));
  }
  return text;
}

/** How many bytes the character has that begins here; 0 where none does, or not all of it is there. */
function characterLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  const length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}
