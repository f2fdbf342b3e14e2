/** Charts by Vega and Vega-Lite: the specification for front ends that draw it, and a picture for those that do not. */
import { renderSvg } from "../../src/plot/render.js";
import type { MimeBundle } from "./mime.js";

type Spec = Readonly<Record<string, unknown>>;

/** The MIME type of a specification, by its `$schema`; undefined where it is none. */
export function vegaType(spec: unknown): string | undefined {
  if (typeof spec !== "object" || spec === null) return undefined;
  const { $schema } = spec as { $schema?: unknown };
  if (typeof $schema !== "string") return undefined;
  const match = /\/schema\/(vega(?:-lite)?)\/v(\d+)/.exec($schema);
  return match ? `application/vnd.${match[1]!.replace("-", "")}.v${match[2]}+json` : undefined;
}

/**
 * The bundle of a chart: the specification and its picture. A specification that the kernel cannot draw, or whose
 * data are at an address, is shown without a picture, and its text says so.
 *
 * @returns undefined where the value is no specification
 */
export async function vegaBundle(spec: unknown, text: string): Promise<MimeBundle | undefined> {
  const type = vegaType(spec);
  if (!type) return undefined;
  const address = addressIn(spec);
  if (address !== undefined) {
    return { [type]: spec, "text/plain": `${text}\nThere is no static picture: the data are at ${address}.` };
  }
  try {
    return { [type]: spec, "image/svg+xml": await renderSvg(spec as Spec), "text/plain": text };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { [type]: spec, "text/plain": `${text}\nThere is no static picture: ${reason}` };
  }
}

/** Where the data, or a picture in the chart, would have to be fetched from. */
function addressIn(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (Array.isArray(value)) return first(value);
  const { values, url, ...rest } = value as Record<string, unknown>;
  if (typeof url === "string") return url;
  // Inline data may hold anything, also a column that is called url.
  return Array.isArray(values) ? first(Object.values(rest)) : first(Object.values({ ...rest, values, url }));
}

function first(values: readonly unknown[]): string | undefined {
  for (const value of values) {
    const found = addressIn(value);
    if (found !== undefined) return found;
  }
  return undefined;
}
