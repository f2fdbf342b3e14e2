/** The cells of a sweep: which places of which points are changed in each. */

import type { Model } from "../../model/index.js";
import type { Batch } from "../../model/input.js";
import { actName } from "../../model/names.js";
import type { SweepAxis } from "../sweep.js";
import type { PointChange, Selected } from "./changed-points.js";

/** Which places of a model a sweep goes over. */
export interface GridOptions {
  /**
   * What is changed, by its short name: `"resid_pre"`, `"resid_mid"`, `"resid_post"`, `"attn_out"`, `"mlp_out"`, `"z"`,
   * `"q"`, `"k"`, `"v"`, `"pattern"`, `"post"` …; or one point by its full name, which has no layers to go over.
   */
  readonly at: string;
  /** The axes of the table, such as `["layer", "pos"]`. Along an axis that is not named, a cell changes everything. */
  readonly over: readonly SweepAxis[];
  /** Only these layers; all by default. */
  readonly layers?: readonly number[];
  /** Only these positions; all by default. Negative ones count from the end. */
  readonly positions?: readonly number[];
  /** Only these heads; all by default. */
  readonly heads?: readonly number[];
  /** How many neighbouring neurons a cell changes; 1 by default. */
  readonly neuronBlock?: number;
}

/** The cells of a table in the order of its axes. */
export interface Grid {
  readonly over: readonly SweepAxis[];
  readonly labels: readonly (readonly string[])[];
  readonly shape: readonly number[];
  /** What each cell changes. */
  readonly cells: readonly (PointChange & { readonly layer?: number })[];
}

/** What the axes of sweeps are called among the axes of points. */
const axisNames: Readonly<Record<Exclude<SweepAxis, "layer">, readonly string[]>> = {
  pos: ["pos", "query"],
  head: ["head"],
  neuron: ["dMlp"],
  key: ["key"],
};

/** One place along an axis. */
interface Place {
  readonly label: string;
  readonly layer?: number;
  readonly select?: Selected;
}

/**
 * The cells of a sweep.
 *
 * @param batch the prompts whose tokens label positions
 * @throws if the point lacks one of the axes, or positions of the prompts do not correspond
 */
export function gridOf(model: Model, batch: Batch, options: GridOptions): Grid {
  const { at, over } = options;
  if (over.length === 0 || new Set(over).size < over.length)
    throw new Error(`A sweep goes over different axes, such as ["layer", "pos"]; [${over.join(", ")}] came.`);
  const layers = over.includes("layer") ? layersOf(model, options) : [undefined];
  const points = new Map(
    layers.map((layer) => [layer, model.pointName(layer === undefined ? at : actName(at, layer))]),
  );
  const [point = ""] = points.values();
  const axes = over.map((axis) =>
    axis === "layer"
      ? layers.map((layer): Place => ({ label: String(layer), layer }))
      : placesAlong(model, batch, point, axis, options),
  );
  let cells: { layer?: number; select: Selected }[] = [{ select: {} }];
  for (const places of axes)
    cells = cells.flatMap((cell) =>
      places.map(({ layer, select }) => ({
        layer: layer ?? cell.layer,
        select: { ...cell.select, ...select },
      })),
    );
  return {
    over,
    labels: axes.map((places) => places.map(({ label }) => label)),
    shape: axes.map((places) => places.length),
    cells: cells.map((cell) => ({ ...cell, point: points.get(cell.layer)! })),
  };
}

function layersOf({ config }: Model, { at, layers }: GridOptions): readonly number[] {
  if (at.includes("."))
    throw new Error(
      `"${at}" is one point, so a sweep over it has no axis "layer"; give a short name, such as "resid_pre".`,
    );
  return chosen(layers, config.nLayers, "layer");
}

function placesAlong(
  model: Model,
  batch: Batch,
  point: string,
  axis: Exclude<SweepAxis, "layer">,
  options: GridOptions,
): Place[] {
  const { axes, shape } = model.parts.engine.site(point);
  const at = axes.findIndex((name) => axisNames[axis]?.includes(name));
  if (at < 0)
    throw new Error(
      `The point "${point}" has [${axes.join(", ")}], so a sweep over it has no axis "${axis}".`,
    );
  const name = axes[at]!;
  if (axis === "head")
    return chosen(options.heads, shape[at] as number, "head").map((head) => ({
      label: String(head),
      select: { [name]: [head] },
    }));
  if (axis === "neuron") return neuronBlocks(shape[at] as number, options.neuronBlock ?? 1, name);
  if (shape[at] === "source")
    throw new Error(
      `The axis "${axis}" of "${point}" counts what the encoder reads; sweeps go over positions of the decoder.`,
    );
  if (batch.mask)
    throw new Error(
      "The prompts have different lengths, so a position means another thing in each: sweep over prompts of equal length, or not over positions.",
    );
  const labels = positionLabels(model, batch);
  const positions = axis === "pos" ? chosen(options.positions, labels.length, "position") : labels.keys();
  return [...positions].map((pos) => ({ label: labels[pos]!, select: { [name]: [pos] } }));
}

function neuronBlocks(count: number, size: number, axis: string): Place[] {
  if (!Number.isInteger(size) || size < 1)
    throw new Error(`A block has one neuron or more; neuronBlock is ${size}.`);
  return Array.from({ length: Math.ceil(count / size) }, (_, block) => {
    const neurons = Array.from({ length: Math.min(size, count - block * size) }, (_, i) => block * size + i);
    const last = neurons.at(-1)!;
    return { label: size === 1 ? String(last) : `${block * size}–${last}`, select: { [axis]: neurons } };
  });
}

/** The tokens at each position; numbers where prompts have different ones. */
export function positionLabels(model: Model, { tokens }: Batch): string[] {
  const [first] = tokens as [readonly number[]];
  return first.map((token, pos) =>
    tokens.every((row) => row[pos] === token) ? model.tokenText(token) : String(pos),
  );
}

/** Chosen indices counted from the front, or all. @throws if one is out of range */
export function chosen(
  indices: readonly number[] | undefined,
  count: number,
  what: string,
  chooser = "The sweep goes over",
): number[] {
  if (indices === undefined) return Array.from({ length: count }, (_, i) => i);
  if (indices.length === 0) throw new Error(`${chooser} no ${what}; choose one at least.`);
  return indices.map((index) => {
    const at = index < 0 ? index + count : index;
    if (Number.isInteger(index) && at >= 0 && at < count) return at;
    throw new Error(`${chooser} ${what} ${index}, but there are ${count} of them.`);
  });
}
