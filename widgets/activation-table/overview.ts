import type { Table, TableSource } from "./reader.js";

/** The most cells on a side of a head's small picture. */
const side = 24;
/** So many values are gone over for small pictures; they are left out of larger points. */
const maximumSize = 2 ** 24;

/** Small pictures of all heads. */
export interface Overview {
  readonly shape: readonly [number, number, number];
  /** `[heads, rows, cols]`: of each block of the table the value of largest magnitude; NaN where all are masked. */
  readonly data: Float32Array;
}

/**
 * Shrinks the tables of all heads to small pictures, so that the reader sees which head to look at.
 *
 * @returns `null` where there are no heads to choose, or too many values
 * @throws the signal's reason when it is aborted
 */
export async function makeOverview(
  source: TableSource,
  { point, axes, batch }: Table,
  signal: AbortSignal,
): Promise<Overview | null> {
  const { rows, cols, heads } = axes;
  if (heads < 2 || heads * rows * cols > maximumSize) return null;
  const [height, width] = [Math.min(side, rows), Math.min(side, cols)];
  const data = new Float32Array(heads * height * width).fill(Number.NaN);
  for (let head = 0; head < heads; head++) {
    await new Promise((resolve) => setTimeout(resolve));
    signal.throwIfAborted();
    const values = await source.slice(point.name, { batch, head, rows: [0, rows], cols: [0, cols] });
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (!Number.isFinite(value)) continue;
      const row = Math.floor((Math.floor(i / cols) * height) / rows);
      const col = Math.floor(((i % cols) * width) / cols);
      const at = (head * height + row) * width + col;
      if (!(Math.abs(value) <= Math.abs(data[at]!))) data[at] = value;
    }
  }
  signal.throwIfAborted();
  return { shape: [heads, height, width], data };
}
