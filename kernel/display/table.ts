/** Records as an HTML table. */
import { inspect } from "node:util";
import { escapeHtml } from "../../widgets/text.js";
import { inspectValue } from "./inspect.js";

/** One row: values by column. */
export type TableRow = Readonly<Record<string, unknown>>;

const MAX_ROWS = 60;
const MAX_COLUMNS = 50;
const MAX_CELL_CHARS = 200;

/** Whether a value is a list of records: plain objects, at least one, with at least one column. */
export function isTable(value: unknown): value is readonly TableRow[] {
  return Array.isArray(value) && value.length > 0 && value.every(isRecord) && columnsOf(value).length > 0;
}

function isRecord(value: unknown): value is TableRow {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function columnsOf(rows: readonly TableRow[]): string[] {
  const names = new Set<string>();
  for (const row of rows) for (const name of Object.keys(row)) names.add(name);
  return [...names];
}

/** What is known of a table beyond the rows that are given. */
export interface WholeTable {
  /** How many rows it has; where it has more, those given are its first and its last. Default: those given. */
  readonly length?: number;
  /** Its columns. Default: those that the rows have. */
  readonly names?: readonly string[];
}

/**
 * Records as an HTML table, one column for each name that any of them has. Of a long table the first and the last
 * rows are shown, and its size is said below. Whatever the cells hold is shown as text.
 */
export function htmlTable(rows: readonly TableRow[], whole: WholeTable = {}): string {
  const { length = rows.length, names = columnsOf(rows) } = whole;
  const shownNames = names.slice(0, MAX_COLUMNS);
  const long = rows.length > MAX_ROWS || length > rows.length;
  const half = Math.min(MAX_ROWS, rows.length) / 2;
  const line = (row: TableRow): string =>
    `<tr>${shownNames.map((name) => `<td>${escapeHtml(cellText(row[name]))}</td>`).join("")}</tr>`;
  const gap = `<tr>${shownNames.map(() => "<td>…</td>").join("")}</tr>`;
  const body = long
    ? [...rows.slice(0, Math.ceil(half)).map(line), gap, ...rows.slice(-Math.floor(half)).map(line)]
    : rows.map(line);
  const head = shownNames.map((name) => `<th>${escapeHtml(name)}</th>`).join("");
  const cut = long || names.length > MAX_COLUMNS;
  const size = cut ? `<p>${length} rows × ${names.length} columns</p>` : "";
  return `<table><thead><tr>${head}</tr></thead><tbody>${body.join("")}</tbody></table>${size}`;
}

/** Texts as they are, numbers in six digits, objects in short. */
function cellText(value: unknown): string {
  if (value === undefined) return "";
  const text =
    typeof value === "string" || typeof value === "bigint"
      ? String(value)
      : typeof value === "number"
        ? String(Number.isInteger(value) ? value : Number(value.toPrecision(6)))
        : value instanceof Date || typeof value !== "object"
          ? inspect(value)
          : inspectValue(value);
  return text.length <= MAX_CELL_CHARS ? text : `${text.slice(0, MAX_CELL_CHARS)}…`;
}
