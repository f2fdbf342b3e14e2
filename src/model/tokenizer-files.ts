/** The files that tokenizers come in: `tokenizer.json`, and the older ones, which are brought to its form. */

import { exists, joinPath, readFile, readJsonFile, readTextFile } from "../array/index.js";
import { sentencePieceJson } from "./sentencepiece.js";
import { addedTokens, around, asObject, type Json, tokenContent } from "./special-tokens.js";

/** What a folder says of its tokenizer. */
export interface TokenizerFiles {
  /** In the form of `tokenizer.json`. */
  readonly json: unknown;
  /** `tokenizer_config.json`, with what the older files say beside it. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The file that the tokenizer came from. */
  readonly source: string;
}

/** The files that one of is enough, with those that belong to it. */
export const tokenizerFiles: readonly (readonly string[])[] = [
  ["tokenizer.json"],
  ["tokenizer.model"],
  ["spiece.model"],
  ["vocab.json", "merges.txt"],
  ["encoder.json", "vocab.bpe"],
  ["vocab.txt"],
];

/** Further files that are read where they are there. */
export const tokenizerSettings = [
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "chat_template.jinja",
  "chat_template.json",
] as const;

/** The tokenizer of a folder, or `undefined` where it has none. */
export async function readTokenizerFiles(folder: string): Promise<TokenizerFiles | undefined> {
  const has = (name: string): Promise<boolean> => exists(joinPath(folder, name));
  const optional = async (name: string): Promise<Json> =>
    (await has(name)) ? asObject(await readJsonFile(joinPath(folder, name))) : {};
  for (const files of tokenizerFiles) {
    if (!(await Promise.all(files.map(has))).every(Boolean)) continue;
    const source = joinPath(folder, files[0]!);
    const settings = {
      ...(await optional("special_tokens_map.json")),
      ...(await optional("tokenizer_config.json")),
    };
    const config = { ...settings, ...(await chatTemplate(folder, has)) };
    if (files[0] === "tokenizer.json") return { json: await readJsonFile(source), config, source };
    const added = await optional("added_tokens.json");
    const made = await fromOlderFiles(folder, files, { ...config, added });
    return { json: made, config, source };
  }
  return undefined;
}

async function chatTemplate(folder: string, has: (name: string) => Promise<boolean>): Promise<Json> {
  if (await has("chat_template.jinja"))
    return { chat_template: await readTextFile(joinPath(folder, "chat_template.jinja")) };
  if (await has("chat_template.json")) {
    const { chat_template } = asObject(await readJsonFile(joinPath(folder, "chat_template.json")));
    return chat_template === undefined ? {} : { chat_template };
  }
  return {};
}

async function fromOlderFiles(folder: string, files: readonly string[], config: Json): Promise<unknown> {
  const path = (i: number): string => joinPath(folder, files[i]!);
  const [first] = files;
  if (first!.endsWith(".model")) return sentencePieceJson(await readFile(path(0)), path(0), config);
  if (first === "vocab.txt") return wordPieceJson(await readTextFile(path(0)), config);
  return byteLevelJson(asObject(await readJsonFile(path(0))), await readTextFile(path(1)), config);
}

/** GPT-2's `vocab.json` and `merges.txt`: byte-level BPE. */
function byteLevelJson(vocab: Json, merges: string, config: Json): unknown {
  const lines = merges.split(/\r?\n/).filter((line) => line !== "" && !/^#version/.test(line));
  const known = "<|endoftext|>";
  const bos = tokenContent(config.bos_token);
  const begins = config.add_bos_token === true && bos !== undefined && Object.hasOwn(vocab, bos);
  const specials = addedTokens(vocab, config);
  if (Object.hasOwn(vocab, known) && !specials.some(({ content }) => content === known))
    specials.push({ id: vocab[known], content: known, special: true });
  return {
    added_tokens: specials,
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: config.add_prefix_space === true, use_regex: true },
    post_processor: around(vocab, begins ? [bos] : [], []),
    decoder: { type: "ByteLevel" },
    model: { type: "BPE", vocab, merges: lines, unk_token: null },
  };
}

/** BERT's `vocab.txt`: WordPiece. */
function wordPieceJson(text: string, config: Json): unknown {
  const lines = text.replace(/\r?\n$/, "").split(/\r?\n/);
  const vocab = Object.fromEntries(lines.map((line, id) => [line, id]));
  const lowercase = config.do_lower_case !== false;
  const [cls, sep, unk] = (["cls_token", "sep_token", "unk_token"] as const).map(
    (key, i) => tokenContent(config[key]) ?? ["[CLS]", "[SEP]", "[UNK]"][i]!,
  ) as [string, string, string];
  const specials = {
    pad_token: "[PAD]",
    mask_token: "[MASK]",
    ...config,
    cls_token: cls,
    sep_token: sep,
    unk_token: unk,
  };
  return {
    added_tokens: addedTokens(vocab, specials),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: config.tokenize_chinese_chars !== false,
      strip_accents: config.strip_accents ?? null,
      lowercase,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: around(vocab, [cls], [sep]),
    decoder: { type: "WordPiece", prefix: "##", cleanup: false },
    model: {
      type: "WordPiece",
      unk_token: unk,
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}
