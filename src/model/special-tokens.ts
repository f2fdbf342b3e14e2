/** Special tokens, as the files of tokenizers name them. */

/** A parsed object of JSON. */
export type Json = Readonly<Record<string, unknown>>;

/** The value where it is an object, and an empty one otherwise. */
export const asObject = (value: unknown): Json =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};

/** The text of a special token as configurations write it: itself, or an object. */
export function tokenContent(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  const { content } = asObject(value);
  return typeof content === "string" ? content : undefined;
}

const specialKeys = [
  "bos_token",
  "eos_token",
  "unk_token",
  "sep_token",
  "pad_token",
  "cls_token",
  "mask_token",
];

/** Special tokens that are in the vocabulary, and those that a file adds to it. */
export function addedTokens(
  vocab: Readonly<Record<string, unknown>>,
  config: Json,
): { id: unknown; content: string; special: boolean }[] {
  const named = specialKeys.map((key) => tokenContent(config[key])).filter((text) => text !== undefined);
  const more = Array.isArray(config.additional_special_tokens)
    ? config.additional_special_tokens.map(tokenContent).filter((text) => text !== undefined)
    : [];
  const specials = [...new Set([...named, ...more])].filter((content) => Object.hasOwn(vocab, content));
  const tokens = specials.map((content) => ({ id: vocab[content], content, special: true }));
  for (const [content, id] of Object.entries(asObject(config.added)))
    if (!specials.includes(content)) tokens.push({ id, content, special: true });
  return tokens;
}

/** A post-processor that puts tokens around texts, in the form of `tokenizer.json`. */
export function around(
  vocab: Readonly<Record<string, unknown>>,
  before: readonly string[],
  after: readonly string[],
): Json | null {
  const tokens = [...before, ...after];
  if (tokens.length === 0) return null;
  const part = (token: string): Json => ({ SpecialToken: { id: token, type_id: 0 } });
  const text = (id: string, type: number): Json => ({ Sequence: { id, type_id: type } });
  return {
    type: "TemplateProcessing",
    single: [...before.map(part), text("A", 0), ...after.map(part)],
    pair: [...before.map(part), text("A", 0), ...after.map(part), text("B", 1), ...after.map(part)],
    special_tokens: Object.fromEntries(
      tokens.map((token) => [token, { id: token, ids: [vocab[token]], tokens: [token] }]),
    ),
  };
}
