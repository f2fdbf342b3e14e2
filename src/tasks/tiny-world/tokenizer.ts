import { corpus } from "./document.js";
import { givenNames, languages, towns } from "./lexicon/facts.js";
import { names } from "./lexicon/people.js";
import { centuries, twoDigits } from "./lexicon/things.js";
import { pretokens, wordPattern } from "./pretokens.js";
import { worldWords } from "./words.js";

/** The token between documents, which is also the first of every text: id 0. */
export const endOfText = "<|endoftext|>";

/** The two files of a tokenizer in Hugging Face's format. */
export interface TokenizerFiles {
  /** What `tokenizer.json` holds. */
  readonly tokenizer: Readonly<Record<string, unknown>> & {
    readonly model: Readonly<Record<string, unknown>> & { readonly vocab: Readonly<Record<string, number>> };
  };
  /** What `tokenizer_config.json` holds. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** GPT-2's alphabet: each byte as a character that can be seen. */
function byteAlphabet(): string[] {
  const visible = (byte: number): boolean => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(visible(byte) ? byte : next++));
}

/** Words of the world's sentences, by how often they come in a sample of fixed size. */
function sampleWords(): string[] {
  const counts = new Map<string, number>();
  for (const text of corpus({ seed: "vocabulary", tokens: 400_000 })) {
    // Codes are arbitrary characters: their pieces are no words.
    const lines = text.split("\n").filter((line) => !/(?:Code|The sign said) /.test(line));
    for (const word of pretokens(lines.join("\n"))) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].filter(([, count]) => count >= 3).map(([word]) => word);
}

const alphabet = byteAlphabet();
const utf8 = new TextEncoder();

/** A word as the vocabulary writes it: each of its bytes as a character. */
function inAlphabet(word: string): string {
  return Array.from(utf8.encode(word), (byte) => alphabet[byte]).join("");
}

/**
 * A fast way from text to token ids, for training texts of many millions of words: with the same ids as the tokenizer of
 * `buildTokenizer`, but for the special token, which no text of the world contains.
 *
 * @example
 * ```ts
 * const encode = worldEncoder(buildTokenizer());
 * for (const text of corpus({ seed: 1, tokens: 1e6 })) encode(text); // number[]
 * ```
 */
export function worldEncoder({ tokenizer }: TokenizerFiles): (text: string) => number[] {
  const { vocab } = tokenizer.model;
  const known = new Map<string, readonly number[]>();
  return (text) =>
    pretokens(text).flatMap((word) => {
      let ids = known.get(word);
      if (!ids) {
        const token = inAlphabet(word);
        ids = Object.hasOwn(vocab, token)
          ? [vocab[token]!]
          : Array.from(token, (character) => vocab[character]!);
        known.set(word, ids);
      }
      return ids;
    });
}

/**
 * The tokenizer of the world: byte-level BPE without merges, in which every word of the world is one token. Other text
 * falls into its bytes, so that everything can be encoded and decoded.
 *
 * @returns The contents of `tokenizer.json` and `tokenizer_config.json`.
 */
export function buildTokenizer(): TokenizerFiles {
  const words = new Set([
    ...sampleWords(),
    ...worldWords().map((word) => ` ${word}`),
    // What may begin a line has a token without the space as well.
    ...[...names, ...givenNames, ...towns, ...languages],
    ...centuries.map((century) => ` ${century}`),
    ...twoDigits,
    ..." sign, said, again,Code".split(","),
  ]);
  const listed = [...words].map(inAlphabet).filter((piece) => Array.from(piece).length > 1);
  const vocabulary = [endOfText, ...alphabet, ...[...new Set(listed)].sort()];
  return {
    tokenizer: {
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: [
        {
          id: 0,
          content: endOfText,
          single_word: false,
          lstrip: false,
          rstrip: false,
          normalized: false,
          special: true,
        },
      ],
      normalizer: null,
      pre_tokenizer: {
        type: "Sequence",
        pretokenizers: [
          { type: "Split", pattern: { Regex: wordPattern }, behavior: "Isolated", invert: false },
          { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
        ],
      },
      post_processor: null,
      decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
      model: {
        type: "BPE",
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: true,
        vocab: Object.fromEntries(vocabulary.map((piece, id) => [piece, id])),
        merges: [],
      },
    },
    config: {
      tokenizer_class: "PreTrainedTokenizerFast",
      bos_token: endOfText,
      eos_token: endOfText,
      add_prefix_space: false,
      clean_up_tokenization_spaces: false,
    },
  };
}
