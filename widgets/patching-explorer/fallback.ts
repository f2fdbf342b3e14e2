import { colourAt, css, inkOn, position } from "../colour.js";
import type { MimeBundle } from "../host.js";
import { escapeHtml, percent, showToken } from "../text.js";
import {
  axesOf,
  cellText,
  describeCell,
  describeEffect,
  effectsOf,
  nextTokensOf,
  patchedName,
  summaryOf,
} from "./effects.js";
import type { PatchingExplorerState, PatchingResult } from "./state.js";

/** Tokens of the selected cell that are listed. */
const listed = 6;
/** More rows are not drawn. */
const mostRows = 64;

/** The heat map and the selected cell's next tokens as text and as HTML without scripts, for places where no widget runs. */
export function explorerFallback(state: PatchingExplorerState): MimeBundle {
  const { result, run, title } = state;
  if (!result) {
    const sentence = run.error || "Nothing has been patched yet.";
    return { "text/plain": sentence, "text/html": `<p>${escapeHtml(sentence)}</p>` };
  }
  const caption = [
    ...(title ? [title] : []),
    `clean: ${result.choices.clean}`,
    `corrupt: ${result.choices.corrupt}`,
    [summaryOf(result), ...result.notes].join(". "),
    ...(run.error ? [run.error] : []),
  ];
  return { "text/plain": asText(state, result, caption), "text/html": asHtml(state, result, caption) };
}

/** The rows of the map from the top, which is the last one. */
function linesOf(result: PatchingResult): { name: string; cells: number[] }[] {
  const { rows, cols } = axesOf(result);
  return rows
    .map((name, row) => ({ name, cells: cols.map((_, col) => row * cols.length + col) }))
    .reverse()
    .slice(0, mostRows);
}

function asText(state: PatchingExplorerState, result: PatchingResult, caption: readonly string[]): string {
  const { cols, rowTitle } = axesOf(result);
  const { values } = effectsOf(result);
  const table = [
    [rowTitle, ...cols.map((name) => name.slice(0, 9))],
    ...linesOf(result).map(({ name, cells }) => [name, ...cells.map((cell) => cellText(values[cell]!))]),
  ];
  const next = nextTokensOf(state, listed) ?? [];
  const chosen =
    state.selected === null ? [] : [`next token with ${describeCell(result, state.selected)} patched:`];
  const tokens = [
    ["", "clean", "corrupt", patchedName(result.choices.direction)],
    ...next.map((row) => [
      showToken(row.token),
      percent(row.clean),
      percent(row.corrupt),
      percent(row.patched),
    ]),
  ];
  return [...caption, ...aligned(table), ...(next.length > 0 ? [...chosen, ...aligned(tokens)] : [])].join(
    "\n",
  );
}

function aligned(lines: readonly (readonly string[])[]): string[] {
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  return lines.map((line) => line.map((cell, i) => cell.padStart(widths[i]!)).join("  "));
}

function asHtml(state: PatchingExplorerState, result: PatchingResult, caption: readonly string[]): string {
  const { cols, rowTitle, colTitle } = axesOf(result);
  const effects = effectsOf(result);
  const small = "font: 11px/1.3 sans-serif; padding: 1px 4px; white-space: nowrap;";
  const th = (text: string, scope: string): string =>
    `<th scope="${scope}" style="${small} text-align: ${scope === "row" ? "right" : "center"}">${escapeHtml(text)}</th>`;
  const td = (cell: number): string => {
    const value = effects.values[cell]!;
    const colour = Number.isFinite(value)
      ? colourAt("diverging", "light", position(effects.scale, value))
      : ([200, 200, 200] as const);
    const mark =
      cell === state.selected ? " outline: 2px solid #000; outline-offset: -2px; font-weight: bold;" : "";
    return `<td style="${small} text-align: center; background-color: ${css(colour)}; color: ${inkOn(colour)};${mark}">${cellText(value)}</td>`;
  };
  const lines = linesOf(result).map(
    ({ name, cells }) => `<tr>${th(name, "row")}${cells.map(td).join("")}</tr>`,
  );
  const map =
    `<div style="overflow-x: auto"><table style="border-collapse: collapse">` +
    `<caption style="font: 12px sans-serif; text-align: left; white-space: pre-wrap">${caption.map(escapeHtml).join("<br>")}</caption>` +
    `<thead><tr>${th(`${rowTitle} / ${colTitle}`, "col")}${cols.map((name) => th(name, "col")).join("")}</tr></thead>` +
    `<tbody>${lines.join("")}</tbody></table></div>`;
  const next = nextTokensOf(state, listed);
  if (!next || state.selected === null) return map;
  const plain = (text: string): string => `<td style="${small} text-align: right">${escapeHtml(text)}</td>`;
  const rows = next.map(
    (row) =>
      `<tr>${th(showToken(row.token), "row")}${[row.clean, row.corrupt, row.patched].map((p) => plain(percent(p))).join("")}</tr>`,
  );
  const what = `Next token with ${describeCell(result, state.selected)} patched (${describeEffect(effects, state.selected)})`;
  const head = ["", "clean", "corrupt", patchedName(result.choices.direction)].map((text) => th(text, "col"));
  return (
    `${map}<table style="border-collapse: collapse; margin-top: 6px">` +
    `<caption style="font: 12px sans-serif; text-align: left; white-space: nowrap">${escapeHtml(what)}</caption>` +
    `<thead><tr>${head.join("")}</tr></thead><tbody>${rows.join("")}</tbody></table>`
  );
}
