/** The points that variants change: what stands there in the graph, and what that is fed for the rows of a run. */

import { contiguous, sizeOf, type Tensor } from "../../array/index.js";
import type { Value } from "../../graph/index.js";
import * as g from "../../graph/index.js";
import type { Site } from "../../model/selection.js";
import type { Feed } from "../../runtime/ort.js";
import { fromPosition } from "./known-run.js";
import type { Row, Run } from "./schedule.js";

/** Places along the axes of a point's value: all along an axis that is not named. */
export type Selected = Readonly<Record<string, readonly number[]>>;

/** A change of a point's value. */
export interface PointChange {
  /** Its full name. */
  readonly point: string;
  readonly select: Selected;
}

/** One variant: its changes in the order of computation. */
export type Variant = readonly PointChange[];

/** What takes the place of a point's value: nothing, a value for each prompt, or one for each variant and prompt. */
export type Replacing = "zero" | "prompts" | "rows";

/** A point that some variant changes. */
interface ChangedPoint {
  readonly index: number;
  readonly site: Site;
  /** The axes along which places are selected. */
  readonly axes: Set<string>;
  /** Whether it is changed in rows that have joined before. */
  later: boolean;
}

/** All points that variants change. */
export class ChangedPoints {
  private readonly points = new Map<string, ChangedPoint>();

  /**
   * @param order the points in the order of computation
   * @param prompts how many prompts each variant is run on, and how long they are
   */
  constructor(
    private readonly variants: readonly Variant[],
    readonly order: readonly string[],
    private readonly replacing: Replacing,
    private readonly prompts: { readonly count: number; readonly length: number },
    siteOf: (point: string) => Site,
  ) {
    for (const changes of variants)
      changes.forEach(({ point, select }, place) => {
        const known = this.points.get(point) ?? {
          index: this.points.size,
          site: siteOf(point),
          axes: new Set<string>(),
          later: false,
        };
        for (const axis of Object.keys(select)) known.axes.add(axis);
        known.later ||= place > 0;
        this.points.set(point, known);
      });
  }

  /** The rewrites of a graph in which rows join at some points. */
  rewrites(joining: readonly string[]): g.Change[] {
    // Points at which no row is changed have no part in it.
    const used = new Set(
      this.variants
        .filter(([first]) => first && joining.includes(first.point))
        .flatMap((changes) => changes.map(({ point }) => point)),
    );
    return [...used].map((point): g.Change => {
      const changed = this.points.get(point)!;
      if (!changed.later) return { point, joining: (value, rows) => this.change(changed, value, rows) };
      const all = (value: Value, rows: g.Rows): Value => this.change(changed, value, rows);
      return joining.includes(point) ? { point, joining: (value) => value, all } : { point, all };
    });
  }

  /** A point's value with what takes its place where the mask says so. */
  private change({ site, axes, index, later }: ChangedPoint, value: Value, rows: g.Rows): Value {
    if (!value.dtype.includes("float"))
      throw new Error(
        `The point "${site.name}" holds ${value.dtype}; only points that hold floats can be changed.`,
      );
    const isWhole = axes.size === 0 && !later;
    const replaced = this.replacing === "zero" ? 0 : this.source(index, value, rows);
    if (isWhole && replaced !== 0) return replaced;
    const shape = value.shape.map((dim, i) => (i === 0 ? rows.dim : axes.has(site.axes[i]!) ? dim : 1));
    return g.where(g.input(maskName(index), "bool", shape), replaced, value);
  }

  private source(index: number, { shape: [, ...rest] }: Value, rows: g.Rows): Value {
    if (this.replacing === "rows") return g.input(sourceName(index), "float32", [rows.dim, ...rest]);
    return g.gather(g.input(sourceName(index), "float32", ["prompts", ...rest]), rows.of);
  }

  /** What a run from a position on is fed for the points that are changed in it. */
  feeds({ rows, points, start }: Run, source: (point: string) => Tensor | undefined): Record<string, Feed> {
    const feeds: Record<string, Feed> = {};
    const joined = new Set<string>();
    for (const point of this.order) {
      if (points.includes(point)) joined.add(point);
      if (joined.size === 0) continue;
      const changed = this.points.get(point)!;
      const there = rows.filter((row) => (changed.later ? joined.has(row.point) : row.point === point));
      feeds[maskName(changed.index)] = this.mask(changed, there, start);
      const values = source(point);
      if (values) feeds[sourceName(changed.index)] = this.sourceFeed(changed, values, there, start);
    }
    return feeds;
  }

  /** Where rows are changed at a point, `[row, …]`. */
  private mask({ site, axes }: ChangedPoint, rows: readonly Row[], start: number): Feed {
    const { length } = this.prompts;
    const sizes = site.axes.map((axis, i) => {
      if (i === 0) return rows.length;
      if (!axes.has(axis)) return 1;
      const dim = site.shape[i]!;
      return typeof dim === "number" ? dim : axis === "key" ? length : length - start;
    });
    const data = new Uint8Array(sizeOf(sizes));
    rows.forEach(({ variant }, row) => {
      const change = this.variants[variant]!.find(({ point }) => point === site.name);
      if (!change) return;
      let places = [row];
      site.axes.forEach((axis, i) => {
        if (i === 0) return;
        const selected = axes.has(axis) ? change.select[axis] : undefined;
        const along = selected
          ? selected.map((place) => (isPosition(axis) ? place - start : place))
          : Array.from({ length: sizes[i]! }, (_, place) => place);
        places = places.flatMap((place) => along.map((index) => place * sizes[i]! + index));
      });
      for (const place of places) data[place] = 1;
    });
    return { dtype: "bool", shape: sizes, data };
  }

  /** What takes the place of a point's value: for each prompt, or for each row. */
  private sourceFeed({ site }: ChangedPoint, values: Tensor, rows: readonly Row[], start: number): Feed {
    const along = site.axes.findIndex(isPosition);
    const whole = contiguous(values);
    const { data, shape } = start > 0 && along >= 0 ? fromPosition(whole, along, start) : whole;
    if (this.replacing !== "rows") return { dtype: "float32", shape, data };
    const [, ...rest] = shape;
    const size = sizeOf(rest);
    const own = new Float32Array(rows.length * size);
    rows.forEach(({ variant, prompt }, i) => {
      const at = (variant * this.prompts.count + prompt) * size;
      own.set(data.subarray(at, at + size), i * size);
    });
    return { dtype: "float32", shape: [rows.length, ...rest], data: own };
  }
}

/** Whether an axis counts positions of the run, and not all that are looked at. */
export const isPosition = (axis: string): boolean => axis === "pos" || axis === "query";

const sourceName = (index: number): string => `patch.${index}.source`;
const maskName = (index: number): string => `patch.${index}.mask`;
