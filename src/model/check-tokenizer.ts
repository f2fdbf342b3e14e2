/** Whether a `tokenizer.json` has what the library for it relies on without looking. */

import { asObject, type Json } from "./special-tokens.js";

/** More ids than any vocabulary has. */
const MAX_ID = 10_000_000;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isId = (value: unknown): boolean =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < MAX_ID;
const shown = (value: unknown): string => String(JSON.stringify(value)).slice(0, 80);

/** Throws a sentence where a part of a `tokenizer.json` is missing or is not what it should be. */
export function checkTokenizerJson(json: unknown, source: string): void {
  const problem = isObject(json) ? [...problems(json)][0] : "it does not hold a JSON object";
  if (problem !== undefined) throw new Error(`${source} cannot be read as a tokenizer: ${problem}.`);
}

function* problems(json: Json): Generator<string> {
  const { model, added_tokens: added = [] } = json;
  if (!isObject(model)) yield 'it has no "model"';
  else if (model.type === "Unigram") yield* unigramProblems(model);
  else if (model.type === "BPE" || model.type === "WordPiece" || model.type === undefined)
    yield* vocabularyProblems(model);
  else yield `its model is of the type ${shown(model.type)}; known are BPE, Unigram and WordPiece`;
  if (!Array.isArray(added)) yield '"added_tokens" is no list';
  else
    for (const token of added as unknown[]) {
      const { content, id } = asObject(token);
      if (typeof content !== "string" || content === "" || !isId(id))
        yield `its added tokens have the entry ${shown(token)}; a content and an id were expected`;
    }
  for (const key of ["normalizer", "pre_tokenizer", "post_processor", "decoder"])
    if (json[key] !== undefined && json[key] !== null && !isObject(json[key]))
      yield `its "${key}" is ${shown(json[key])}`;
}

function* unigramProblems({ vocab }: Json): Generator<string> {
  if (!Array.isArray(vocab)) yield "the vocabulary of a Unigram model must be a list";
  else
    for (const entry of vocab as unknown[])
      if (!Array.isArray(entry) || typeof entry[0] !== "string" || typeof entry[1] !== "number")
        yield `its vocabulary has the entry ${shown(entry)}; a text and a number were expected`;
}

function* vocabularyProblems({ type, vocab, merges }: Json): Generator<string> {
  if (!isObject(vocab)) yield 'its model has no "vocab"';
  else
    for (const [token, id] of Object.entries(vocab))
      if (!isId(id)) yield `the token ${shown(token)} has the id ${shown(id)}`;
  if (type !== "BPE") return;
  if (!Array.isArray(merges)) yield 'its model has no "merges"';
  else
    for (const merge of merges as unknown[]) {
      const parts = typeof merge === "string" ? merge.split(" ") : merge;
      if (!Array.isArray(parts) || parts.length !== 2 || !parts.every((part) => typeof part === "string"))
        yield `its merges have the entry ${shown(merge)}; two texts were expected`;
    }
}
