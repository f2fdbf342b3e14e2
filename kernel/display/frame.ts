/** Data frames of other libraries, by what they resemble. */
import type { MimeBundle } from "../../widgets/host.js";
import { htmlTable, type TableRow } from "./table.js";

/** Rows that are shown of a longer frame, half of them from its end where it can give that. */
const SHOWN_ROWS = 60;
/** Rows of the tabular data resource. */
const DATA_ROWS = 200;

/** What is asked of a data frame. */
interface Frame {
  /** Columns with their types, as the library writes them. */
  readonly schema: readonly (readonly [name: string, type: string])[];
  /** How many rows it has. */
  readonly length: number;
  /** So many rows from its beginning, or from its end. */
  first(count: number): readonly TableRow[];
  last(count: number): readonly TableRow[];
}

type Fields = Record<PropertyKey, unknown>;

/**
 * A data frame as an HTML table and as a tabular data resource: one with a schema, a head and records, as
 * nodejs-polars has; with columns, dtypes and values, as danfo.js; or with names of columns and objects, as arquero.
 *
 * @returns undefined where the value resembles none of them
 */
export function frameBundle(value: Fields): MimeBundle | undefined {
  const frame = polarsFrame(value) ?? danfoFrame(value) ?? arqueroFrame(value);
  if (!frame) return undefined;
  const half = SHOWN_ROWS / 2;
  const long = frame.length > SHOWN_ROWS;
  const rows = long ? [...frame.first(half), ...frame.last(half)] : frame.first(frame.length);
  const data = frame.first(DATA_ROWS).map((row) => jsonOf(row));
  const fields = frame.schema.map(([name, type]) => ({ name, type: resourceType(type) }));
  return {
    "text/html": htmlTable(rows, { length: frame.length, names: frame.schema.map(([name]) => name) }),
    "application/vnd.dataresource+json": { schema: { fields }, data },
  };
}

function polarsFrame(value: Fields): Frame | undefined {
  const { schema, head, tail, toRecords, height, shape } = value;
  const resembles = typeof schema === "object" && schema !== null && typeof head === "function";
  if (!resembles || typeof toRecords !== "function") return undefined;
  const records = (frame: unknown): readonly TableRow[] =>
    (frame as { toRecords(): readonly TableRow[] }).toRecords();
  const known = height ?? (Array.isArray(shape) ? shape[0] : undefined);
  const whole = typeof known === "number" && typeof tail === "function" ? undefined : records(value);
  return {
    schema: Object.entries(schema).map(([name, type]) => [name, String(type)]),
    length: whole?.length ?? (known as number),
    first: (count) => whole?.slice(0, count) ?? records(head.call(value, count)),
    last: (count) => whole?.slice(-count) ?? records((tail as (n: number) => unknown).call(value, count)),
  };
}

function danfoFrame({ columns, dtypes, values }: Fields): Frame | undefined {
  const lists = Array.isArray(columns) && Array.isArray(dtypes) && Array.isArray(values);
  if (!lists || columns.length !== dtypes.length || !values.every(Array.isArray)) return undefined;
  const records = (rows: readonly (readonly unknown[])[]): TableRow[] =>
    rows.map((row) => Object.fromEntries(columns.map((name, i) => [String(name), row[i]])));
  return {
    schema: columns.map((name, i) => [String(name), String(dtypes[i])]),
    length: values.length,
    first: (count) => records(values.slice(0, count)),
    last: (count) => records(values.slice(-count)),
  };
}

function arqueroFrame(value: Fields): Frame | undefined {
  const { columnNames, objects, numRows } = value;
  if (typeof columnNames !== "function" || typeof objects !== "function" || typeof numRows !== "function")
    return undefined;
  const length = Number(numRows.call(value));
  const names = columnNames.call(value) as readonly string[];
  const rows = (offset: number, limit: number): readonly TableRow[] =>
    objects.call(value, { offset, limit }) as readonly TableRow[];
  const [sample = {}] = rows(0, 1);
  return {
    schema: names.map((name) => [name, typeof sample[name]]),
    length,
    first: (count) => rows(0, count),
    last: (count) => rows(Math.max(0, length - count), count),
  };
}

/** The type of a column in the words of tabular data resources. */
function resourceType(type: string): string {
  if (/bool/i.test(type)) return "boolean";
  if (/u?int\d*|bigint/i.test(type)) return "integer";
  if (/float|double|decimal|number/i.test(type)) return "number";
  if (/datetime|timestamp/i.test(type)) return "datetime";
  if (/date/i.test(type)) return "date";
  if (/time/i.test(type)) return "time";
  if (/utf8|string|categorical|enum/i.test(type)) return "string";
  return "any";
}

/** A value as JSON has it: large integers and what is no number as text, moments by ISO 8601. */
function jsonOf(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (value === undefined || typeof value === "function" || typeof value === "symbol") return null;
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (ArrayBuffer.isView(value) && !(value instanceof DataView))
    return Array.from(value as unknown as ArrayLike<unknown>, jsonOf);
  if (Array.isArray(value)) return value.map(jsonOf);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, jsonOf(item)]));
}
