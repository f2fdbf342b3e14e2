import { categoryColours } from "./colours.js";
import { visibleLabel } from "./labels.js";
import { type ChartOptions, type Plot, plotOf } from "./plot.js";
import { alignedTable, numberText, shortened, sparkline } from "./text.js";

/** One line of a chart. */
export interface Series {
  /** What the line is called in the legend. */
  name: string;
  /** Values along the vertical axis. What is not finite interrupts the line. */
  y: ArrayLike<number>;
  /** Values along the horizontal axis; numbers from 0 on by default. */
  x?: ArrayLike<number>;
  /** Lower ends of a band around the line, such as a confidence interval. */
  lower?: ArrayLike<number>;
  /** Upper ends of the band. */
  upper?: ArrayLike<number>;
}

/** Options of `lineChart`. */
export interface LineChartOptions extends ChartOptions {
  /** Whether the horizontal axis is logarithmic; values must then be above 0. */
  logX?: boolean;
  /** Whether the vertical axis is logarithmic; values must then be above 0. */
  logY?: boolean;
  /** Whether each value is marked by a point; by default where no line has more than 40. */
  points?: boolean;
  /** Whether the vertical axis begins at 0. Default false. */
  zero?: boolean;
}

function rowsOf(series: Series): Record<string, unknown>[] {
  const name = visibleLabel(series.name);
  const { x, y, lower, upper } = series;
  for (const [what, values] of Object.entries({ x, lower, upper })) {
    if (values && values.length !== y.length) {
      throw new RangeError(
        `The line "${name}" has ${y.length} values of y, but ${values.length} of ${what}.`,
      );
    }
  }
  const finite = (value: number | undefined): number | null => (Number.isFinite(value) ? value! : null);
  return Array.from(y, (value, i) => ({
    series: name,
    x: x ? finite(x[i]) : i,
    y: finite(value),
    ...(lower && upper ? { lower: finite(lower[i]), upper: finite(upper[i]) } : {}),
  }));
}

/**
 * Lines over a common axis.
 *
 * @param series Lines by name, or as objects with their own `x` and a band of `lower` and `upper`.
 * @throws RangeError where the lengths within a line differ, or a logarithmic axis gets values that are not above 0.
 * @example
 * ```ts
 * lineChart({ "mean loss": [4.2, 3.1, 2.7] }, { xTitle: "step", yTitle: "loss (nats)" });
 * ```
 */
export function lineChart(
  series: readonly Series[] | Readonly<Record<string, ArrayLike<number>>>,
  options: LineChartOptions = {},
): Plot {
  const lines: readonly Series[] = Array.isArray(series)
    ? series
    : Object.entries(series).map(([name, y]) => ({ name, y: y as ArrayLike<number> }));
  const rows = lines.flatMap(rowsOf);
  for (const axis of ["x", "y"] as const) {
    const logarithmic = axis === "x" ? options.logX : options.logY;
    const wrong =
      logarithmic && rows.find((row) => (row[axis] as number | null) !== null && (row[axis] as number) <= 0);
    if (wrong) {
      throw new RangeError(
        `A logarithmic ${axis} axis takes values above 0; "${wrong.series}" has ${wrong[axis]}.`,
      );
    }
  }
  const points = options.points ?? lines.every(({ y }) => y.length <= 40);
  const scale = (logarithmic: boolean | undefined, zero: boolean): Record<string, unknown> =>
    logarithmic ? { type: "log" } : { zero, nice: true };
  const names = lines.map(({ name }) => visibleLabel(name));
  const encoding = {
    x: { field: "x", type: "quantitative", title: options.xTitle ?? null, scale: scale(options.logX, false) },
    color: {
      field: "series",
      type: "nominal",
      title: null,
      scale: { domain: names, range: names.map((_, i) => categoryColours[i % categoryColours.length]) },
      legend: names.length > 1 ? {} : null,
    },
  };
  const y = {
    type: "quantitative",
    title: options.yTitle ?? null,
    scale: scale(options.logY, options.zero ?? false),
  };
  const hasBand = rows.some((row) => "lower" in row);
  const body = {
    width: options.width ?? 480,
    height: options.height ?? 260,
    data: { values: rows },
    encoding,
    layer: [
      ...(hasBand
        ? [
            {
              mark: { type: "area", opacity: 0.2 },
              encoding: { y: { ...y, field: "lower" }, y2: { field: "upper" } },
            },
          ]
        : []),
      {
        mark: { type: "line", point: points, tooltip: true },
        encoding: {
          y: { ...y, field: "y" },
          tooltip: [
            { field: "series", type: "nominal", title: "line" },
            { field: "x", type: "quantitative", title: options.xTitle ?? "x" },
            { field: "y", type: "quantitative", title: options.yTitle ?? "y" },
          ],
        },
      },
    ],
  };
  return plotOf(body, options, lineText(lines));
}

function lineText(lines: readonly Series[]): string {
  const rows = lines.map(({ name, y }) => {
    const values = Array.from(y);
    const ends = values.length > 0 ? [numberText(values[0]!), numberText(values.at(-1)!)] : ["", ""];
    return [shortened(visibleLabel(name), 24), ...ends, sparkline(values)];
  });
  return alignedTable([["line", "first", "last", ""], ...rows]);
}
