import { displaySymbol, type MimeBundle } from "../array/display.js";
import { renderSvg } from "./render.js";

/** A Vega-Lite v5 specification: plain JSON. */
export type VegaLiteSpec = Readonly<Record<string, unknown>>;

/**
 * A chart: a Vega-Lite specification that front ends draw with tooltips and zoom, a picture for places that do not, and
 * text for places that show neither.
 */
export interface Plot {
  /** The Vega-Lite v5 specification, with the data in it. */
  readonly spec: VegaLiteSpec;
  /** The chart as an SVG document. */
  toSVG(): Promise<string>;
  /** The chart as text. */
  toText(): string;
  /** What Jupyter and Deno show: the specification, the picture and the text together. */
  [displaySymbol](): Promise<MimeBundle>;
}

/** What every chart takes. */
export interface ChartOptions {
  /** Title above the chart. */
  title?: string;
  /** Title of the horizontal axis, with its unit. */
  xTitle?: string;
  /** Title of the vertical axis, with its unit. */
  yTitle?: string;
  /** Width of the plotting area in pixels; by default it follows from the data. */
  width?: number;
  /** Height of the plotting area in pixels; by default it follows from the data. */
  height?: number;
  /** `"light"` (default) or `"dark"`. */
  theme?: "light" | "dark";
}

const darkText = "#dddddd";
const themes = {
  light: { background: "white" },
  dark: {
    background: "#1e1e1e",
    style: {
      "guide-label": { fill: darkText },
      "guide-title": { fill: darkText },
      "group-title": { fill: darkText },
    },
    title: { color: darkText, subtitleColor: darkText },
    axis: { domainColor: "#888888", gridColor: "#444444", tickColor: "#888888" },
    view: { stroke: "#888888" },
  },
};

/**
 * Makes a plot of a specification without `$schema`, title and theme, and of its text.
 *
 * The colours of a theme stand in the specification itself, so that the picture and every front end agree.
 */
export function plotOf(body: VegaLiteSpec, options: ChartOptions, text: string): Plot {
  const { title, theme = "light" } = options;
  if (!Object.hasOwn(themes, theme)) throw new TypeError(`A theme is "light" or "dark"; "${theme}" came.`);
  const { background, ...config } = themes[theme] as { background: string };
  const spec: VegaLiteSpec = {
    $schema: "https://vega.github.io/schema/vega-lite/v5.json",
    ...(title === undefined ? {} : { title: String(title) }),
    background,
    ...body,
    config: { ...config, ...(body.config as object | undefined) },
  };
  const shown = title === undefined ? text : `${title}\n${text}`;
  const toSVG = (): Promise<string> => renderSvg(spec);
  return {
    spec,
    toSVG,
    toText: () => shown,
    async [displaySymbol](): Promise<MimeBundle> {
      return {
        "application/vnd.vegalite.v5+json": spec,
        "image/svg+xml": await toSVG(),
        "text/plain": shown,
      };
    },
  };
}
