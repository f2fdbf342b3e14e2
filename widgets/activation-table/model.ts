import type { MimeBundle, WidgetHandle, WidgetHost } from "../host.js";
import { readAttributes, readState } from "../read-state.js";
import { encodeTensor } from "../tensor.js";
import { identityOf } from "../version.js";
import { tableFallback } from "./fallback.js";
import { makeOverview } from "./overview.js";
import { type Scan, scanTable, type Table, type TableSource } from "./reader.js";
import { chooseTable, cutTiles, type ShownTable, showTable } from "./shown.js";
import {
  type ActivationTableState,
  activationTableDefaults,
  choiceNames,
  type Order,
  type TableChoices,
  type TileAnswer,
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

/**
 * Opens an activation table: the values of a point of the model as a heat table that the reader can sort, zoom and
 * scroll. Orders and statistics are computed here over the whole table; the browser is sent only what it shows.
 *
 * @returns the table, when its first view is ready to be displayed
 * @example
 * const source = {
 *   tokens: [["<|bos|>", " Mary", " gave"]],
 *   points: [{ name: "blocks.0.hook_resid_pre", shape: [1, 3, 64], axes: ["batch", "pos", "unit"] }],
 *   slice: (name, { rows: [top, bottom], cols: [left, right] }) => new Float32Array((bottom - top) * (right - left)),
 * };
 * const table = await createActivationTable(host, source, { topK: 16 });
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
    fallback: () => tableFallback(readState(handle, activationTableDefaults)),
    close: () => kernelHalf.close(),
  };
}

function shorten(text: string): string {
  const characters = [...text];
  return characters.length > 60 ? `${characters.slice(0, 59).join("")}…` : text;
}

/** More tiles than this in one request are not answered: they are far more than a screen. */
const maximumTiles = 1024;

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
      const { handle, source } = this;
      const choices: TableChoices = readAttributes(handle, choiceNames);
      const table = chooseTable(source, choices);
      const key = JSON.stringify([table.point.name, table.batch, table.head]);
      if (this.scanned?.key !== key) this.scanned = { key, scan: await scanTable(source, table, signal) };
      const { shown, view } = await showTable(source, table, choices, this.scanned.scan, ++this.views);
      signal.throwIfAborted();
      this.shown = shown;
      const overview = handle.get("overview");
      const same = overview?.point === view.point && overview.batch === view.batch;
      handle.set({ view, error: "", ...(!same && overview && { overview: null }) });
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

  /** Answers a request for tiles, unless the table has changed since: the browser will ask anew. */
  private async answer(content: unknown): Promise<void> {
    const request = content as { method?: unknown; view?: unknown; tiles?: unknown } | null;
    if (request?.method !== "tiles" || !Array.isArray(request.tiles)) return;
    const { shown } = this;
    if (!shown || request.view !== shown.id) return;
    try {
      const { tiles, buffers } = await cutTiles(this.source, shown, request.tiles.slice(0, maximumTiles));
      if (this.shown !== shown) return;
      this.handle.send({ method: "tiles", view: shown.id, tiles } satisfies TileAnswer, buffers);
    } catch (error) {
      if (this.shown !== shown) return;
      const failed: TileAnswer = { method: "tiles", view: shown.id, tiles: [], error: messageOf(error) };
      this.handle.send(failed);
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
