import type { Point, TableAxes } from "./points.js";
import type { Order, Summary } from "./state.js";

/** A rectangle of one table: `[from, to)` in the point's own rows and columns. */
export interface Region {
  readonly batch: number;
  /** `null` where the point has no head to choose. */
  readonly head: number | null;
  readonly rows: readonly [number, number];
  readonly cols: readonly [number, number];
}

/** Where an activation table gets its numbers: all that it knows of the engine. */
export interface TableSource {
  /** The token texts of each batch row; they name the axes `pos`, `query` and `key`. */
  readonly tokens: readonly (readonly string[])[];
  /** The points that can be shown, in the order of the model. */
  readonly points: readonly Point[];
  /** The values of a region, float32 `[rows, cols]` row-major. */
  slice(name: string, region: Region): Float32Array | Promise<Float32Array>;
  /** The name of an index of any other axis, such as the token of a vocabulary index; unnamed indices are numbered. */
  label?(name: string, axis: string, index: number): string | undefined;
}

/** Which table of a source is read. */
export interface Table {
  readonly point: Point;
  readonly axes: TableAxes;
  readonly batch: number;
  readonly head: number | null;
}

/** What one pass over a table finds. */
export interface Scan {
  readonly summary: Summary;
  /** Largest finite magnitude in each row, NaN where there is none. */
  readonly rowMagnitude: Float32Array;
  readonly colMagnitude: Float32Array;
}

/** Values that are read at once in a pass, and between two looks at the signal. */
const chunkSize = 1 << 18;
/** Magnitudes that are sorted to find the typical one: enough for its second digit. */
const sampleSize = 1 << 15;

/** Reads a region and checks that the source gave what was asked for. */
async function readRegion(
  source: TableSource,
  { point, batch, head }: Table,
  rows: readonly [number, number],
  cols: readonly [number, number],
): Promise<Float32Array> {
  const values = await source.slice(point.name, { batch, head, rows, cols });
  const size = (rows[1] - rows[0]) * (cols[1] - cols[0]);
  if (values.length !== size)
    throw new RangeError(
      `${point.name}: rows ${rows.join("–")} and columns ${cols.join("–")} hold ${size} values, but ${values.length} came.`,
    );
  return values;
}

/**
 * Goes once over a whole table, in pieces, so that the event loop breathes and only a piece is in memory.
 *
 * @throws the signal's reason when it is aborted
 */
export async function scanTable(source: TableSource, table: Table, signal?: AbortSignal): Promise<Scan> {
  const { rows, cols } = table.axes;
  const rowMagnitude = new Float32Array(rows).fill(Number.NaN);
  const colMagnitude = new Float32Array(cols).fill(Number.NaN);
  const stride = Math.max(1, Math.ceil((rows * cols) / sampleSize));
  const sample: number[] = [];
  let [min, max, sum, count, masked, nan, infinite, seen] = [Infinity, -Infinity, 0, 0, 0, 0, 0, 0];
  const step = Math.max(1, Math.floor(chunkSize / Math.max(1, cols)));
  for (let from = 0; from < rows && cols > 0; from += step) {
    if (from > 0) await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
    const to = Math.min(rows, from + step);
    const values = await readRegion(source, table, [from, to], [0, cols]);
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      const [row, col] = [from + Math.floor(i / cols), i % cols];
      if (Number.isFinite(value)) {
        const size = Math.abs(value);
        if (!(size <= rowMagnitude[row]!)) rowMagnitude[row] = size;
        if (!(size <= colMagnitude[col]!)) colMagnitude[col] = size;
        if (value < min) min = value;
        if (value > max) max = value;
        sum += value;
        count++;
        if (seen++ % stride === 0) sample.push(size);
      } else if (Number.isNaN(value)) nan++;
      else if (value < 0) masked++;
      else infinite++;
    }
  }
  signal?.throwIfAborted();
  sample.sort((a, b) => a - b);
  const typical = sample[Math.ceil(0.99 * (sample.length - 1))] ?? 0;
  const finite = count > 0 ? { min, max, mean: sum / count } : { min: null, max: null, mean: null };
  return { summary: { ...finite, typical, masked, nan, infinite }, rowMagnitude, colMagnitude };
}

/**
 * The order of rows or columns, as their indices; `null` for their own order. Masked values (−∞) and NaN come last
 * either way: they are no values to compare.
 *
 * @param axis what is put into order
 */
export async function orderOf(
  source: TableSource,
  table: Table,
  axis: "rows" | "cols",
  order: Order | null,
  scan: Scan,
): Promise<Int32Array | null> {
  if (!order) return null;
  const { rows, cols } = table.axes;
  const { by, descending } = order;
  let keys: Float32Array;
  if (by === "magnitude") keys = axis === "rows" ? scan.rowMagnitude : scan.colMagnitude;
  else if (axis === "rows") keys = await readRegion(source, table, [0, rows], [by, by + 1]);
  else keys = await readRegion(source, table, [by, by + 1], [0, cols]);
  const absent = (value: number): boolean => Number.isNaN(value) || value === -Infinity;
  return Int32Array.from(keys.keys()).sort((a, b) => {
    const [x, y] = [keys[a]!, keys[b]!];
    if (absent(x) || absent(y)) return Number(absent(x)) - Number(absent(y)) || a - b;
    return (descending ? y - x : x - y) || a - b;
  });
}

/**
 * Reads the rectangle of a table that stands at shown rows and columns.
 *
 * @returns float32 `[rows, cols]` in the shown order
 */
export async function readWindow(
  source: TableSource,
  table: Table,
  rowOrder: Int32Array | null,
  colOrder: Int32Array | null,
  rows: readonly [number, number],
  cols: readonly [number, number],
): Promise<Float32Array> {
  const height = rows[1] - rows[0];
  const width = cols[1] - cols[0];
  if (height === 0 || width === 0) return new Float32Array(0);
  const columns = colOrder?.subarray(cols[0], cols[1]);
  const span: [number, number] = columns ? [minimum(columns), maximum(columns) + 1] : [cols[0], cols[1]];
  const spanWidth = span[1] - span[0];
  const blocks: Float32Array[] = rowOrder
    ? await Promise.all(
        Array.from(rowOrder.subarray(rows[0], rows[1]), (row) =>
          readRegion(source, table, [row, row + 1], span),
        ),
      )
    : [await readRegion(source, table, rows, span)];
  const rowsABlock = rowOrder ? 1 : height;
  const out = new Float32Array(height * width);
  for (let row = 0; row < height; row++) {
    const block = blocks[Math.floor(row / rowsABlock)]!;
    const start = (row % rowsABlock) * spanWidth;
    if (!columns) out.set(block.subarray(start, start + width), row * width);
    else
      for (let col = 0; col < width; col++) out[row * width + col] = block[start + columns[col]! - span[0]]!;
  }
  return out;
}

const minimum = (values: Int32Array): number => values.reduce((a, b) => Math.min(a, b));
const maximum = (values: Int32Array): number => values.reduce((a, b) => Math.max(a, b));
