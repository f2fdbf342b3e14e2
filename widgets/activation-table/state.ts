import type { ColourScale } from "../colour.js";
import type { WireTensor } from "../tensor.js";
import type { Point } from "./points.js";

/** An order of rows or columns: by their values at one index of the other axis, or by their largest magnitude. */
export interface Order {
  readonly by: number | "magnitude";
  readonly descending: boolean;
}

/** What the numbers of a whole table are like. Finite values only, but for the counts. */
export interface Summary {
  /** `null` where there is no finite value. */
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  /** The magnitude that about 99 % of the values do not exceed. */
  readonly typical: number;
  /** Values of −∞: attention scores that the mask removes. */
  readonly masked: number;
  readonly nan: number;
  readonly infinite: number;
}

/** A rectangle of the table as it is shown: `[from, to)` in shown rows and columns. */
export interface Window {
  readonly rows: readonly [number, number];
  readonly cols: readonly [number, number];
  /** float32 `[rows, cols]`. */
  readonly data: WireTensor;
}

/** The table that the present choices give, made by the kernel. */
export interface TableView {
  /** Grows with each new table; messages about another one are stale. */
  readonly id: number;
  readonly point: string;
  readonly batch: number;
  readonly head: number | null;
  readonly heads: number;
  readonly row_axis: string;
  readonly col_axis: string;
  /** Rows and columns shown. */
  readonly rows: number;
  readonly cols: number;
  /** Columns there are; more than `cols` when only the top k are shown. */
  readonly all_cols: number;
  /** The orders in force: a choice that this table cannot follow is not. */
  readonly row_sort: Order | null;
  readonly col_sort: Order | null;
  /** The row of the point that each shown row is, int32; `null` for their own order. */
  readonly row_order: WireTensor | null;
  readonly col_order: WireTensor | null;
  /** Names of all rows, or `null` where they are only numbered. */
  readonly row_names: readonly string[] | null;
  /** Names of the columns of `window`, or `null` where they are only numbered. */
  readonly col_names: readonly string[] | null;
  readonly summary: Summary;
  readonly scale: ColourScale;
  /** The shown values that lie beyond the ends of the scale. */
  readonly beyond: boolean;
  /** The upper left part, so that a saved notebook shows the table without a kernel. */
  readonly window: Window;
}

/** Small pictures of all heads of a point. */
export interface HeadOverview {
  readonly point: string;
  readonly batch: number;
  /** float32 `[heads, rows, cols]`: of each block of cells the value of largest magnitude, NaN where all are masked. */
  readonly data: WireTensor;
}

/** What the reader chose. The browser sets these, the kernel answers with a new `view`. */
export interface TableChoices {
  point: string;
  batch: number;
  head: number;
  row_order: Order | null;
  col_order: Order | null;
  /** Show only the first so many columns of their order (by magnitude if they have none); 0 shows all. */
  top_k: number;
  /** `typical` ends the colours at the magnitude that 99 % of the values do not exceed, if a few are far larger. */
  colour_range: "typical" | "full";
}

/** The names of the choices. */
export const choiceNames: readonly (keyof TableChoices)[] = [
  "point",
  "batch",
  "head",
  "row_order",
  "col_order",
  "top_k",
  "colour_range",
];

/** The synchronised state of an activation table. */
export interface ActivationTableState extends TableChoices {
  points: readonly Point[];
  /** The text of each batch row, shortened. */
  batches: readonly string[];
  title: string;
  view: TableView | null;
  /** Follows a view with heads; `null` until it has been made, and where there are no heads. */
  overview: HeadOverview | null;
  /** A sentence for the reader when there is no table to show. */
  error: string;
}

/** Tiles are squares of so many cells. */
export const tileSize = 64;

/** Browser → kernel: values of tiles (row of tiles, column of tiles) of the table `view`. */
export interface TileRequest {
  readonly method: "tiles";
  readonly view: number;
  readonly tiles: readonly (readonly [number, number])[];
}

/** Kernel → browser: the tiles, float32 in the buffers in the same order. */
export interface TileAnswer {
  readonly method: "tiles";
  readonly view: number;
  readonly tiles: readonly {
    readonly at: readonly [number, number];
    readonly shape: readonly [number, number];
    readonly col_names: readonly string[] | null;
  }[];
  /** A sentence when the values could not be read. */
  readonly error?: string;
}

/** The state of a table before anything is known. */
export const activationTableDefaults: ActivationTableState = {
  points: [],
  batches: [],
  title: "",
  point: "",
  batch: 0,
  head: 0,
  row_order: null,
  col_order: null,
  top_k: 0,
  colour_range: "typical",
  view: null,
  overview: null,
  error: "",
};
