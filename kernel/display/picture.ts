/** Drawings as PNG, for places that show no SVG: GitHub, PDF by nbconvert, presentations. */
import { createRequire } from "node:module";
import type { MimeBundle } from "../../widgets/host.js";

/** Pixels for each unit of the drawing: screens of today have two. */
const ZOOM = 2;
/** A larger drawing stays a drawing: its PNG would take long and be larger still. */
const MAX_CHARS = 5_000_000;
const MAX_SIDE = 8000;

/**
 * A drawing as PNG, twice as large, on white.
 *
 * The letters are DejaVu's, which come with the package: so the picture is the same on every machine, also where no
 * font is installed. Fonts of the system are asked only for scripts that DejaVu lacks, such as Chinese.
 *
 * @throws Error where the text is no SVG
 */
export async function pngOf(svg: string): Promise<Uint8Array> {
  const { Resvg } = await import("@resvg/resvg-js");
  const { resolve } = createRequire(import.meta.url);
  const fonts = ["Sans", "Sans-Bold", "Sans-Oblique", "SansMono", "Serif"];
  const options: import("@resvg/resvg-js").ResvgRenderOptions = {
    background: "white",
    fitTo: { mode: "zoom", value: ZOOM },
    font: {
      fontFiles: fonts.map((name) => resolve(`dejavu-fonts-ttf/ttf/DejaVu${name}.ttf`)),
      loadSystemFonts: /[^\0-\u2e7f]/.test(svg),
      defaultFontFamily: "DejaVu Sans",
      sansSerifFamily: "DejaVu Sans",
      serifFamily: "DejaVu Serif",
      monospaceFamily: "DejaVu Sans Mono",
    },
  };
  return new Resvg(svg, options).render().asPng();
}

/** The bundle, with a PNG beside a drawing that has none. A drawing that cannot be drawn stays alone. */
export async function withPng(bundle: MimeBundle): Promise<MimeBundle> {
  const svg = bundle["image/svg+xml"];
  if (typeof svg !== "string" || bundle["image/png"] !== undefined || svg.length > MAX_CHARS) return bundle;
  const size = sizeOf(svg);
  if (size && Math.max(size.width, size.height) > MAX_SIDE) return bundle;
  try {
    return { ...bundle, "image/png": Buffer.from(await pngOf(svg)).toString("base64") };
  } catch {
    return bundle;
  }
}

/** The metadata of a bundle: how large the PNG beside a drawing is to be shown. */
export function metadataOf(bundle: MimeBundle): Record<string, unknown> {
  const svg = bundle["image/svg+xml"];
  const size = bundle["image/png"] !== undefined && typeof svg === "string" ? sizeOf(svg) : undefined;
  return size ? { "image/png": size } : {};
}

function sizeOf(svg: string): { width: number; height: number } | undefined {
  const [head] = /<svg\b[^>]*>/.exec(svg) ?? [];
  const side = (name: string): number =>
    Number(new RegExp(`\\s${name}="([\\d.]+)(?:px)?"`).exec(head ?? "")?.[1]);
  const [width, height] = [side("width"), side("height")];
  return width > 0 && height > 0 ? { width, height } : undefined;
}
