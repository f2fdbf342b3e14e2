import { decodeTensor } from "../tensor.js";
import { type TableView, type TileAnswer, type TileRequest, tileSize } from "./state.js";

/** The values of one tile and, when it has been drawn, its picture. */
export interface Tile {
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
  picture?: HTMLCanvasElement;
}

/** Tiles kept: 8 MB of values. */
const capacity = 512;

/** The part of the table that the browser has, and the asking for more. One request is under way at a time. */
export class TileStore {
  private readonly tiles = new Map<string, Tile>();
  private readonly colNames: (string | undefined)[] = [];
  private waiting = false;
  private failed = false;

  /**
   * @param view the table; its window is the first of the tiles
   * @param send asks the kernel
   * @throws when the window's values are missing
   */
  constructor(
    readonly view: TableView,
    private readonly send: (request: TileRequest) => void,
  ) {
    const { window } = view;
    const { data, shape } = decodeTensor(window.data);
    const [rows, cols] = shape as [number, number];
    for (let top = 0; top < rows; top += tileSize)
      for (let left = 0; left < cols; left += tileSize) {
        const height = Math.min(tileSize, rows - top);
        const width = Math.min(tileSize, cols - left);
        const values = new Float32Array(height * width);
        for (let row = 0; row < height; row++)
          values.set(
            data.subarray((top + row) * cols + left, (top + row) * cols + left + width) as Float32Array,
            row * width,
          );
        this.tiles.set(key(top / tileSize, left / tileSize), { data: values, width, height });
      }
    this.addNames(0, view.col_names);
  }

  tile(row: number, col: number): Tile | undefined {
    return this.tiles.get(key(row, col));
  }

  /** The value at a shown cell, `undefined` while it is not here. */
  value(row: number, col: number): number | undefined {
    const tile = this.tile(Math.floor(row / tileSize), Math.floor(col / tileSize));
    return tile?.data[(row % tileSize) * tile.width + (col % tileSize)];
  }

  colName(col: number): string | undefined {
    return this.colNames[col];
  }

  /** Forgets the pictures, as when the theme has changed. */
  repaint(): void {
    for (const tile of this.tiles.values()) delete tile.picture;
  }

  /** Whether all tiles of a rectangle of tiles are here; asks for those that are not. */
  ensure(rows: readonly [number, number], cols: readonly [number, number]): boolean {
    const missing: [number, number][] = [];
    for (let row = rows[0]; row < rows[1]; row++)
      for (let col = cols[0]; col < cols[1]; col++)
        if (!this.tiles.has(key(row, col))) missing.push([row, col]);
    if (missing.length > 0 && !this.waiting && !this.failed) {
      this.waiting = true;
      this.send({ method: "tiles", view: this.view.id, tiles: missing });
    }
    return missing.length === 0;
  }

  /**
   * Takes an answer in.
   *
   * @returns false when it is about another table
   */
  receive(answer: TileAnswer, buffers: readonly ArrayBufferView[]): boolean {
    if (answer.view !== this.view.id) return false;
    this.waiting = false;
    this.failed = answer.error !== undefined;
    answer.tiles.forEach(({ at, shape, col_names }, i) => {
      const { data } = decodeTensor({ dtype: "float32", shape, data: buffers[i]! });
      this.tiles.set(key(...at), { data: data as Float32Array, height: shape[0], width: shape[1] });
      this.addNames(at[1] * tileSize, col_names);
    });
    for (const oldest of this.tiles.keys()) {
      if (this.tiles.size <= capacity) break;
      this.tiles.delete(oldest);
    }
    return true;
  }

  private addNames(from: number, names: readonly string[] | null): void {
    names?.forEach((name, i) => {
      this.colNames[from + i] = name;
    });
  }
}

function key(row: number, col: number): string {
  return `${row},${col}`;
}
