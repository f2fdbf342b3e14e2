/** The activation table of a cache: the widget's plain data made from the engine's tensors. */

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
 * @throws Error outside a notebook
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
  return shown(await createActivationTable(widgetHost(), cacheSource(cache), options));
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
