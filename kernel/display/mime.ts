import { inspect } from "node:util";
import type { MimeBundle } from "../../widgets/host.js";
import { DISPLAY } from "../comms/display.js";
import { frameBundle } from "./frame.js";
import { inspectValue } from "./inspect.js";
import { withPng } from "./picture.js";
import { htmlTable, isTable } from "./table.js";
import { vegaBundle } from "./vega.js";

export type { MimeBundle } from "../../widgets/host.js";
export { DISPLAY } from "../comms/display.js";

type Fields = Record<PropertyKey, unknown>;

/**
 * How a value is shown: as it says itself by `Symbol.for("Jupyter.display")`; else by what it resembles, in the
 * order of Deno's kernel: a chart (`toSpec()`, or a Vega-Lite specification itself), a data frame, a canvas, PNG or
 * JPEG bytes, an SVG or HTML element; a list of records as a table; else as text.
 *
 * The bundle always holds `text/plain`, and beside a drawing a PNG of it. Text is never taken for HTML.
 *
 * @returns undefined for `undefined`, which is not shown
 * @throws TypeError where what the value says of itself is no bundle
 */
export async function mimeBundle(value: unknown): Promise<MimeBundle | undefined> {
  if (value === undefined) return undefined;
  if (value === null || (typeof value !== "object" && typeof value !== "function")) {
    return { "text/plain": inspectValue(value) };
  }
  const own = (value as Fields)[DISPLAY];
  if (typeof own === "function") {
    const bundle: unknown = await own.call(value);
    if (typeof bundle !== "object" || bundle === null) {
      throw new TypeError(
        `Symbol.for("Jupyter.display") returned ${inspect(bundle)}, not an object of MIME types`,
      );
    }
    return withPng(
      "text/plain" in bundle ? (bundle as MimeBundle) : { "text/plain": ownText(value), ...bundle },
    );
  }
  const text = inspectValue(value);
  return withPng({ "text/plain": text, ...(await resembled(value as Fields, text)) });
}

async function resembled(value: Fields, text: string): Promise<MimeBundle> {
  const chart = await vegaBundle(typeof value.toSpec === "function" ? await value.toSpec() : value, text);
  if (chart) return chart;
  const frame = frameBundle(value);
  if (frame) return { ...frame, "text/plain": ownText(value) };
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
  return isTable(value) ? { "text/html": htmlTable(value) } : {};
}

/** An object as it writes itself, where it does: what a library says of its data frame is better than its insides. */
function ownText(value: object): string {
  const write: unknown = value.toString;
  const writes =
    typeof value === "object" && typeof write === "function" && write !== Object.prototype.toString;
  const text = writes ? String(value) : "[object";
  return text.startsWith("[object") ? inspectValue(value) : text;
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
