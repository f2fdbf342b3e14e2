import { reviewForms } from "./passages/reviews.js";
import { slotClasses } from "./slots.js";
import type { TokenizerFiles } from "./tokenizer.js";

const special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/** The words of reviews, in lower case. */
function reviewWords(): string[] {
  const slots = reviewForms.flatMap(({ parts }) =>
    parts.flatMap((part) => (typeof part === "string" ? [part] : slotClasses[part.class])),
  );
  const words = slots.flatMap((text) => text.toLowerCase().match(/\p{L}+/gu) ?? []);
  return [...new Set(words)].sort();
}

/**
 * A tokenizer of word pieces in lower case, as BERT's: each word of the world's reviews is one token, other words of Latin
 * letters and digits fall into characters, and what has other characters becomes `[UNK]`.
 *
 * @returns The contents of `tokenizer.json` and `tokenizer_config.json`.
 */
export function buildWordPieces(): TokenizerFiles {
  const characters = [..."abcdefghijklmnopqrstuvwxyz0123456789"];
  const punctuation = [...".,:;!?'\"()-"];
  const listed = [
    ...special,
    ...punctuation,
    ...characters,
    ...characters.map((one) => `##${one}`),
    ...reviewWords(),
  ];
  const vocab = Object.fromEntries([...new Set(listed)].map((piece, id) => [piece, id]));
  const added = special.map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  const piece = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
  const template = [piece("[CLS]"), { Sequence: { id: "A", type_id: 0 } }, piece("[SEP]")];
  return {
    tokenizer: {
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: added,
      normalizer: {
        type: "BertNormalizer",
        clean_text: true,
        handle_chinese_chars: true,
        strip_accents: null,
        lowercase: true,
      },
      pre_tokenizer: { type: "BertPreTokenizer" },
      post_processor: {
        type: "TemplateProcessing",
        single: template,
        pair: [
          ...template,
          { Sequence: { id: "B", type_id: 1 } },
          { SpecialToken: { id: "[SEP]", type_id: 1 } },
        ],
        special_tokens: {
          "[CLS]": { id: "[CLS]", ids: [2], tokens: ["[CLS]"] },
          "[SEP]": { id: "[SEP]", ids: [3], tokens: ["[SEP]"] },
        },
      },
      decoder: { type: "WordPiece", prefix: "##", cleanup: true },
      model: {
        type: "WordPiece",
        unk_token: "[UNK]",
        continuing_subword_prefix: "##",
        max_input_chars_per_word: 100,
        vocab,
      },
    },
    config: {
      tokenizer_class: "DistilBertTokenizer",
      do_lower_case: true,
      cls_token: "[CLS]",
      sep_token: "[SEP]",
      pad_token: "[PAD]",
      unk_token: "[UNK]",
      mask_token: "[MASK]",
      model_max_length: 128,
    },
  };
}
