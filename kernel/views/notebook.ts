/** What a cell shows in the notebook: values, HTML, Markdown and SVG, now and changed later. */
import { escapeHtml } from "../../widgets/text.js";
import { currentKernel } from "../current.js";
import type { DisplayOptions } from "../display/display.js";
import { DISPLAY, type MimeBundle } from "../display/mime.js";

export type { DisplayOptions } from "../display/display.js";

/** A value that shows itself in Jupyter and in Deno's notebooks. */
export interface Displayable {
  /** The MIME bundle that it is shown by. */
  bundle(): MimeBundle;
}

function displayable(bundle: MimeBundle): Displayable {
  return Object.defineProperty({ bundle: () => bundle }, DISPLAY, { value: () => bundle });
}

function joined(
  strings: TemplateStringsArray,
  values: readonly unknown[],
  asText: (text: string) => string,
): string {
  return String.raw({ raw: strings }, ...values.map((value) => asText(String(value))));
}

const escapeMarkdown = (text: string): string => escapeHtml(text).replace(/[\\`*_{}[\]()#+!|~$-]/g, "\\$&");

/**
 * HTML as the value of a cell. What is put into the template is escaped: it is shown as text.
 *
 * @example
 * ```ts
 * html`<b>${"1 < 2"}</b>`
 * ```
 */
export function html(strings: TemplateStringsArray, ...values: readonly unknown[]): Displayable {
  const text = joined(strings, values, escapeHtml);
  return displayable({ "text/plain": text, "text/html": text });
}

/** Markdown as the value of a cell. What is put into the template is escaped: it is shown as text. */
export function md(strings: TemplateStringsArray, ...values: readonly unknown[]): Displayable {
  const text = joined(strings, values, escapeMarkdown);
  return displayable({ "text/plain": text, "text/markdown": text });
}

/** A drawing as the value of a cell. What is put into the template is escaped: it is shown as text. */
export function svg(strings: TemplateStringsArray, ...values: readonly unknown[]): Displayable {
  const text = joined(strings, values, escapeHtml);
  return displayable({ "text/plain": text, "image/svg+xml": text });
}

/**
 * Shows a value beside the cell, as if it were the cell's last value.
 *
 * @throws Error outside a notebook
 *
 * @example
 * ```ts
 * await display(html`<b>one</b>`, { displayId: "count" });
 * await display(html`<b>two</b>`, { displayId: "count", update: true });
 * ```
 */
export function display(value: unknown, options: DisplayOptions = {}): Promise<void> {
  return currentKernel().displayer.display(value, options);
}

/**
 * Takes away what the cell has shown so far.
 *
 * @param wait until the next output comes, so that nothing flickers. Default false
 * @throws Error outside a notebook
 */
export function clearOutput(wait = false): void {
  currentKernel().displayer.clear(wait);
}
