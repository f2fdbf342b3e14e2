import { element, onFrame } from "../browser/dom.js";
import type { PageColours } from "../browser/page-colours.js";
import { decodeTensor } from "../tensor.js";
import { exactFloat32 } from "../text.js";
import { describeIndex, type Layout, layOut, nameOf } from "./layout.js";
import { type Cell, type Picture, paint, visible } from "./paint.js";
import { type Order, tileSize } from "./state.js";
import type { TileStore } from "./tiles.js";

/** What the grid tells its surroundings. */
export interface GridEvents {
  /** The reader looks at a cell, by pointer or keyboard, or at none. */
  look(cell: Cell | null, at: { x: number; y: number } | null): void;
  /** A name was clicked: sort by that row or column of the point. */
  sort(axis: "rows" | "cols", by: number): void;
  /** Tiles that were not here have been asked for, or all are here. */
  complete(complete: boolean): void;
}

/** The scrolled, frozen-headed canvas with the table, and its face for screen readers. */
export class Grid {
  readonly node = element("div", {
    class: "tslens-grid",
    attributes: { role: "grid", tabindex: 0, "aria-readonly": "true" },
  });
  focus: Cell | null = null;
  private readonly canvas = element("canvas", { attributes: { "aria-hidden": "true" } });
  private readonly sizer = element("div");
  private readonly spoken = element("div", { attributes: { role: "gridcell", id: `tslens-cell-${++made}` } });
  private readonly frame = onFrame(() => this.draw());
  private store: TileStore | null = null;
  private rowOrder: ArrayLike<number> | null = null;
  private colOrder: ArrayLike<number> | null = null;
  private layout: Layout | null = null;
  private hover: Cell | null = null;
  private zoom = 1;
  /** Whether the last frame found it out of the page. */
  private away = false;

  constructor(
    private readonly colours: () => PageColours,
    private readonly events: GridEvents,
  ) {
    const row = element("div", { class: "tslens-hidden", attributes: { role: "row" } }, this.spoken);
    this.sizer.append(this.canvas);
    this.node.append(this.sizer, row);
    this.node.addEventListener("scroll", () => {
      this.lookAt(null, null);
      this.redraw();
    });
    this.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.canvas.addEventListener("pointerleave", () => this.lookAt(null, null));
    this.canvas.addEventListener("click", (event) => this.click(event));
    this.node.addEventListener("focus", () => {
      if (!this.focus && this.node.matches(":focus-visible")) this.moveTo({ row: 0, col: 0 });
      else this.redraw();
    });
    this.node.addEventListener("blur", () => this.redraw());
  }

  /** Shows a table. A new order of the same table keeps the reader at the same cell of it. */
  show(store: TileStore): void {
    const before = this.store?.view;
    const { view } = store;
    const sameAxes = before?.row_axis === view.row_axis && before.col_axis === view.col_axis;
    const kept =
      this.focus && sameAxes ? { row: this.rowOf(this.focus.row), col: this.colOf(this.focus.col) } : null;
    this.store = store;
    this.rowOrder = view.row_order && decodeTensor(view.row_order).data;
    this.colOrder = view.col_order && decodeTensor(view.col_order).data;
    this.hover = null;
    const resorted = (a: Order | null | undefined, b: Order | null): boolean =>
      JSON.stringify(a ?? null) !== JSON.stringify(b);
    const colsMoved = !sameAxes || resorted(before?.col_sort, view.col_sort);
    const rowsMoved = !sameAxes || resorted(before?.row_sort, view.row_sort);
    // Whoever sorts wants to see what comes first.
    const row = kept && !rowsMoved ? shownAt(this.rowOrder, kept.row) : 0;
    const col = kept && !colsMoved ? shownAt(this.colOrder, kept.col) : 0;
    this.focus = kept && row >= 0 && row < view.rows && col >= 0 && col < view.cols ? { row, col } : null;
    this.node.scrollTo(colsMoved ? 0 : this.node.scrollLeft, rowsMoved ? 0 : this.node.scrollTop);
    this.node.setAttribute("aria-rowcount", String(view.rows));
    this.node.setAttribute("aria-colcount", String(view.cols));
    this.resize();
    this.speak();
  }

  setZoom(zoom: number): void {
    this.zoom = zoom;
    this.resize();
  }

  /** Lays out anew in the width there is. */
  resize(): void {
    const available = this.node.parentElement?.clientWidth ?? 0;
    if (!this.store || available === 0) return;
    const context = this.canvas.getContext("2d")!;
    context.font = `11px ${this.colours().font}`;
    this.layout = layOut(
      this.store.view,
      available - 2,
      this.zoom,
      (row) => this.rowName(row),
      (col) => this.colName(col),
      (text) => context.measureText(text).width,
    );
    const { layout } = this;
    const { view } = this.store;
    this.node.style.height = `${layout.height + 2}px`;
    this.node.style.width = `${layout.width + 2}px`;
    this.sizer.style.width = `${layout.headerWidth + view.cols * layout.cellWidth}px`;
    this.sizer.style.height = `${layout.headerHeight + view.rows * layout.cellHeight}px`;
    this.redraw();
  }

  redraw(): void {
    this.frame.request();
  }

  stop(): void {
    this.frame.cancel();
  }

  /** The index in the point of a shown row. */
  rowOf(row: number): number {
    return this.rowOrder ? this.rowOrder[row]! : row;
  }

  colOf(col: number): number {
    return this.colOrder ? this.colOrder[col]! : col;
  }

  /** What a cell is and holds, as text: the value, its row, its column. */
  describe({ row, col }: Cell): { value: string; row: string; col: string; number: number | undefined } {
    const { view } = this.store!;
    const number = this.store!.value(row, col);
    return {
      number,
      value:
        number === undefined ? "not loaded" : number === -Infinity ? "−∞ (masked)" : exactFloat32(number),
      row: describeIndex(
        view.row_axis === view.col_axis ? "row" : view.row_axis,
        this.rowOf(row),
        view.row_names?.[row],
      ),
      col: describeIndex(view.col_axis, this.colOf(col), this.store!.colName(col)),
    };
  }

  /** Moves the keyboard's cell by so many rows and columns. */
  moveBy(rows: number, cols: number): void {
    const { row, col } = this.focus ?? { row: 0, col: 0 };
    if (this.store)
      this.moveTo({
        row: clamp(row + rows, this.store.view.rows),
        col: clamp(col + cols, this.store.view.cols),
      });
  }

  moveTo(cell: Cell): void {
    if (!this.store || !this.layout) return;
    this.focus = cell;
    const { cellWidth, cellHeight, headerWidth, headerHeight } = this.layout;
    const { clientWidth, clientHeight, scrollLeft, scrollTop } = this.node;
    const into = (scroll: number, from: number, size: number, room: number): number =>
      Math.max(Math.min(scroll, from), from + size - room);
    this.node.scrollTo(
      into(scrollLeft, cell.col * cellWidth, cellWidth, clientWidth - headerWidth),
      into(scrollTop, cell.row * cellHeight, cellHeight, clientHeight - headerHeight),
    );
    this.speak();
    this.lookAt(null, null);
    this.redraw();
  }

  /** Tells screen readers which cell has the focus. */
  speak(): void {
    const { focus, spoken } = this;
    if (!focus || !this.store) {
      this.node.removeAttribute("aria-activedescendant");
      spoken.textContent = "";
      return;
    }
    const { value, row, col } = this.describe(focus);
    spoken.textContent = `${row}, ${col}: ${value}`;
    spoken.parentElement!.setAttribute("aria-rowindex", String(focus.row + 1));
    spoken.setAttribute("aria-colindex", String(focus.col + 1));
    this.node.setAttribute("aria-activedescendant", spoken.id);
  }

  private rowName(row: number): string {
    const { view } = this.store!;
    return nameOf(view.row_axis, this.rowOf(row), view.row_names?.[row]);
  }

  private colName(col: number): string {
    return nameOf(this.store!.view.col_axis, this.colOf(col), this.store!.colName(col));
  }

  private draw(): void {
    const { store, layout, node, canvas } = this;
    if (!store || !layout) return;
    const { clientWidth, clientHeight } = node;
    // Notebooks take outputs out of the page and put them back. Put back in the same frame, no observer tells: so look
    // once more. Put back later, the new size is told.
    const away = clientWidth === 0 || clientHeight === 0;
    if (away && !this.away) this.redraw();
    this.away = away;
    if (away) return;
    const ratio = devicePixelRatio || 1;
    const [pixelsWide, pixelsHigh] = [Math.round(clientWidth * ratio), Math.round(clientHeight * ratio)];
    if (canvas.width !== pixelsWide || canvas.height !== pixelsHigh) {
      canvas.width = pixelsWide;
      canvas.height = pixelsHigh;
      canvas.style.width = `${clientWidth}px`;
      canvas.style.height = `${clientHeight}px`;
    }
    const { view } = store;
    const sortedRow = typeof view.col_sort?.by === "number" ? shownAt(this.rowOrder, view.col_sort.by) : null;
    const sortedCol = typeof view.row_sort?.by === "number" ? shownAt(this.colOrder, view.row_sort.by) : null;
    const picture: Picture = {
      store,
      layout,
      colours: this.colours(),
      width: clientWidth,
      height: clientHeight,
      scrollLeft: node.scrollLeft,
      scrollTop: node.scrollTop,
      focus: document.activeElement === node ? this.focus : null,
      hover: this.hover,
      sortedRow,
      sortedCol: sortedCol === -1 ? null : sortedCol,
      descending: { row: view.col_sort?.descending ?? true, col: view.row_sort?.descending ?? true },
      rowName: (row) => this.rowName(row),
      colName: (col) => this.colName(col),
    };
    const context = canvas.getContext("2d")!;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint(context, picture);
    const { rows, cols } = visible(picture);
    const tiles = ([from, to]: readonly [number, number]): [number, number] => [
      Math.floor(from / tileSize),
      Math.ceil(to / tileSize),
    ];
    this.events.complete(store.ensure(tiles(rows), tiles(cols)));
  }

  private lookAt(cell: Cell | null, at: { x: number; y: number } | null): void {
    if (this.hover?.row !== cell?.row || this.hover?.col !== cell?.col) this.redraw();
    this.hover = cell;
    this.events.look(cell, at);
  }

  /** What stands under the pointer: a cell, a name, or nothing. */
  private hit(event: MouseEvent): { row: number | null; col: number | null } {
    if (!this.store || !this.layout) return { row: null, col: null };
    const { cellWidth, cellHeight, headerWidth, headerHeight } = this.layout;
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const row = Math.floor((y - headerHeight + this.node.scrollTop) / cellHeight);
    const col = Math.floor((x - headerWidth + this.node.scrollLeft) / cellWidth);
    return {
      row: y >= headerHeight && row < this.store.view.rows ? row : null,
      col: x >= headerWidth && col < this.store.view.cols ? col : null,
    };
  }

  private point(event: PointerEvent): void {
    const { row, col } = this.hit(event);
    this.canvas.style.cursor =
      row !== null && col !== null ? "crosshair" : row !== null || col !== null ? "pointer" : "";
    if (row === null || col === null) this.lookAt(null, null);
    else this.lookAt({ row, col }, { x: event.clientX, y: event.clientY });
  }

  private click(event: MouseEvent): void {
    const { row, col } = this.hit(event);
    if (row !== null && col !== null) this.moveTo({ row, col });
    else if (row !== null) this.events.sort("cols", this.rowOf(row));
    else if (col !== null) this.events.sort("rows", this.colOf(col));
  }
}

let made = 0;

function clamp(index: number, length: number): number {
  return Math.min(length - 1, Math.max(0, index));
}

/** Where an index of the point is shown; -1 when it is not. */
function shownAt(order: ArrayLike<number> | null, index: number): number {
  return order ? Array.prototype.indexOf.call(order, index) : index;
}
