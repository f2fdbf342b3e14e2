import type { EdgeColumns, NodePlace } from "./graph.js";

/** Where everything is drawn, in CSS pixels: the input on the left, the logits on the right, a column for each layer. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  /** The centres of the nodes. */
  readonly x: Float32Array;
  readonly y: Float32Array;
  /** Half the width of a head. */
  readonly radius: number;
  /** Half the height of the bars that stand for input and logits. */
  readonly barHeight: number;
  /** The columns' names and centres. */
  readonly columns: readonly { readonly label: string; readonly x: number }[];
}

/** The height that columns may take before their nodes shrink. */
const tallest = 560;
const rowHeight = { least: 13, most: 38 } as const;
/** Space above the nodes for the names of the columns, and below them. */
const margin = { top: 26, bottom: 12, side: 10 } as const;

/** Places the nodes of a graph: heads from above, the MLP below them and a little further on, since it comes after them. */
export function layoutOf(
  { places, layers, heads }: { places: readonly NodePlace[]; layers: number; heads: number },
  width: number,
): Layout {
  const hasMlp = places.some(({ kind }) => kind === "mlp");
  const rows = Math.max(1, heads) + (hasMlp ? 1.3 : 0);
  const row = Math.max(rowHeight.least, Math.min(rowHeight.most, tallest / rows));
  const column = (width - 2 * margin.side) / (layers + 2);
  const radius = Math.max(3, Math.min(row * 0.38, column * 0.24, 14));
  const height = margin.top + Math.max(rows * row, 120) + margin.bottom;
  const middle = margin.top + (height - margin.top - margin.bottom) / 2;
  const centre = (layer: number): number => margin.side + (layer + 1.5) * column;
  const inputs = places.filter(({ kind }) => kind === "input").length;
  const barHeight = Math.min(rows * row * 0.36, 120) / Math.max(1, inputs);
  const x = new Float32Array(places.length);
  const y = new Float32Array(places.length);
  let input = 0;
  places.forEach(({ kind, layer, head }, i) => {
    x[i] = centre(layer);
    y[i] = middle;
    if (kind === "head") {
      x[i]! -= hasMlp ? column * 0.12 : 0;
      y[i] = margin.top + (head + 0.5) * row;
    } else if (kind === "mlp") {
      x[i]! += column * 0.24;
      y[i] = margin.top + (rows - 0.5) * row;
    } else if (kind === "input") y[i] = middle + (2 * input++ - inputs + 1) * (barHeight + 8);
  });
  const columns = Array.from({ length: layers }, (_, layer) => ({
    label: column > 54 ? `layer ${layer}` : String(layer),
    x: centre(layer),
  }));
  return { width, height, x, y, radius, barHeight, columns };
}

/** A cubic curve: start, two control points, end. */
export type Curve = readonly [
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  x3: number,
  y3: number,
];

/** The shift of the queries', keys' and values' ends at a head, in radii: queries above, values below. */
const inputShift = [0, -0.6, 0, 0.6] as const;

/** The curve of an edge. Queries, keys and values end at different heights, so that they are told apart without colour. */
export function curveOf(
  { x, y, radius, barHeight }: Layout,
  places: readonly NodePlace[],
  { from, to, input }: EdgeColumns,
  edge: number,
): Curve {
  const [start, end] = [from[edge]!, to[edge]!];
  const along = (node: number, other: number): number => {
    const { kind } = places[node]!;
    if (kind !== "input" && kind !== "logits") return y[node]!;
    const shift = (y[other]! - y[node]!) * 0.45;
    return y[node]! + Math.max(-barHeight + 4, Math.min(barHeight - 4, shift));
  };
  const x0 = x[start]! + radius;
  const x3 = x[end]! - radius;
  const y0 = along(start, end);
  const y3 = along(end, start) + inputShift[input[edge]!]! * radius;
  const bend = Math.max(14, Math.abs(x3 - x0) * 0.42);
  return [x0, y0, x0 + bend, y0, x3 - bend, y3, x3, y3];
}

/** The point of a curve at a part of its way, 0 to 1. */
export function pointOf(curve: Curve, t: number): [x: number, y: number] {
  const s = 1 - t;
  const weights = [s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t] as const;
  let [px, py] = [0, 0];
  weights.forEach((weight, i) => {
    px += weight * curve[2 * i]!;
    py += weight * curve[2 * i + 1]!;
  });
  return [px, py];
}
