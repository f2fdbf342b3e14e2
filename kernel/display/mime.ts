import { inspect } from "node:util";
import { type AnyTensor, describe } from "../../src/array/index.js";

/** MIME type → data, as in a Jupyter `display_data` message. */
export type MimeBundle = Record<string, unknown>;

/** The method by which a value shows itself: it returns a MIME bundle, or a promise of one. Deno's kernel calls it too. */
export const DISPLAY: unique symbol = Symbol.for("Jupyter.display") as never;

type Fields = Record<PropertyKey, unknown>;

/**
 * How a value is shown: as it says itself by `Symbol.for("Jupyter.display")`; else by what it resembles (a
 * Vega-Lite chart, PNG or JPEG bytes, an SVG or HTML element), in the order of Deno's kernel; else as text.
 *
 * The bundle always holds `text/plain`. Text is never taken for HTML.
 *
 * @returns undefined for `undefined`, which is not shown
 */
export async function mimeBundle(value: unknown): Promise<MimeBundle | undefined> {
  if (value === undefined) return undefined;
  if (value === null || (typeof value !== "object" && typeof value !== "function")) {
    return { "text/plain": inspect(value) };
  }
  const own = (value as Fields)[DISPLAY];
  if (typeof own === "function") {
    const bundle: unknown = await own.call(value);
    if (typeof bundle !== "object" || bundle === null) {
      throw new TypeError(
        `Symbol.for("Jupyter.display") returned ${inspect(bundle)}, not an object of MIME types`,
      );
    }
    return { "text/plain": textOf(value), ...bundle };
  }
  return { "text/plain": textOf(value), ...resembled(value as Fields) };
}

function resembled(value: Fields): MimeBundle {
  if (typeof value.toSpec === "function") {
    const type = vegaType(value.toSpec());
    if (type) return type;
  }
  if (typeof value.toDataURL === "function") {
    const picture = fromDataUrl(String(value.toDataURL()));
    if (picture) return picture;
  }
  if (value instanceof Uint8Array) {
    const type = imageType(value);
    if (type) return { [type]: Buffer.from(value).toString("base64") };
  }
  if (typeof value.outerHTML === "string" && value.outerHTML) {
    return { [/^\s*<svg[\s>]/i.test(value.outerHTML) ? "image/svg+xml" : "text/html"]: value.outerHTML };
  }
  return {};
}

function vegaType(spec: unknown): MimeBundle | undefined {
  const schema = (spec as { $schema?: unknown } | null)?.$schema;
  const match = /\/schema\/(vega(?:-lite)?)\/v(\d+)/.exec(String(schema ?? ""));
  return match ? { [`application/vnd.${match[1]!.replace("-", "")}.v${match[2]}+json`]: spec } : undefined;
}

function fromDataUrl(url: string): MimeBundle | undefined {
  const match = /^data:(image\/(?:png|jpeg));base64,(.+)$/s.exec(url);
  return match ? { [match[1]!]: match[2] } : undefined;
}

function imageType(bytes: Uint8Array): string | undefined {
  const startsWith = (...magic: number[]): boolean => magic.every((byte, i) => bytes[i] === byte);
  if (startsWith(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return "image/png";
  if (startsWith(0xff, 0xd8, 0xff)) return "image/jpeg";
  return undefined;
}

function textOf(value: object): string {
  return isTensor(value) ? describe(value) : inspect(value);
}

function isTensor(value: object): value is AnyTensor {
  const { data, shape, stride, offset, dtype } = value as Partial<AnyTensor>;
  const arrays = ArrayBuffer.isView(data) && Array.isArray(shape) && Array.isArray(stride);
  return arrays && typeof offset === "number" && typeof dtype === "string";
}
