import { categoryColours, missingValue, sequentialScheme } from "./colours.js";
import { visibleLabel } from "./labels.js";
import { type ChartOptions, type Plot, plotOf } from "./plot.js";
import { alignedTable, middleOut, numberText, shortened } from "./text.js";

/** Options of `scatter`. */
export interface ScatterOptions extends ChartOptions {
  /** What each point is called, shown in its tooltip. */
  labels?: readonly (string | number)[];
  /** A group of each point, shown by colour. */
  groups?: readonly string[];
  /** A value of each point, shown by colour; not together with `groups`. */
  colours?: ArrayLike<number>;
  /** What `colours` are. Default `"value"`. */
  colourTitle?: string;
  /** Whether labels also stand beside the points. Default false. */
  showLabels?: boolean;
}

/**
 * Points in a plane. Points with a coordinate that is not finite are left out, and the text says how many.
 *
 * @param x Horizontal coordinates.
 * @param y Vertical coordinates, as many.
 * @throws RangeError where the numbers of coordinates, labels, groups or colours differ.
 * @example
 * ```ts
 * scatter([0, 1, 2], [0.1, 0.9, 4.2], { labels: ["a", "b", "c"], xTitle: "PC 1", yTitle: "PC 2" });
 * ```
 */
export function scatter(x: ArrayLike<number>, y: ArrayLike<number>, options: ScatterOptions = {}): Plot {
  const { labels, groups, colours, colourTitle = "value" } = options;
  for (const [what, list] of Object.entries({ "values of y": y, labels, groups, colours })) {
    if (list && list.length !== x.length)
      throw new RangeError(`${x.length} values of x came with ${list.length} ${what}.`);
  }
  if (groups && colours) throw new TypeError("Points are coloured by groups or by colours, not by both.");
  const points = Array.from(x, (value, i) => ({
    x: value,
    y: y[i]!,
    ...(labels ? { label: visibleLabel(labels[i]!) } : {}),
    ...(groups ? { group: visibleLabel(groups[i]!) } : {}),
    ...(colours ? { colour: Number.isFinite(colours[i]) ? colours[i]! : null } : {}),
  }));
  const drawn = points.filter((point) => Number.isFinite(point.x) && Number.isFinite(point.y));
  const names = [...new Set(groups?.map(visibleLabel))];
  const position = (field: string, title: string | undefined): Record<string, unknown> => ({
    field,
    type: "quantitative",
    title: title ?? null,
    scale: { zero: false, nice: true },
  });
  const body = {
    width: options.width ?? 400,
    height: options.height ?? 320,
    data: { values: drawn },
    encoding: { x: position("x", options.xTitle), y: position("y", options.yTitle) },
    layer: [
      {
        mark: { type: "point", filled: true, size: 45, opacity: 0.8, invalid: null },
        encoding: {
          color: colourEncoding(names, colours !== undefined, colourTitle),
          tooltip: [
            ...(labels ? [{ field: "label", type: "nominal", title: "label" }] : []),
            ...(groups ? [{ field: "group", type: "nominal", title: "group" }] : []),
            { field: "x", type: "quantitative", title: options.xTitle ?? "x" },
            { field: "y", type: "quantitative", title: options.yTitle ?? "y" },
            ...(colours ? [{ field: "colour", type: "quantitative", title: colourTitle }] : []),
          ],
        },
      },
      ...(labels && options.showLabels
        ? [
            {
              mark: { type: "text", dy: -9, fontSize: 10, color: "#777777" },
              encoding: { text: { field: "label", type: "nominal" } },
            },
          ]
        : []),
    ],
  };
  const rows = points.map((point, i) => [
    shortened(point.label ?? String(i), 24),
    numberText(point.x),
    numberText(point.y),
    ...(groups ? [shortened(point.group!)] : []),
    ...(colours ? [numberText(colours[i]!)] : []),
  ]);
  const head = [
    "",
    options.xTitle ?? "x",
    options.yTitle ?? "y",
    ...(groups ? ["group"] : []),
    ...(colours ? [colourTitle] : []),
  ];
  const left = points.length - drawn.length;
  const note = left > 0 ? `\n${left} not drawn: a coordinate is not finite` : "";
  return plotOf(
    body,
    options,
    alignedTable([
      head,
      ...middleOut(
        rows,
        30,
        head.map((_, i) => (i === 0 ? "…" : "")),
      ),
    ]) + note,
  );
}

function colourEncoding(names: readonly string[], byValue: boolean, title: string): Record<string, unknown> {
  if (byValue)
    return {
      condition: missingValue("colour"),
      field: "colour",
      type: "quantitative",
      title,
      scale: { scheme: sequentialScheme },
    };
  if (names.length === 0) return { value: categoryColours[0] };
  const range = names.map((_, i) => categoryColours[i % categoryColours.length]);
  return { field: "group", type: "nominal", title: null, scale: { domain: names, range } };
}
