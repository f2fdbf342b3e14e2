/** The tokens of a text, to be looked at. */

import { displaySymbol, type MimeBundle } from "../array/index.js";
import type { Model } from "../model/index.js";

/** A text's tokens. */
export interface TokenTable {
  /** The token ids. */
  readonly values: readonly number[];
  /** Each token as text. */
  readonly labels: readonly string[];
  [displaySymbol](): MimeBundle;
}

/**
 * The tokens of a text with their ids, shown as a row of boxes in a notebook.
 *
 * @example
 * ```ts
 * tokenTable(model, "Mary gave the book to").labels; // ["Mary", " gave", " the", " book", " to"]
 * ```
 */
export function tokenTable(model: Model, text: string, options: { prependBos?: boolean } = {}): TokenTable {
  const values = model.toTokens(text, options);
  const labels = values.map((id) => model.tokenText(id));
  return {
    values,
    labels,
    [displaySymbol]: () => ({
      "text/html": values.map((id, i) => box(id, labels[i]!, i)).join(""),
      "text/plain": values.map((id, i) => `${i}\t${id}\t${JSON.stringify(labels[i])}`).join("\n"),
    }),
  };
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as it may stand in HTML, spaces and line breaks made visible. */
const visible = (text: string): string =>
  text
    .replace(/[&<>"']/g, (character) => entities[character]!)
    .replace(/^ | $/g, "·")
    .replace(/\n/g, "⏎");

const box = (id: number, text: string, index: number): string =>
  `<span title="position ${index}" style="display:inline-block;margin:0 2px 4px 0;padding:1px 5px;border:1px solid #8888;border-radius:3px;text-align:center"><code>${visible(text)}</code><br><small style="opacity:.7">${id}</small></span>`;
