/** The traits of core widgets: what each may be, and how it stands on the wire. */

/** A time of day. */
export interface TimeOfDay {
  readonly hours: number;
  readonly minutes: number;
  readonly seconds?: number;
  readonly milliseconds?: number;
}

/** What a trait holds. */
export type TraitKind =
  | "int"
  | "float"
  | "string"
  | "bool"
  | "bytes"
  | "date"
  | "time"
  | "datetime"
  | "naiveDatetime"
  | "widget"
  | "any";

/** One trait of a widget. */
export interface TraitSpec {
  /** Its name on the wire. */
  readonly wire: string;
  readonly kind: TraitKind;
  /** Its value in a new widget. A widget that is made anew for each one, such as a layout, has `make` instead. */
  readonly default?: unknown;
  /** Makes the widget that the trait refers to from its traits. */
  readonly make?: (traits: object) => object;
  /** The texts that are allowed; of a number, the texts that are allowed besides. */
  readonly values?: readonly string[];
  /** Whether it may be null. */
  readonly nullable?: true;
  /** Whether it is a list. */
  readonly list?: true;
  /** Whether it is another view of the trait that has the same name on the wire. */
  readonly derived?: true;
  /** The length of a list of fixed length. */
  readonly length?: number;
}

/** Traits by their names in TypeScript. */
export type TraitSpecs = Readonly<Record<string, TraitSpec>>;

/** A widget's names and traits. */
export interface WidgetDefinition {
  readonly name: string;
  /** The attributes that name the browser half. */
  readonly identity: Readonly<Record<string, string | null>>;
  readonly traits: TraitSpecs;
}

/**
 * A value as it is kept and sent.
 *
 * @param where the widget and the trait, for the error
 * @throws TypeError where the value is none that the trait may have
 */
export function encodeTrait(where: string, spec: TraitSpec, value: unknown): unknown {
  if (value === null && spec.nullable) return null;
  if (!spec.list) return encodeItem(where, spec, value);
  const fitting = Array.isArray(value) && (spec.length === undefined || value.length === spec.length);
  if (!fitting) {
    const wanted = spec.length === undefined ? "a list" : `a list of ${spec.length}`;
    throw new TypeError(`${where} is ${wanted}, not ${shortly(value)}.`);
  }
  return value.map((item, i) => encodeItem(`${where}[${i}]`, spec, item));
}

/** A value as users see it, from what is kept. */
export function decodeTrait(spec: TraitSpec, value: unknown): unknown {
  if (value === null || value === undefined || spec.list) return value ?? null;
  const part = value as Record<string, number>;
  const { year, month, date, hours = 0, minutes = 0, seconds = 0, milliseconds = 0 } = part;
  switch (spec.kind) {
    case "date":
      return new Date(year!, month!, date!);
    case "naiveDatetime":
      return new Date(year!, month!, date!, hours, minutes, seconds, milliseconds);
    case "datetime":
      return new Date(Date.UTC(year!, month!, date!, hours, minutes, seconds, milliseconds));
    default:
      return value;
  }
}

function encodeItem(where: string, spec: TraitSpec, value: unknown): unknown {
  const { kind, values } = spec;
  const wrong = (wanted: string): TypeError =>
    new TypeError(`${where} is ${wanted}${spec.nullable ? " or null" : ""}, not ${shortly(value)}.`);
  const listed = values?.map((text) => JSON.stringify(text)).join(", ");
  if (values?.includes(value as string)) return value;
  switch (kind) {
    case "int":
      if (!Number.isSafeInteger(value))
        throw wrong(listed ? `a whole number or ${listed}` : "a whole number");
      return value;
    case "float":
      if (typeof value !== "number" || !Number.isFinite(value))
        throw wrong(listed ? `a number or ${listed}` : "a number");
      return value;
    case "string":
      if (values) throw wrong(`one of ${listed}`);
      if (typeof value !== "string") throw wrong("a text");
      return value;
    case "bool":
      if (typeof value !== "boolean") throw wrong("true or false");
      return value;
    case "bytes":
      if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
      if (value instanceof ArrayBuffer) return new Uint8Array(value);
      throw wrong("bytes, such as a Uint8Array");
    case "widget":
      if (!isWidgetLike(value)) throw wrong("a widget");
      return value;
    case "time":
      return encodeTime(value, wrong);
    case "date":
    case "datetime":
    case "naiveDatetime":
      if (!(value instanceof Date) || Number.isNaN(value.getTime())) throw wrong("a Date");
      return encodeDate(kind, value);
    case "any":
      return value;
  }
}

/** Whether a value is a live widget, or has one as its handle. */
export function isWidgetLike(value: unknown): value is { readonly id?: string; readonly handle?: object } {
  if (typeof value !== "object" || value === null) return false;
  const { id, handle } = value as { id?: unknown; handle?: unknown };
  return typeof id === "string" || (typeof handle === "object" && handle !== null);
}

function encodeDate(kind: TraitKind, value: Date): object {
  if (kind === "date") return { year: value.getFullYear(), month: value.getMonth(), date: value.getDate() };
  const utc = kind === "datetime";
  return {
    year: utc ? value.getUTCFullYear() : value.getFullYear(),
    month: utc ? value.getUTCMonth() : value.getMonth(),
    date: utc ? value.getUTCDate() : value.getDate(),
    hours: utc ? value.getUTCHours() : value.getHours(),
    minutes: utc ? value.getUTCMinutes() : value.getMinutes(),
    seconds: utc ? value.getUTCSeconds() : value.getSeconds(),
    milliseconds: value.getMilliseconds(),
  };
}

function encodeTime(value: unknown, wrong: (wanted: string) => TypeError): TimeOfDay {
  const { hours, minutes, seconds = 0, milliseconds = 0 } = (value ?? {}) as Partial<TimeOfDay>;
  const within = (part: unknown, limit: number): boolean =>
    Number.isInteger(part) && (part as number) >= 0 && (part as number) < limit;
  const fits = within(hours, 24) && within(minutes, 60) && within(seconds, 60) && within(milliseconds, 1000);
  if (!fits) throw wrong("a time such as { hours: 9, minutes: 30 }");
  return { hours: hours!, minutes: minutes!, seconds, milliseconds };
}

/** A value in an error message. */
export function shortly(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (value === null || typeof value !== "object") return String(value);
  return Array.isArray(value) ? `a list of ${value.length}` : `a ${value.constructor?.name ?? "object"}`;
}
