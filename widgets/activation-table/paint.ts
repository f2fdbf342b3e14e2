import type { PageColours } from "../browser/page-colours.js";
import { colourAt, inkOn, position } from "../colour.js";
import { shortNumber } from "../text.js";
import type { Layout } from "./layout.js";
import { tileSize } from "./state.js";
import type { Tile, TileStore } from "./tiles.js";

/** A cell as it is shown. */
export interface Cell {
  readonly row: number;
  readonly col: number;
}

/** All that a picture of the table depends on. */
export interface Picture {
  readonly store: TileStore;
  readonly layout: Layout;
  readonly colours: PageColours;
  /** The size of the picture, in CSS pixels. */
  readonly width: number;
  readonly height: number;
  readonly scrollLeft: number;
  readonly scrollTop: number;
  readonly focus: Cell | null;
  readonly hover: Cell | null;
  /** Shown row and column that the table is sorted by. */
  readonly sortedRow: number | null;
  readonly sortedCol: number | null;
  readonly descending: { readonly row: boolean; readonly col: boolean };
  rowName(row: number): string;
  colName(col: number): string;
}

/** The shown rows and columns that are at least partly visible: `[from, to)`. */
export function visible({ store, layout, width, height, scrollLeft, scrollTop }: Picture) {
  const range = (scroll: number, size: number, cell: number, count: number): [number, number] => [
    Math.max(0, Math.floor(scroll / cell)),
    Math.min(count, Math.ceil((scroll + Math.max(0, size)) / cell)),
  ];
  return {
    rows: range(scrollTop, height - layout.headerHeight, layout.cellHeight, store.view.rows),
    cols: range(scrollLeft, width - layout.headerWidth, layout.cellWidth, store.view.cols),
  };
}

/** Draws what is visible of the table. */
export function paint(context: CanvasRenderingContext2D, picture: Picture): void {
  const { layout, colours, width, height } = picture;
  const { headerWidth, headerHeight } = layout;
  context.fillStyle = colours.page;
  context.fillRect(0, 0, width, height);
  clipped(context, headerWidth, headerHeight, width, height, () => {
    paintTiles(context, picture);
    paintNumbers(context, picture);
    paintCrosshair(context, picture);
  });
  clipped(context, 0, headerHeight, headerWidth, height, () => paintRowNames(context, picture));
  clipped(context, headerWidth, 0, width, headerHeight, () => paintColNames(context, picture));
  paintCorner(context, picture);
}

function clipped(
  context: CanvasRenderingContext2D,
  left: number,
  top: number,
  right: number,
  bottom: number,
  draw: () => void,
): void {
  context.save();
  context.beginPath();
  context.rect(left, top, right - left, bottom - top);
  context.clip();
  draw();
  context.restore();
}

const left = ({ layout, scrollLeft }: Picture, col: number): number =>
  layout.headerWidth + col * layout.cellWidth - scrollLeft;
const top = ({ layout, scrollTop }: Picture, row: number): number =>
  layout.headerHeight + row * layout.cellHeight - scrollTop;

function paintTiles(context: CanvasRenderingContext2D, picture: Picture): void {
  const { store, layout, colours } = picture;
  const { rows, cols } = visible(picture);
  const hatch = context.createPattern(hatchTile(colours), "repeat")!;
  context.imageSmoothingEnabled = false;
  for (let i = Math.floor(rows[0] / tileSize); i * tileSize < rows[1]; i++)
    for (let j = Math.floor(cols[0] / tileSize); j * tileSize < cols[1]; j++) {
      const tile = store.tile(i, j);
      const [x, y] = [left(picture, j * tileSize), top(picture, i * tileSize)];
      if (!tile) {
        const width = Math.min(tileSize, store.view.cols - j * tileSize) * layout.cellWidth;
        const height = Math.min(tileSize, store.view.rows - i * tileSize) * layout.cellHeight;
        context.fillStyle = colours.panel;
        context.fillRect(x, y, width, height);
        continue;
      }
      const [width, height] = [tile.width * layout.cellWidth, tile.height * layout.cellHeight];
      context.fillStyle = hatch;
      context.fillRect(x, y, width, height);
      context.drawImage((tile.picture ??= tilePicture(tile, picture)), x, y, width, height);
    }
  if (layout.cellWidth >= 10 && layout.cellHeight >= 10) paintLines(context, picture);
}

/** One pixel a cell; masked cells are left transparent, so that the hatching shows. */
function tilePicture(tile: Tile, { store, colours }: Picture): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = tile.width;
  canvas.height = tile.height;
  const image = new ImageData(tile.width, tile.height);
  const { scale } = store.view;
  const table = Array.from({ length: 257 }, (_, i) => colourAt(scale.kind, colours.theme, i / 256));
  const odd = Number.parseInt(colours.odd.slice(1), 16);
  tile.data.forEach((value, i) => {
    if (value === -Infinity) return;
    const colour = Number.isFinite(value)
      ? table[Math.round(256 * position(scale, value))]!
      : [odd >> 16, (odd >> 8) & 255, odd & 255];
    image.data.set([...colour, 255], 4 * i);
  });
  canvas.getContext("2d")!.putImageData(image, 0, 0);
  return canvas;
}

function hatchTile(colours: PageColours): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 6;
  const context = canvas.getContext("2d")!;
  context.strokeStyle = colours.hatch;
  context.lineWidth = 1;
  for (const offset of [-6, 0, 6]) {
    context.moveTo(offset, 6);
    context.lineTo(offset + 6, 0);
  }
  context.stroke();
  return canvas;
}

function paintLines(context: CanvasRenderingContext2D, picture: Picture): void {
  const { colours, width, height } = picture;
  const { rows, cols } = visible(picture);
  const [right, bottom] = [Math.min(width, left(picture, cols[1])), Math.min(height, top(picture, rows[1]))];
  context.fillStyle = colours.page;
  for (let col = cols[0]; col <= cols[1]; col++) context.fillRect(left(picture, col) - 1, 0, 1, bottom);
  for (let row = rows[0]; row <= rows[1]; row++) context.fillRect(0, top(picture, row) - 1, right, 1);
}

/** Numbers in the cells, where they are large enough. */
function paintNumbers(context: CanvasRenderingContext2D, picture: Picture): void {
  const { store, layout, colours } = picture;
  if (layout.cellWidth < 36 || layout.cellHeight < 15) return;
  const { rows, cols } = visible(picture);
  context.font = `${Math.min(11, layout.cellHeight - 4)}px ${colours.font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  const { scale } = store.view;
  for (let row = rows[0]; row < rows[1]; row++)
    for (let col = cols[0]; col < cols[1]; col++) {
      const value = store.value(row, col);
      if (value === undefined || !Number.isFinite(value)) continue;
      context.fillStyle = inkOn(colourAt(scale.kind, colours.theme, position(scale, value)));
      const text = shortNumber(value, layout.cellWidth < 44 ? 2 : 3);
      context.fillText(
        text,
        left(picture, col) + layout.cellWidth / 2 - 0.5,
        top(picture, row) + layout.cellHeight / 2,
        layout.cellWidth - 3,
      );
    }
}

function paintCrosshair(context: CanvasRenderingContext2D, picture: Picture): void {
  const { layout, colours, hover, focus } = picture;
  const frame = (cell: Cell, colour: string, lineWidth: number): void => {
    context.strokeStyle = colour;
    context.lineWidth = lineWidth;
    const grown = { width: Math.max(layout.cellWidth, 5), height: Math.max(layout.cellHeight, 5) };
    context.strokeRect(
      left(picture, cell.col) - 0.5,
      top(picture, cell.row) - 0.5,
      grown.width,
      grown.height,
    );
  };
  if (focus) {
    frame(focus, colours.page, 4);
    frame(focus, colours.accent, 2);
  }
  if (hover) frame(hover, colours.ink, 1.5);
}

/** Every how many-th name there is room for: 1, 2, 5, 10, 20, 50 … */
function stepFor(cell: number, room: number): number {
  let step = 1;
  for (let i = 0; step * cell < room; i++) step *= i % 3 === 1 ? 2.5 : 2;
  return step;
}

/** Keeps the first name whole where its cell is smaller than the name. */
function inward(at: number, first: boolean, edge: number): number {
  return first ? Math.max(at, edge + 7) : at;
}

/** A name that fits, its end cut off where it does not. */
function fitText(context: CanvasRenderingContext2D, text: string, room: number): string {
  if (context.measureText(text).width <= room) return text;
  const characters = [...text];
  while (characters.length > 1 && context.measureText(`${characters.join("")}…`).width > room)
    characters.pop();
  return `${characters.join("")}…`;
}

/** Names at a step, and always those of the cells that are looked at and sorted by. */
function* named(
  range: readonly [number, number],
  step: number,
  always: readonly (number | null | undefined)[],
) {
  const special = always.filter((i): i is number => i !== null && i !== undefined);
  for (let i = Math.ceil(range[0] / step) * step; i < range[1]; i += step)
    if (step === 1 || special.every((other) => Math.abs(i - other) >= step))
      yield { i, strong: special.includes(i) };
  if (step > 1) for (const i of new Set(special)) yield { i, strong: true };
}

function paintRowNames(context: CanvasRenderingContext2D, picture: Picture): void {
  const { layout, colours, hover, focus, sortedRow, descending } = picture;
  context.font = `11px ${colours.font}`;
  context.textAlign = "right";
  context.textBaseline = "middle";
  const looked = hover ?? focus;
  const step = stepFor(layout.cellHeight, 12);
  for (const { i, strong } of named(visible(picture).rows, step, [looked?.row, sortedRow])) {
    const y = inward(
      top(picture, i) + layout.cellHeight / 2,
      i === 0 && picture.scrollTop === 0,
      layout.headerHeight,
    );
    context.fillStyle =
      i === sortedRow ? colours.accent : strong || looked?.row === i ? colours.ink : colours.soft;
    const mark = i === sortedRow ? (descending.row ? "▶" : "◀") : "";
    context.fillText(
      fitText(context, picture.rowName(i), layout.headerWidth - 20),
      layout.headerWidth - 14,
      y,
    );
    context.fillText(mark, layout.headerWidth - 3, y);
  }
}

function paintColNames(context: CanvasRenderingContext2D, picture: Picture): void {
  const { layout, colours, hover, focus, sortedCol, descending } = picture;
  context.font = `11px ${colours.font}`;
  context.textBaseline = "middle";
  const looked = hover ?? focus;
  const { cols } = visible(picture);
  const widest = layout.upright
    ? 12
    : context.measureText(picture.colName(Math.max(0, cols[1] - 1))).width + 10;
  const step = stepFor(layout.cellWidth, widest);
  for (const { i, strong } of named(cols, step, [looked?.col, sortedCol])) {
    const x = inward(
      left(picture, i) + layout.cellWidth / 2,
      i === 0 && picture.scrollLeft === 0,
      layout.headerWidth,
    );
    context.fillStyle =
      i === sortedCol ? colours.accent : strong || looked?.col === i ? colours.ink : colours.soft;
    const mark = i === sortedCol ? (descending.col ? "▼" : "▲") : "";
    if (layout.upright) {
      context.save();
      context.translate(x, layout.headerHeight - 4);
      if (mark) {
        context.textAlign = "center";
        context.fillText(mark, 0, -3);
      }
      context.rotate(-Math.PI / 2);
      context.textAlign = "left";
      context.fillText(fitText(context, picture.colName(i), layout.headerHeight - 16), mark ? 10 : 0, 0);
      context.restore();
    } else {
      context.textAlign = "center";
      context.fillText(
        mark ? `${picture.colName(i)} ${mark}` : picture.colName(i),
        x,
        layout.headerHeight - 9,
      );
    }
  }
}

function paintCorner(
  context: CanvasRenderingContext2D,
  { layout, colours, store, width, height }: Picture,
): void {
  const { headerWidth, headerHeight } = layout;
  context.fillStyle = colours.line;
  context.fillRect(headerWidth - 1, 0, 1, height);
  context.fillRect(0, headerHeight - 1, width, 1);
  context.fillStyle = colours.soft;
  context.font = `10px ${colours.font}`;
  context.textBaseline = "middle";
  context.textAlign = "right";
  context.fillText(`${store.view.col_axis} →`, headerWidth - 4, 9);
  if (headerHeight >= 34) context.fillText(`${store.view.row_axis} ↓`, headerWidth - 4, headerHeight - 9);
}
