import type { MimeBundle, WidgetHandle, WidgetHost } from "../host.js";
import { encodeTensor } from "../tensor.js";
import { identityOf } from "../version.js";
import { tableFallback } from "./fallback.js";
import { makeOverview } from "./overview.js";
import { type Point, tableAxes } from "./points.js";
import { orderOf, readWindow, type Scan, scanTable, type Table, type TableSource } from "./reader.js";
import { chooseScale } from "./scale.js";
import {
  type ActivationTableState,
  activationTableDefaults,
  type Order,
  type TableChoices,
  type TableView,
  type TileAnswer,
  tileSize,
} from "./state.js";

export type { Point } from "./points.js";
export type { Region, TableSource } from "./reader.js";
export type { ActivationTableState, Order } from "./state.js";

/** What an activation table shows first; the reader can change all of it but the title. */
export interface ActivationTableOptions {
  /** A line above the table. Default: none. */
  readonly title?: string;
  /** The point's name. Default: the source's first point. */
  readonly point?: string;
  /** The batch row. Default 0. */
  readonly batch?: number;
  /** Default 0. */
  readonly head?: number;
  /** The order of the rows. Default: their own. */
  readonly rowOrder?: Order | null;
  /** The order of the columns. Default: their own. */
  readonly columnOrder?: Order | null;
  /** Show only the first so many columns of their order, by magnitude where they have none. Default 0: all. */
  readonly topK?: number;
  /** Where the colours end: at the typical magnitude (99 %) if a few values are far larger, or at the largest. Default `typical`. */
  readonly colourRange?: "typical" | "full";
}

/** A live activation table. */
export interface ActivationTable {
  readonly handle: WidgetHandle<ActivationTableState>;
  /** Resolves when the table of the present choices has been made. */
  settled(): Promise<void>;
  /** What is shown where no widget runs. */
  fallback(): MimeBundle;
  /** Ends the widget and its work. */
  close(): void;
}

/** The part that travels with the state: enough for a screen, little enough for a notebook file. */
const windowRows = 128;
const windowCols = 256;
/** A scan of so many values takes seconds. */
const maximumSize = 2 ** 28;
const choiceNames: readonly (keyof TableChoices)[] = [
  "point",
  "batch",
  "head",
  "row_order",
  "col_order",
  "top_k",
  "colour_range",
];

/**
 * Opens an activation table: the values of a point of the model as a heat table that the reader can sort, zoom and
 * scroll. Orders and statistics are computed here over the whole table; the browser is sent only what it shows.
 *
 * @returns the table, when its first view is ready to be displayed
 */
export async function createActivationTable(
  host: WidgetHost,
  source: TableSource,
  options: ActivationTableOptions = {},
): Promise<ActivationTable> {
  const state: ActivationTableState = {
    ...activationTableDefaults,
    points: source.points.map(({ name, shape, axes, range }) => ({
      name,
      shape: [...shape],
      axes: [...axes],
      ...(range && { range }),
    })),
    batches: source.tokens.map((tokens) => shorten(tokens.join(""))),
    title: options.title ?? "",
    point: options.point ?? source.points[0]?.name ?? "",
    batch: options.batch ?? 0,
    head: options.head ?? 0,
    row_order: options.rowOrder ?? null,
    col_order: options.columnOrder ?? null,
    top_k: options.topK ?? 0,
    colour_range: options.colourRange ?? "typical",
  };
  const handle = host.create(identityOf("ActivationTable"), state, tableFallback);
  const kernelHalf = new KernelHalf(handle, source);
  await kernelHalf.settled();
  return {
    handle,
    settled: () => kernelHalf.settled(),
    fallback: () => tableFallback(currentState(handle)),
    close: () => kernelHalf.close(),
  };
}

function currentState(handle: WidgetHandle<ActivationTableState>): ActivationTableState {
  const names = Object.keys(activationTableDefaults) as (keyof ActivationTableState)[];
  return Object.fromEntries(names.map((name) => [name, handle.get(name)])) as unknown as ActivationTableState;
}

function shorten(text: string): string {
  const characters = [...text];
  return characters.length > 60 ? `${characters.slice(0, 59).join("")}…` : text;
}

/** A table with its orders: what tiles are cut from. */
interface ShownTable {
  readonly id: number;
  readonly table: Table;
  readonly rowOrder: Int32Array | null;
  readonly colOrder: Int32Array | null;
  readonly rows: number;
  readonly cols: number;
}

class KernelHalf {
  private work = new AbortController();
  private done: Promise<void> = Promise.resolve();
  private scheduled = false;
  private views = 0;
  private shown: ShownTable | null = null;
  /** The last scan, so that sorting does not go over the table again. */
  private scanned: { key: string; scan: Scan } | null = null;
  private readonly stops: (() => void)[];

  constructor(
    private readonly handle: WidgetHandle<ActivationTableState>,
    private readonly source: TableSource,
  ) {
    this.stops = [
      handle.observe(({ name }) => {
        if ((choiceNames as readonly string[]).includes(name)) this.schedule();
      }),
      handle.onMessage((content) => this.answer(content)),
    ];
    this.start();
  }

  async settled(): Promise<void> {
    await Promise.resolve();
    for (let last: Promise<void> | null = null; last !== this.done; ) await (last = this.done);
  }

  close(): void {
    for (const stop of this.stops) stop();
    this.work.abort();
    this.handle.close();
  }

  /** Several attributes may change in one message: they make one new table. */
  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      this.start();
    });
  }

  private start(): void {
    this.work.abort();
    this.work = new AbortController();
    this.done = this.refresh(this.work.signal);
  }

  private async refresh(signal: AbortSignal): Promise<void> {
    try {
      const { shown, view } = await this.makeView(signal);
      signal.throwIfAborted();
      this.shown = shown;
      const overview = this.handle.get("overview");
      const same = overview?.point === view.point && overview.batch === view.batch;
      this.handle.set({ view, error: "", ...(!same && overview && { overview: null }) });
      if (!same) await this.showHeads(shown.table, signal);
    } catch (error) {
      if (signal.aborted) return;
      this.shown = null;
      this.handle.set({ view: null, overview: null, error: messageOf(error) });
    }
  }

  private async showHeads(table: Table, signal: AbortSignal): Promise<void> {
    const made = await makeOverview(this.source, table, signal);
    if (!made) return;
    const { name } = table.point;
    this.handle.set({
      overview: { point: name, batch: table.batch, data: encodeTensor(made.data, made.shape) },
    });
  }

  private async makeView(signal: AbortSignal): Promise<{ shown: ShownTable; view: TableView }> {
    const { handle, source } = this;
    const table = this.chooseTable();
    const { point, axes, batch, head } = table;
    const key = JSON.stringify([point.name, batch, head]);
    if (this.scanned?.key !== key) this.scanned = { key, scan: await scanTable(source, table, signal) };
    const { scan } = this.scanned;
    const topK = clampIndex(handle.get("top_k"), axes.cols + 1);
    const rowSort = validOrder(handle.get("row_order"), axes.cols);
    const wantedColSort = validOrder(handle.get("col_order"), axes.rows);
    const colSort = wantedColSort ?? (topK > 0 ? ({ by: "magnitude", descending: true } as const) : null);
    const rowOrder = await orderOf(source, table, "rows", rowSort, scan);
    const fullColOrder = await orderOf(source, table, "cols", colSort, scan);
    const cols = topK > 0 ? topK : axes.cols;
    const colOrder = fullColOrder?.slice(0, cols) ?? null;
    const shown: ShownTable = { id: ++this.views, table, rowOrder, colOrder, rows: axes.rows, cols };
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
      row_names: this.names(table, axes.rowAxis, indices(rowOrder, [0, axes.rows])),
      col_names: this.names(table, axes.colAxis, indices(colOrder, window.cols)),
      summary: scan.summary,
      ...chooseScale(scan.summary, point.range, handle.get("colour_range")),
      window: { ...window, data: encodeTensor(values, [window.rows[1], window.cols[1]]) },
    };
    return { shown, view };
  }

  /** The table that the choices name; numbers beyond its ends are drawn in. */
  private chooseTable(): Table {
    const { handle, source } = this;
    if (source.points.length === 0)
      throw new Error(
        "There is nothing to show: the cache holds no points. Run the model with the points that you want.",
      );
    const name = handle.get("point");
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
      batch: clampIndex(handle.get("batch"), axes.batches),
      head: axes.heads > 0 ? clampIndex(handle.get("head"), axes.heads) : null,
    };
  }

  /** The names of indices along an axis, or `null` where it is only numbered. */
  private names(table: Table, axis: string, wanted: readonly number[]): string[] | null {
    const { source } = this;
    if (["pos", "query", "key"].includes(axis)) {
      const tokens = source.tokens[table.batch] ?? [];
      return wanted.map((index) => tokens[index] ?? "");
    }
    if (!source.label || wanted.length === 0) return null;
    const names = wanted.map((index) => source.label!(table.point.name, axis, index));
    return names.some((name) => name !== undefined) ? names.map((name) => name ?? "") : null;
  }

  /** Answers a request for tiles, unless the table has changed since: the browser will ask anew. */
  private async answer(content: unknown): Promise<void> {
    const request = content as { method?: unknown; view?: unknown; tiles?: unknown } | null;
    if (request?.method !== "tiles" || !Array.isArray(request.tiles)) return;
    const { shown } = this;
    if (!shown || request.view !== shown.id) return;
    try {
      const answered: TileAnswer["tiles"][number][] = [];
      const buffers: Float32Array[] = [];
      for (const at of request.tiles.slice(0, 1024)) {
        const rows = tileRange(at?.[0], shown.rows);
        const cols = tileRange(at?.[1], shown.cols);
        if (!rows || !cols) continue;
        buffers.push(await readWindow(this.source, shown.table, shown.rowOrder, shown.colOrder, rows, cols));
        if (this.shown !== shown) return;
        answered.push({
          at: [at[0], at[1]],
          shape: [rows[1] - rows[0], cols[1] - cols[0]],
          col_names: this.names(shown.table, shown.table.axes.colAxis, indices(shown.colOrder, cols)),
        });
      }
      this.handle.send({ method: "tiles", view: shown.id, tiles: answered } satisfies TileAnswer, buffers);
    } catch (error) {
      if (this.shown !== shown) return;
      const failed: TileAnswer = { method: "tiles", view: shown.id, tiles: [], error: messageOf(error) };
      this.handle.send(failed);
    }
  }
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
