/** A point of the model whose values the table can show. */
export interface Point {
  /** The hook name, such as `blocks.3.attn.hook_pattern`. */
  readonly name: string;
  /** Its shape, such as `[1, 12, 9, 9]`. */
  readonly shape: readonly number[];
  /** A name for each axis of the shape: `batch`, `head`, and any others, such as `pos`, `key`, `unit`. */
  readonly axes: readonly string[];
  /** The range that values of this kind have, such as `[0, 1]` for probabilities; otherwise the data's own. */
  readonly range?: readonly [number, number];
}

/** How a point's axes become a table. */
export interface TableAxes {
  readonly rowAxis: string;
  readonly colAxis: string;
  readonly rows: number;
  readonly cols: number;
  readonly batches: number;
  /** Heads to choose one from; 0 when no head is to be chosen (none there, or heads are rows themselves). */
  readonly heads: number;
}

/**
 * Rows and columns of a point: what is left of its axes when a batch row has been chosen, and also a head where
 * more than two would be left. One axis alone makes a table of one column.
 *
 * @throws RangeError when the axes cannot be laid out as a table
 */
export function tableAxes(point: Point): TableAxes {
  const { name, shape, axes } = point;
  if (axes.length !== shape.length)
    throw new RangeError(`${name} has shape [${shape.join(", ")}] but ${axes.length} names for its axes.`);
  let left = axes.map((axis, i) => ({ axis, length: shape[i]! }));
  const take = (axis: string): number => {
    const length = left.find((entry) => entry.axis === axis)?.length;
    left = left.filter((entry) => entry.axis !== axis);
    return length ?? 0;
  };
  const batches = left.some((entry) => entry.axis === "batch") ? take("batch") : 1;
  const heads = left.length > 2 ? take("head") : 0;
  if (left.length > 2 || left.length === 0)
    throw new RangeError(
      `${name} has the axes [${axes.join(", ")}]: a table needs one or two besides batch and head.`,
    );
  const [row, col = { axis: "value", length: 1 }] = left;
  return { rowAxis: row!.axis, colAxis: col.axis, rows: row!.length, cols: col.length, batches, heads };
}
