/** The heads and positions that an edit changes, as a mask that is fed: another choice runs the same plan. */

import type { Dim, ElementType, Shape, Value } from "../graph/index.js";
import * as g from "../graph/index.js";
import type { Feed } from "../runtime/ort.js";
import type { Selection } from "./edits.js";

/** A point of a model: what is known of its value before anything runs. */
export interface Site {
  readonly name: string;
  /** What each dimension is: `batch`, `pos`, `head`, `query`, `key`, `dModel`, … */
  readonly axes: readonly string[];
  readonly shape: Shape;
  /** The type of its elements; float32 where it is not said. */
  readonly dtype?: ElementType;
  /** Its named sizes may be those of no input, so that they must be read from the value when the graph runs. */
  readonly readsSizes?: boolean;
}

/** The part of an input that one run of the graph sees. */
export interface Window {
  /** Rows of the batch. */
  readonly batch: number;
  /** The first position of this run: keys and values of what lies before are remembered. */
  readonly start: number;
  /** Positions of this run. */
  readonly length: number;
  /** Positions of the whole prompt, from whose end negative positions count. */
  readonly promptLength: number;
  /** Whether positions behind the prompt are still to come, as in generation. */
  readonly growing: boolean;
  /** Positions of the source, where the model reads one beside what it writes. */
  readonly source?: number;
  /** The sizes of named dimensions, where a model has other names than `batch` and `pos`. */
  readonly sizes?: ReadonlyMap<string, number>;
}

/** The size of a dimension in one run, where it is known before the run. */
export function runningSize(dim: Dim, axis: string, window: Window): number | undefined {
  if (typeof dim === "number") return dim;
  if (window.sizes) return window.sizes.get(dim);
  if (dim === "source") return window.source;
  if (axis === "batch") return window.batch;
  return axis === "key" ? window.start + window.length : window.length;
}

const positionAxes = new Set(["pos", "query"]);
const listOf = (x: number | readonly number[]): readonly number[] => (typeof x === "number" ? [x] : x);

/** Which elements of a point's value an edit changes. */
export class SelectionMask {
  /** Equal for masks that are fed in the same way. */
  readonly structure: string;
  private readonly heads?: readonly number[];
  private readonly positions?: readonly number[];

  constructor(
    { head, pos }: Selection,
    private readonly site: Site,
    private readonly inputName: string,
  ) {
    if (head !== undefined) {
      const count = site.shape[this.axis((axis) => axis === "head", "heads")] as number;
      this.heads = listOf(head).map((index) => this.inRange(index, count, "head"));
    }
    if (pos !== undefined) {
      this.axis((axis) => positionAxes.has(axis), "positions");
      this.positions = listOf(pos);
    }
    this.structure = `${this.heads ? "heads" : ""}${this.positions ? "positions" : ""}`;
  }

  /** The changed value where the mask says so, and the original elsewhere. */
  choose(changed: Value, original: Value): Value {
    if (!this.heads && !this.positions) return changed;
    const shape = original.shape.map((dim, i) => (this.chooses(this.site.axes[i]!) ? dim : 1));
    return g.where(g.input(this.inputName, "bool", shape), changed, original);
  }

  /** The mask for one run. */
  feeds(window: Window): Record<string, Feed> {
    if (!this.heads && !this.positions) return {};
    const factors = this.site.axes.map((axis, i) => {
      if (!this.chooses(axis)) return Uint8Array.of(1);
      return axis === "head"
        ? marked(this.heads!, this.site.shape[i] as number)
        : marked(this.positionsIn(this.along(window, i)), this.along(window, i).length);
    });
    const data = factors.reduce((outer, inner) => {
      const product = new Uint8Array(outer.length * inner.length);
      outer.forEach((a, i) => {
        inner.forEach((b, j) => {
          product[i * inner.length + j] = a & b;
        });
      });
      return product;
    });
    return { [this.inputName]: { dtype: "bool", shape: factors.map(({ length }) => length), data } };
  }

  private chooses(axis: string): boolean {
    return (
      (axis === "head" && this.heads !== undefined) ||
      (positionAxes.has(axis) && this.positions !== undefined)
    );
  }

  private axis(is: (axis: string) => boolean, what: string): number {
    const found = this.site.axes.findIndex(is);
    if (found < 0)
      throw new Error(`The point "${this.site.name}" has no ${what}, so an edit cannot choose among them.`);
    return found;
  }

  private inRange(index: number, count: number, what: string): number {
    const at = index < 0 ? index + count : index;
    if (Number.isInteger(index) && at >= 0 && at < count) return at;
    throw new Error(
      `The edit at "${this.site.name}" chooses ${what} ${index}, but there are ${count} of them.`,
    );
  }

  /** The window along an axis of positions. */
  private along(window: Window, axis: number): Window {
    const { source } = window;
    if (source !== undefined && this.site.shape[axis] === "source")
      return { ...window, start: 0, length: source, promptLength: source, growing: false };
    if (!window.sizes) return window;
    const length = runningSize(this.site.shape[axis]!, this.site.axes[axis]!, window);
    if (length !== undefined) return { ...window, length, promptLength: length };
    throw new Error(
      `How many positions "${this.site.name}" has is known only after it was computed, so an edit cannot choose among them.`,
    );
  }

  /** The chosen positions that lie in this run, counted from its start. */
  private positionsIn({ start, length, promptLength, growing }: Window): number[] {
    return this.positions!.flatMap((pos) => {
      const isToCome = growing && Number.isInteger(pos) && pos >= promptLength;
      const at = isToCome ? pos : this.inRange(pos, promptLength, "position");
      return at >= start && at < start + length ? [at - start] : [];
    });
  }
}

function marked(indices: readonly number[], length: number): Uint8Array {
  const mask = new Uint8Array(length);
  for (const index of indices) mask[index] = 1;
  return mask;
}
