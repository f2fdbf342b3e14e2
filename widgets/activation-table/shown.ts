import { encodeTensor } from "../tensor.js";
import { type Point, tableAxes } from "./points.js";
import { orderOf, readWindow, type Scan, type Table, type TableSource } from "./reader.js";
import { chooseScale } from "./scale.js";
import { type Order, type TableChoices, type TableView, type TileAnswer, tileSize } from "./state.js";

/** The part that travels with the state: enough for a screen, little enough for a notebook file. */
const windowRows = 128;
const windowCols = 256;
/** A scan of so many values takes seconds. */
const maximumSize = 2 ** 28;

/** A table with its orders: what tiles are cut from. */
export interface ShownTable {
  readonly id: number;
  readonly table: Table;
  readonly rowOrder: Int32Array | null;
  readonly colOrder: Int32Array | null;
  readonly rows: number;
  readonly cols: number;
}

/**
 * The table that the choices name; numbers beyond its ends are drawn in.
 *
 * @throws Error with a sentence for the reader when there is no such table
 */
export function chooseTable(source: TableSource, choices: TableChoices): Table {
  if (source.points.length === 0)
    throw new Error(
      "There is nothing to show: the cache holds no points. Run the model with the points that you want.",
    );
  const name = choices.point;
  const point: Point | undefined = source.points.find((candidate) => candidate.name === name);
  if (!point)
    throw new Error(`There is no point ${JSON.stringify(name)} in this cache. Choose one of the list.`);
  const axes = tableAxes(point);
  const shape = `[${point.shape.join(", ")}]`;
  if (axes.rows === 0 || axes.cols === 0 || axes.batches === 0)
    throw new Error(`${name} holds no values: its shape is ${shape}.`);
  if (axes.rows * axes.cols > maximumSize)
    throw new Error(
      `${name} is too large to show: one table of it has ${axes.rows} × ${axes.cols} values, and at most ${maximumSize} are gone over. Cache fewer positions.`,
    );
  return {
    point,
    axes,
    batch: clampIndex(choices.batch, axes.batches),
    head: axes.heads > 0 ? clampIndex(choices.head, axes.heads) : null,
  };
}

/** Makes the table that the browser is sent: orders and statistics of the whole, values of a window. */
export async function showTable(
  source: TableSource,
  table: Table,
  choices: TableChoices,
  scan: Scan,
  id: number,
): Promise<{ shown: ShownTable; view: TableView }> {
  const { point, axes, batch, head } = table;
  const topK = clampIndex(choices.top_k, axes.cols + 1);
  const rowSort = validOrder(choices.row_order, axes.cols);
  const wantedColSort = validOrder(choices.col_order, axes.rows);
  const colSort = wantedColSort ?? (topK > 0 ? ({ by: "magnitude", descending: true } as const) : null);
  const rowOrder = await orderOf(source, table, "rows", rowSort, scan);
  const fullColOrder = await orderOf(source, table, "cols", colSort, scan);
  const cols = topK > 0 ? topK : axes.cols;
  const colOrder = fullColOrder?.slice(0, cols) ?? null;
  const shown: ShownTable = { id, table, rowOrder, colOrder, rows: axes.rows, cols };
  const window = {
    rows: [0, Math.min(axes.rows, windowRows)],
    cols: [0, Math.min(cols, windowCols)],
  } as const;
  const values = await readWindow(source, table, rowOrder, colOrder, window.rows, window.cols);
  const view: TableView = {
    id: shown.id,
    point: point.name,
    batch,
    head,
    heads: axes.heads,
    row_axis: axes.rowAxis,
    col_axis: axes.colAxis,
    rows: axes.rows,
    cols,
    all_cols: axes.cols,
    row_sort: rowSort,
    col_sort: colSort,
    row_order: rowOrder && encodeTensor(rowOrder, [rowOrder.length]),
    col_order: colOrder && encodeTensor(colOrder, [colOrder.length]),
    row_names: names(source, table, axes.rowAxis, indices(rowOrder, [0, axes.rows])),
    col_names: names(source, table, axes.colAxis, indices(colOrder, window.cols)),
    summary: scan.summary,
    ...chooseScale(scan.summary, point.range, choices.colour_range),
    window: { ...window, data: encodeTensor(values, [window.rows[1], window.cols[1]]) },
  };
  return { shown, view };
}

/** The values and column names of some tiles; what is no tile of this table is left out. */
export async function cutTiles(
  source: TableSource,
  shown: ShownTable,
  wanted: readonly unknown[],
): Promise<{ tiles: TileAnswer["tiles"]; buffers: Float32Array[] }> {
  const { table, rowOrder, colOrder } = shown;
  const tiles: TileAnswer["tiles"][number][] = [];
  const buffers: Float32Array[] = [];
  for (const at of wanted) {
    const [i, j] = Array.isArray(at) ? at : [];
    const rows = tileRange(i, shown.rows);
    const cols = tileRange(j, shown.cols);
    if (!rows || !cols) continue;
    buffers.push(await readWindow(source, table, rowOrder, colOrder, rows, cols));
    tiles.push({
      at: [i, j],
      shape: [rows[1] - rows[0], cols[1] - cols[0]],
      col_names: names(source, table, table.axes.colAxis, indices(colOrder, cols)),
    });
  }
  return { tiles, buffers };
}

/** The names of indices along an axis, or `null` where it is only numbered. */
function names(source: TableSource, table: Table, axis: string, wanted: readonly number[]): string[] | null {
  if (["pos", "query", "key"].includes(axis)) {
    const tokens = source.tokens[table.batch] ?? [];
    return wanted.map((index) => tokens[index] ?? "");
  }
  if (!source.label || wanted.length === 0) return null;
  const found = wanted.map((index) => source.label!(table.point.name, axis, index));
  return found.some((name) => name !== undefined) ? found.map((name) => name ?? "") : null;
}

/** The shown rows (or columns) of a tile; `null` when there is no such tile. */
function tileRange(tile: unknown, length: number): [number, number] | null {
  if (!Number.isInteger(tile) || (tile as number) < 0 || (tile as number) * tileSize >= length) return null;
  const from = (tile as number) * tileSize;
  return [from, Math.min(length, from + tileSize)];
}

function indices(order: Int32Array | null, [from, to]: readonly [number, number]): number[] {
  return Array.from({ length: to - from }, (_, i) => (order ? order[from + i]! : from + i));
}

/** A number from the browser as an index below `length`. */
function clampIndex(value: unknown, length: number): number {
  const index = Math.trunc(Number(value));
  return Number.isFinite(index) ? Math.min(length - 1, Math.max(0, index)) : 0;
}

/** An order from the browser, if this table can follow it. */
function validOrder(order: Order | null, length: number): Order | null {
  if (!order || typeof order !== "object") return null;
  const { by } = order;
  if (by !== "magnitude" && !(Number.isInteger(by) && by >= 0 && by < length)) return null;
  return { by, descending: order.descending !== false };
}
