import { categoryColours } from "./colours.js";
import { axisLabels, indexedAxis, visibleLabel } from "./labels.js";
import { type ChartOptions, type Plot, plotOf } from "./plot.js";
import { alignedTable, middleOut, numberText, shortened } from "./text.js";

/** Options of `barChart`. */
export interface BarChartOptions extends ChartOptions {
  /** What each bar is called; numbers from 0 on by default. The same label may stand twice. */
  labels?: readonly (string | number)[];
  /** What the values are, with their unit. Default `"value"`. */
  valueTitle?: string;
  /** A group of each bar, shown by colour. */
  groups?: readonly string[];
  /** Half the length of an error bar on each value, such as 1.96 standard errors. */
  errors?: ArrayLike<number>;
  /** Whether bars lie, with the labels on the vertical axis; by default where a label is longer than 6 characters. */
  horizontal?: boolean;
}

/**
 * Values as bars from 0.
 *
 * @param values One value a bar. What is not finite has no bar; the text says what it is.
 * @throws RangeError where the numbers of labels, groups or errors differ from that of the values.
 * @example
 * ```ts
 * barChart([0.61, 0.2, 0.1], { labels: [" Mary", " John", " the"], valueTitle: "probability" });
 * ```
 */
export function barChart(values: ArrayLike<number>, options: BarChartOptions = {}): Plot {
  const labels = axisLabels(options.labels, values.length, "label");
  const { groups, errors, valueTitle = "value" } = options;
  for (const [what, list] of Object.entries({ groups, errors })) {
    if (list && list.length !== values.length) {
      throw new RangeError(`${values.length} values came with ${list.length} ${what}.`);
    }
  }
  const horizontal = options.horizontal ?? labels.some((label) => label.length > 6);
  const rows = Array.from(values, (value, index) => ({
    index,
    label: labels[index],
    value: Number.isFinite(value) ? value : null,
    shown: numberText(value),
    ...(groups ? { group: visibleLabel(groups[index]!) } : {}),
    ...(errors ? { lower: value - errors[index]!, upper: value + errors[index]! } : {}),
  }));
  const [labelAxis, valueAxis] = horizontal ? ["y", "x"] : ["x", "y"];
  const titles: Record<string, string | undefined> = { x: options.xTitle, y: options.yTitle };
  const names = [...new Set(groups?.map(visibleLabel))];
  const color = groups
    ? {
        field: "group",
        type: "nominal",
        title: null,
        scale: { domain: names, range: names.map((_, i) => categoryColours[i % categoryColours.length]) },
      }
    : { value: categoryColours[0] };
  const valueEncoding = { type: "quantitative", title: titles[valueAxis!] ?? valueTitle };
  const axis = { ...indexedAxis(labels, titles[labelAxis!]), ...(horizontal ? {} : { labelAngle: 0 }) };
  const body = {
    width: options.width ?? (horizontal ? 360 : { step: 44 }),
    height: options.height ?? (horizontal ? { step: 20 } : 240),
    data: { values: rows },
    encoding: { [labelAxis!]: { field: "index", type: "ordinal", axis } },
    layer: [
      {
        mark: "bar",
        encoding: {
          [valueAxis!]: { ...valueEncoding, field: "value" },
          color,
          tooltip: [
            { field: "label", type: "nominal", title: titles[labelAxis!] ?? "label" },
            { field: "shown", type: "nominal", title: valueTitle },
            ...(groups ? [{ field: "group", type: "nominal", title: "group" }] : []),
          ],
        },
      },
      ...(errors
        ? [
            {
              mark: { type: "rule", color: "#777777", strokeWidth: 2 },
              encoding: {
                [valueAxis!]: { ...valueEncoding, field: "lower" },
                [`${valueAxis}2`]: { field: "upper" },
              },
            },
          ]
        : []),
    ],
  };
  return plotOf(body, options, barText(labels, Array.from(values)));
}

function barText(labels: readonly string[], values: readonly number[]): string {
  const largest =
    values.filter(Number.isFinite).reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  const rows = labels.map((label, i) => {
    const length = Number.isFinite(values[i]) ? Math.round((Math.abs(values[i]!) / largest) * 30) : 0;
    return { cells: [shortened(label, 24), numberText(values[i]!)], bar: "█".repeat(length) };
  });
  if (rows.length === 0) return "no bars";
  const shown = middleOut(rows, 40, { cells: ["…", ""], bar: "" });
  const table = alignedTable(shown.map(({ cells }) => cells)).split("\n");
  const width = Math.max(0, ...table.map((line) => Array.from(line).length));
  return table.map((line, i) => `${line.padEnd(width)}  ${shown[i]!.bar}`.trimEnd()).join("\n");
}
