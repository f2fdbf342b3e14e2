import { colourAt, css, inkOn, position } from "../colour.js";
import type { MimeBundle } from "../host.js";
import { decodeTensor } from "../tensor.js";
import { escapeHtml, exactFloat32, plural, shortNumber, showToken } from "../text.js";
import type { ActivationTableState, TableView } from "./state.js";

const [htmlRows, htmlCols] = [24, 32];
const [textRows, textCols] = [12, 8];

/** The upper left part of the table as text and as HTML without scripts, for places where no widget runs. */
export function tableFallback(state: ActivationTableState): MimeBundle {
  const { view, error } = state;
  if (!view) {
    const sentence = error || "The activation table has not been computed yet.";
    return { "text/plain": sentence, "text/html": `<p>${escapeHtml(sentence)}</p>` };
  }
  return { "text/plain": asText(view), "text/html": asHtml(view, state.title) };
}

/** What the table is of, in one line. */
export function describeTable(view: TableView): string {
  const head = view.head === null ? "" : `, head ${view.head}`;
  const { min, max, mean } = view.summary;
  const range =
    min === null
      ? "no finite values"
      : `min ${shortNumber(min)}, mean ${shortNumber(mean!)}, max ${shortNumber(max!)}`;
  const of = view.cols < view.all_cols ? ` (top ${view.cols} of ${view.all_cols})` : "";
  return `${view.point}${head}: ${view.rows} ${plural(view.row_axis)} × ${view.cols} ${plural(view.col_axis)}${of}; ${range}`;
}

/** The names of shown rows and columns and the values of the window, cut to a size. */
function part(view: TableView, maxRows: number, maxCols: number) {
  const { data, shape } = decodeTensor(view.window.data);
  const rows = Math.min(maxRows, shape[0]!);
  const cols = Math.min(maxCols, shape[1]!);
  const rowOrder = view.row_order && decodeTensor(view.row_order).data;
  const colOrder = view.col_order && decodeTensor(view.col_order).data;
  const name = (names: readonly string[] | null, order: ArrayLike<number> | null, i: number): string => {
    const index = order ? order[i]! : i;
    return names?.[i] ? `${index} ${showToken(names[i])}` : String(index);
  };
  return {
    rowNames: Array.from({ length: rows }, (_, i) => name(view.row_names, rowOrder, i)),
    colNames: Array.from({ length: cols }, (_, i) => name(view.col_names, colOrder, i)),
    value: (row: number, col: number): number => data[row * shape[1]! + col]!,
    cut:
      rows < view.rows || cols < view.cols
        ? `first ${rows} × ${cols} of ${view.rows} × ${view.cols} shown`
        : "",
  };
}

function asText(view: TableView): string {
  const { rowNames, colNames, value, cut } = part(view, textRows, textCols);
  const lines = [
    ["", ...colNames.map((name) => name.slice(0, 12))],
    ...rowNames.map((name, row) => [
      name.slice(0, 18),
      ...colNames.map((_, col) => shortNumber(value(row, col))),
    ]),
  ];
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  const table = lines.map((line) => line.map((cell, i) => cell.padStart(widths[i]!)).join("  "));
  return [describeTable(view), ...table, ...(cut ? [`(${cut})`] : [])].join("\n");
}

function asHtml(view: TableView, title: string): string {
  const { rowNames, colNames, value, cut } = part(view, htmlRows, htmlCols);
  const small = "font: 11px/1.3 sans-serif; padding: 1px 3px; white-space: nowrap;";
  const cell = (row: number, col: number): string => {
    const number = value(row, col);
    const colour = Number.isFinite(number)
      ? colourAt(view.scale.kind, "light", position(view.scale, number))
      : ([200, 200, 200] as const);
    const text = Number.isFinite(number) ? shortNumber(number, 2) : exactFloat32(number);
    return `<td style="${small} text-align: right; background-color: ${css(colour)}; color: ${inkOn(colour)}">${text}</td>`;
  };
  const head = colNames.map((name) => `<th scope="col" style="${small}">${escapeHtml(name)}</th>`).join("");
  const body = rowNames.map(
    (name, row) =>
      `<tr><th scope="row" style="${small} text-align: right">${escapeHtml(name)}</th>${colNames.map((_, col) => cell(row, col)).join("")}</tr>`,
  );
  const caption = [title, describeTable(view), cut].filter(Boolean).map(escapeHtml).join("<br>");
  return (
    `<div style="overflow-x: auto"><table style="border-collapse: collapse">` +
    `<caption style="font: 12px sans-serif; text-align: left; white-space: nowrap">${caption}</caption>` +
    `<thead><tr><th></th>${head}</tr></thead><tbody>${body.join("")}</tbody></table></div>`
  );
}
