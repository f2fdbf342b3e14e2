import { showToken } from "../text.js";
import type { TableView } from "./state.js";

/** Sizes in CSS pixels. */
export interface Layout {
  readonly cellWidth: number;
  readonly cellHeight: number;
  /** The frozen names of rows, and of columns. */
  readonly headerWidth: number;
  readonly headerHeight: number;
  /** Column names stand upright where the columns are too narrow for them. */
  readonly upright: boolean;
  readonly width: number;
  readonly height: number;
}

/** The steps of magnification. */
export const zooms = [0.25, 0.35, 0.5, 0.7, 1, 1.4, 2, 2.8, 4] as const;

const tokenAxes = ["pos", "query", "key"];
const maximumHeight = 460;
/** Room for a scroll bar. */
const scrollBar = 16;
/** Browsers lay out no element larger than about 33 million pixels, and some only half that. */
const maximumExtent = 16_000_000;

/** The name of a row or column: its index, and its token where it has one. */
export function nameOf(axis: string, index: number, name: string | undefined): string {
  const token = name ? showToken(name) : "";
  if (tokenAxes.includes(axis)) return `${index} ${token}`.trim();
  return token ? token : String(index);
}

/** How the reader is told what a row or column is. */
export function describeIndex(axis: string, index: number, name: string | undefined): string {
  const noun = axis === "pos" ? "position" : axis;
  return name ? `${noun} ${index} “${showToken(name)}”` : `${noun} ${index}`;
}

/**
 * Sizes that fill the width there is: cells of token × token tables are square, rows of others are as high as a line.
 *
 * @param measure the width of a text in the headers' font
 */
export function layOut(
  view: TableView,
  available: number,
  zoom: number,
  rowName: (row: number) => string,
  colName: (col: number) => string,
  measure: (text: string) => number,
): Layout {
  const widest = (count: number, name: (i: number) => string): number => {
    let width = 0;
    for (let i = 0; i < Math.min(count, 512); i++) width = Math.max(width, measure(name(i)));
    return Math.max(width, measure(name(count - 1)));
  };
  const headerWidth = Math.ceil(Math.min(180, Math.max(34, widest(view.rows, rowName) + 20)));
  const square = tokenAxes.includes(view.row_axis) && tokenAxes.includes(view.col_axis);
  const room = Math.max(80, available - headerWidth - scrollBar);
  const fit = Math.floor(room / view.cols);
  const fitHeight = Math.floor((maximumHeight - 80) / view.rows);
  const limit = (value: number, cells: number, most: number): number =>
    Math.max(1, Math.min(Math.round(value), most, Math.floor(maximumExtent / cells)));
  const width = square
    ? Math.max(4, Math.min(fit, Math.max(fitHeight, 8), 44))
    : Math.max(5, Math.min(fit, 60));
  const cellWidth = limit(width * zoom, view.cols, 120);
  const cellHeight = limit(
    (square ? width : Math.max(16, Math.min(fitHeight, 20))) * zoom,
    view.rows,
    square ? 120 : 32,
  );
  const named = tokenAxes.includes(view.col_axis) || view.col_names !== null;
  const widestCol = widest(Math.min(view.cols, 256), colName);
  const upright = named && widestCol + 8 > cellWidth;
  const headerHeight = upright ? Math.ceil(Math.min(110, widestCol + 18)) : 22;
  const [contentWidth, contentHeight] = [
    headerWidth + view.cols * cellWidth,
    headerHeight + view.rows * cellHeight,
  ];
  const wide = contentWidth > available;
  const high = contentHeight > maximumHeight;
  return {
    cellWidth,
    cellHeight,
    headerWidth,
    headerHeight,
    upright,
    width: Math.min(available, contentWidth + (high ? scrollBar : 0)),
    height: Math.min(maximumHeight, contentHeight + (wide ? scrollBar : 0)),
  };
}
