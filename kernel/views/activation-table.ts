/** The activation table of a cache: the widget's plain data made from the engine's tensors. */

import { nearest } from "../../src/graph/index.js";
import type { ActivationCache } from "../../src/index.js";
import {
  type ActivationTableOptions,
  createActivationTable,
  type Region,
  type TableSource,
} from "../../widgets/activation-table/model.js";
import { widgetHost } from "../current.js";
import { type ShownWidget, shown } from "./widget.js";

export type { ActivationTableOptions } from "../../widgets/activation-table/model.js";

/**
 * A live table of everything that a run has kept: choose a point, layer and head, sort, zoom and hover.
 *
 * @throws Error outside a notebook; for a point or a head that the cache does not have, with the nearest names
 *
 * @example
 * ```ts
 * const { cache } = await model.runWithCache("Mary gave the book to");
 * await activationTable(cache, { point: "blocks.0.attn.hook_pattern" });
 * ```
 */
export async function activationTable(
  cache: ActivationCache,
  options: ActivationTableOptions = {},
): Promise<ShownWidget> {
  const source = cacheSource(cache);
  checkStart(source, options);
  return shown(await createActivationTable(widgetHost(), source, options));
}

/** Refuses a point or head that the cache does not have: in code that is a slip, not a reader's choice. */
function checkStart({ points }: TableSource, { point, head = 0 }: ActivationTableOptions): void {
  const names = points.map(({ name }) => name);
  const first = point === undefined ? points[0] : points.find(({ name }) => name === point);
  if (!first) {
    if (point === undefined) return; // the table itself says that there is nothing
    throw new Error(
      `There is no point "${point}" in this cache. The nearest are ${nearest(point, names).join(", ")}.`,
    );
  }
  const heads = first.shape[first.axes.indexOf("head")] ?? 1;
  if (!Number.isInteger(head) || head < 0 || head >= heads)
    throw new RangeError(
      `${first.name} has ${heads === 1 ? "one head, 0" : `the heads 0 to ${heads - 1}`}; head ${head} was asked for.`,
    );
}

/** A cache as the table's source. */
export function cacheSource(cache: ActivationCache): TableSource {
  return {
    tokens: cache.tokens.map((_, row) => cache.strTokens(row)),
    points: cache.names
      .filter((name) => cache.axes(name).length > 2) // not the token ids
      .map((name) => ({
        name,
        shape: cache.get(name).shape,
        axes: cache.axes(name),
        ...(name.endsWith("hook_pattern") ? { range: [0, 1] as const } : {}),
      })),
    slice: (name, region) => readRegion(cache, name, region),
  };
}

function readRegion(cache: ActivationCache, name: string, { batch, head, rows, cols }: Region): Float32Array {
  const axes = cache.axes(name);
  const fixed = axes.map((axis) =>
    axis === "batch" ? batch : axis === "head" && head !== null ? head : null,
  );
  const table = cache.get(name).pick(...fixed);
  const values = new Float32Array((rows[1] - rows[0]) * (cols[1] - cols[0]));
  let at = 0;
  for (let row = rows[0]; row < rows[1]; row++)
    for (let col = cols[0]; col < cols[1]; col++) values[at++] = table.get(row, col);
  return values;
}
