/** Text to tokens and back, by `@huggingface/tokenizers`. */

import { Tokenizer as HfTokenizer } from "@huggingface/tokenizers";
import { exists, joinPath, readJsonFile } from "../array/index.js";

/** Text to tokens and back. */
export interface Tokenizer {
  /** Token ids of a text; special tokens as the tokenizer itself adds them, or as `prependBos` says. */
  encode(text: string, options?: { prependBos?: boolean }): number[];
  /** The text of token ids. */
  decode(ids: readonly number[]): string;
  /** The text of one token, spaces kept. */
  tokenText(id: number): string;
}

/** The tokenizer of a folder in Hugging Face's layout, or `undefined` where it has none. */
export async function openTokenizer(
  folder: string,
  bosToken: number | undefined,
): Promise<Tokenizer | undefined> {
  const file = joinPath(folder, "tokenizer.json");
  if (!(await exists(file))) return undefined;
  const settings = joinPath(folder, "tokenizer_config.json");
  const config = (await exists(settings)) ? await readJsonFile(settings) : {};
  return makeTokenizer(await readJsonFile(file), config, bosToken, file);
}

/** A tokenizer from the contents of `tokenizer.json` and `tokenizer_config.json`. */
export function makeTokenizer(
  json: unknown,
  config: unknown,
  bosToken?: number,
  source = "tokenizer.json",
): Tokenizer {
  let inner: HfTokenizer;
  try {
    inner = new HfTokenizer(json as object, config as object);
  } catch (error) {
    throw new Error(
      `${source} cannot be read as a tokenizer: ${error instanceof Error ? error.message : error}`,
      {
        cause: error,
      },
    );
  }
  const raw = (text: string): number[] => [...inner.encode(text, { add_special_tokens: false }).ids];
  const decode = (ids: readonly number[]): string =>
    inner.decode([...ids], { skip_special_tokens: false, clean_up_tokenization_spaces: false });
  const texts = new Map<number, string>();
  return {
    encode: (text, { prependBos } = {}) => {
      if (prependBos === undefined) return [...inner.encode(text).ids];
      if (!prependBos) return raw(text);
      if (bosToken === undefined) throw new Error("This model has no BOS token, so none can be prepended.");
      return [bosToken, ...raw(text)];
    },
    decode,
    tokenText: (id) => {
      const known = texts.get(id);
      if (known !== undefined) return known;
      const text = tokenText(inner, decode, id);
      texts.set(id, text);
      return text;
    },
  };
}

/**
 * One token's text. SentencePiece decoders drop the space that a token begins with, so it is decoded behind another
 * token and what that one adds is kept.
 */
function tokenText(inner: HfTokenizer, decode: (ids: readonly number[]) => string, id: number): string {
  const piece = inner.id_to_token(id);
  if (piece === undefined) return `<${id}>`;
  if (!piece.startsWith("▁")) return decode([id]) || piece;
  const before = decode([id]);
  const twice = decode([id, id]);
  return twice.length > 2 * before.length ? twice.slice(before.length) : before;
}
