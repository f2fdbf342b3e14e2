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

/** A hook name taken apart: `blocks.3.attn.hook_z` is layer 3 of the kind `blocks.*.attn.hook_z`. */
export interface PointName {
  readonly kind: string;
  /** `null` for points outside the layers, such as `hook_embed`. */
  readonly layer: number | null;
}

/** Takes a hook name apart at its first number. */
export function splitName(name: string): PointName {
  const match = /^(.*?)\.(\d+)\.(.*)$/.exec(name);
  return match ? { kind: `${match[1]}.*.${match[3]}`, layer: Number(match[2]) } : { kind: name, layer: null };
}

/** The kinds of points in the order of the model, each with its layers (none for points outside the layers). */
export function groupPoints(points: readonly Point[]): Map<string, number[]> {
  const kinds = new Map<string, number[]>();
  for (const { name } of points) {
    const { kind, layer } = splitName(name);
    const layers = kinds.get(kind) ?? [];
    if (layer !== null) layers.push(layer);
    kinds.set(kind, layers);
  }
  for (const layers of kinds.values()) layers.sort((a, b) => a - b);
  return kinds;
}

/** The hook name of a kind at a layer. */
export function joinName(kind: string, layer: number | null): string {
  return layer === null ? kind : kind.replace(".*.", `.${layer}.`);
}
