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
  /** `"light"` or `"dark"`. By default front ends draw the chart in their own theme, and its picture is light. */
  theme?: "light" | "dark";
}

/** A theme in full, so that none of a front end's own colours comes through. */
const themeOf = (background: string, text: string, line: string, grid: string): object => ({
  background,
  style: {
    "guide-label": { fill: text },
    "guide-title": { fill: text },
    "group-title": { fill: text },
    "group-subtitle": { fill: text },
  },
  title: { color: text, subtitleColor: text },
  axis: { domainColor: line, gridColor: grid, tickColor: line },
  view: { stroke: line },
});

const themes: Readonly<Record<"light" | "dark", object>> = {
  light: themeOf("white", "#222222", "#888888", "#dddddd"),
  dark: themeOf("#1e1e1e", "#dddddd", "#888888", "#444444"),
};

/**
 * Makes a plot of a specification without `$schema`, title and theme, and of its text.
 *
 * The colours of a theme that was asked for stand in the specification itself, so that every front end shows them.
 */
export function plotOf(body: VegaLiteSpec, options: ChartOptions, text: string): Plot {
  const { title, theme } = options;
  if (theme !== undefined && !Object.hasOwn(themes, theme))
    throw new TypeError(`A theme is "light" or "dark"; "${theme}" came.`);
  const themed = (name: "light" | "dark" | undefined): VegaLiteSpec => ({
    $schema: "https://vega.github.io/schema/vega-lite/v5.json",
    ...(title === undefined ? {} : { title: String(title) }),
    ...body,
    config: merged(name && themes[name], body.config as object | undefined),
  });
  const spec = themed(theme);
  const shown = title === undefined ? text : `${title}\n${text}`;
  const toSVG = (): Promise<string> => renderSvg(themed(theme ?? "light"));
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

/** Two configurations as one: a chart's own `axis` must not hide the theme's. */
function merged(theme: object = {}, own: object = {}): object {
  const sections = Object.entries(own).map(([name, section]) => {
    const below = (theme as Record<string, unknown>)[name];
    return [name, typeof below === "object" ? { ...below, ...section } : section];
  });
  return { ...theme, ...Object.fromEntries(sections) };
}
