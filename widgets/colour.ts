/** Red, green, blue, each 0 to 255. */
export type Rgb = readonly [number, number, number];

/** Light or dark surroundings: the middle of a diverging scale lies near the page's own colour. */
export type Theme = "light" | "dark";

/** How numbers become colours. */
export interface ColourScale {
  /** `diverging`: symmetric about 0, red below and blue above. `sequential`: from `low` upwards, one hue. */
  readonly kind: "diverging" | "sequential";
  readonly low: number;
  readonly high: number;
}

/** ColorBrewer's RdBu and Blues for light pages (both readable with every common colour blindness), and for dark
 * pages ramps of the same hues that start from the dark and grow lighter. */
const ramps: Record<Theme, Record<ColourScale["kind"], readonly Rgb[]>> = {
  light: {
    diverging: hexes("67001f b2182b d6604d f4a582 fddbc7 ffffff d1e5f0 92c5de 4393c3 2166ac 053061"),
    sequential: hexes("ffffff deebf7 c6dbef 9ecae1 6baed6 4292c6 2171b5 08519c 08306b"),
  },
  dark: {
    diverging: hexes("ffb08e f7855f e05d3c b0422d 672b25 1d2027 1d3a5c 2763a5 3b8de0 6fb4ff a8d6ff"),
    sequential: hexes("1d2027 1c3350 1d4c80 2068b0 3186db 5aa7f4 8fc7ff c3e1ff eef7ff"),
  },
};

function hexes(list: string): Rgb[] {
  return list.split(" ").map((hex) => {
    const value = Number.parseInt(hex, 16);
    return [value >> 16, (value >> 8) & 255, value & 255];
  });
}

/** Where a number lies on a scale, 0 to 1; values beyond the ends are drawn as the ends. */
export function position(scale: ColourScale, value: number): number {
  const span = scale.high - scale.low;
  if (!(span > 0)) return scale.kind === "diverging" ? 0.5 : 0;
  return Math.min(1, Math.max(0, (value - scale.low) / span));
}

/** The colour at a position from 0 to 1. */
export function colourAt(kind: ColourScale["kind"], theme: Theme, at: number): Rgb {
  const ramp = ramps[theme][kind];
  const scaled = at * (ramp.length - 1);
  const left = Math.min(ramp.length - 2, Math.floor(scaled));
  const part = scaled - left;
  const [from, to] = [ramp[left]!, ramp[left + 1]!];
  return [0, 1, 2].map((i) => Math.round(from[i]! + part * (to[i]! - from[i]!))) as unknown as Rgb;
}

/** All of a scale's colours from low to high, as a CSS background. */
export function rampCss(kind: ColourScale["kind"], theme: Theme): string {
  const stops = Array.from({ length: 11 }, (_, i) => css(colourAt(kind, theme, i / 10)));
  return `linear-gradient(90deg, ${stops.join(", ")})`;
}

/** Black or white, whichever is read more easily on a colour. */
export function inkOn([red, green, blue]: Rgb): "#000000" | "#ffffff" {
  const [r, g, b] = [red, green, blue].map((channel) => (channel / 255) ** 2.2) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.2 ? "#000000" : "#ffffff";
}

/** A colour in CSS. */
export function css([red, green, blue]: Rgb): string {
  return `rgb(${red}, ${green}, ${blue})`;
}
