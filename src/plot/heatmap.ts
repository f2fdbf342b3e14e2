import { fromNested, shapeText, type Tensor } from "../array/index.js";
import { divergingScheme, missingValue, sequentialScheme } from "./colours.js";
import { axisLabels, indexedAxis, visibleLabel } from "./labels.js";
import { type ChartOptions, type Plot, plotOf } from "./plot.js";
import { alignedTable, middleOut, numberText, shortened } from "./text.js";

/** Options of `heatmap`. */
export interface HeatmapOptions extends ChartOptions {
  /** Labels of the columns, such as tokens; numbers from 0 on by default. The same label may stand twice. */
  xLabels?: readonly (string | number)[];
  /** Labels of the rows; numbers from 0 on by default. */
  yLabels?: readonly (string | number)[];
  /** What the values are, with their unit: title of the colour legend and in tooltips. Default `"value"`. */
  valueTitle?: string;
  /**
   * `"sequential"` (viridis, from the least to the largest value) or `"diverging"` (purple and orange, white at 0).
   * By default diverging where values on both sides of 0 come.
   */
  scale?: "sequential" | "diverging";
  /** The values at the ends of the colour scale. By default those of the data; symmetric about 0 where diverging. */
  domain?: readonly [number, number];
  /** A text in each cell, `[row][column]`, such as the token that a value belongs to. */
  cellTexts?: readonly (readonly string[])[];
  /** Which row is on top: `"first"` (default) or `"last"`, as layers are often drawn. */
  top?: "first" | "last";
}

/** A larger chart would be slow to draw and heavy in a notebook. */
export const maxCells: number = 65_536;

/** The size of the texts in cells, and the width of one of their characters at most, in pixels. */
const TEXT_SIZE = 10;
const TEXT_ADVANCE = 6.2;
/** As many characters of a text are shown. */
const TEXT_LENGTH = 10;

/** Cells as wide as the longest of their texts. */
function textCell(texts: readonly string[]): number {
  const longest = texts.reduce((most, text) => Math.max(most, Array.from(text.trim()).length), 0);
  return Math.max(22, Math.ceil(longest * TEXT_ADVANCE) + 8);
}

function scaleOf(
  values: readonly number[],
  options: HeatmapOptions,
): { diverging: boolean; domain: [number, number] } {
  const finite = values.filter(Number.isFinite);
  const least = finite.reduce((a, b) => Math.min(a, b), Infinity);
  const most = finite.reduce((a, b) => Math.max(a, b), -Infinity);
  const diverging = options.scale ? options.scale === "diverging" : least < 0 && most > 0;
  if (options.domain) return { diverging, domain: [...options.domain] };
  if (finite.length === 0) return { diverging, domain: [0, 1] };
  const reach = Math.max(Math.abs(least), Math.abs(most)) || 1;
  if (diverging) return { diverging, domain: [-reach, reach] };
  return { diverging, domain: least === most ? [least, least + 1] : [least, most] };
}

/**
 * A table of numbers as colours.
 *
 * @param values `[rows, columns]`, a tensor or nested arrays. What is not finite is left grey and named in the tooltip.
 * @throws RangeError where the values do not have two axes, labels do not fit, or there are more than 65,536 cells.
 * @example
 * ```ts
 * heatmap([[1, 0], [0.3, 0.7]], { xLabels: ["The", "cat"], yLabels: ["The", "cat"], xTitle: "key", yTitle: "query" });
 * ```
 */
export function heatmap(values: Tensor | readonly (readonly number[])[], options: HeatmapOptions = {}): Plot {
  const table = "shape" in values ? values : fromNested(values as number[][]);
  if (table.shape.length !== 2) {
    throw new RangeError(
      `A heatmap takes values of shape [rows, columns]; ${shapeText(table.shape)} came. Slice first.`,
    );
  }
  const [rows, columns] = table.shape as [number, number];
  if (rows * columns > maxCells) {
    throw new RangeError(
      `A heatmap of ${rows} × ${columns} cells is too large to draw (at most ${maxCells}): slice or average first.`,
    );
  }
  const xLabels = axisLabels(options.xLabels, columns, "x");
  const yLabels = axisLabels(options.yLabels, rows, "y");
  const { valueTitle = "value", xTitle, yTitle, top = "first", cellTexts } = options;
  const cells = [];
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const value = table.get(y, x);
      const shown = numberText(value);
      cells.push({
        x,
        y,
        xLabel: xLabels[x],
        yLabel: yLabels[y],
        value: Number.isFinite(value) ? value : null,
        shown,
        ...(cellTexts ? { text: shortened(visibleLabel(cellTexts[y]?.[x] ?? ""), TEXT_LENGTH) } : {}),
      });
    }
  }
  const { diverging, domain } = scaleOf(
    cells.map(({ value }) => value ?? Number.NaN),
    options,
  );
  const step = (count: number): number => Math.max(3, Math.min(28, Math.floor(560 / Math.max(count, 1))));
  const upright = xLabels.every((label) => label.length <= 3);
  const texts = cells.map(({ text }) => text ?? "");
  const encoding = {
    x: {
      field: "x",
      type: "ordinal",
      axis: { ...indexedAxis(xLabels, xTitle), labelAngle: upright ? 0 : -45 },
    },
    y: {
      field: "y",
      type: "ordinal",
      axis: indexedAxis(yLabels, yTitle),
      sort: top === "first" ? "ascending" : "descending",
    },
    color: {
      condition: missingValue("value"),
      field: "value",
      type: "quantitative",
      title: valueTitle,
      // A chart of texts needs its width for them.
      ...(cellTexts ? { legend: { orient: "bottom", gradientLength: 200 } } : {}),
      scale: diverging
        ? {
            scheme: divergingScheme,
            domain,
            domainMid: (domain[0] + domain[1]) / 2,
            reverse: true,
            clamp: true,
          }
        : { scheme: sequentialScheme, domain, clamp: true },
    },
    tooltip: [
      { field: "yLabel", type: "nominal", title: yTitle ?? "row" },
      { field: "xLabel", type: "nominal", title: xTitle ?? "column" },
      ...(cellTexts ? [{ field: "text", type: "nominal", title: "text" }] : []),
      { field: "shown", type: "nominal", title: valueTitle },
    ],
  };
  const { color, ...place } = encoding;
  const body = {
    width: options.width ?? { step: cellTexts ? textCell(texts) : step(columns) },
    height: options.height ?? { step: step(rows) },
    data: { values: cells },
    layer: [
      { mark: { type: "rect", invalid: null }, encoding: { color } },
      ...(cellTexts
        ? [{ mark: { type: "text", fontSize: TEXT_SIZE }, encoding: textEncoding(domain, diverging) }]
        : []),
    ],
    encoding: place,
    config: { axis: { grid: false } },
  };
  return plotOf(body, options, heatmapText(table, xLabels, yLabels));
}

/** Dark text on light cells and light text on dark ones: the middle of a diverging scale and the top of viridis are light. */
function textEncoding([least, most]: [number, number], diverging: boolean): object {
  const middle = (least + most) / 2;
  const reach = (most - least) / 2;
  const light = diverging
    ? `abs(datum.value - ${middle}) < ${0.6 * reach}`
    : `datum.value > ${least + 0.55 * (most - least)}`;
  return {
    text: { field: "text", type: "nominal" },
    color: { condition: { test: light, value: "black" }, value: "white" },
  };
}

function heatmapText(table: Tensor, xLabels: readonly string[], yLabels: readonly string[]): string {
  const columns = middleOut([...xLabels.keys()], 10, -1);
  const rows = middleOut([...yLabels.keys()], 24, -1);
  const head = ["", ...columns.map((x) => (x < 0 ? "…" : shortened(xLabels[x]!, 10)))];
  const body = rows.map((y) => {
    if (y < 0) return ["…", ...columns.map(() => "")];
    return [shortened(yLabels[y]!), ...columns.map((x) => (x < 0 ? "…" : numberText(table.get(y, x))))];
  });
  return alignedTable([head, ...body]);
}
