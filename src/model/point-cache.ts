/** The values of points that a run has kept, of any model. */

import { type AnyTensor, displaySymbol, inspectSymbol, type Tensor } from "../array/index.js";
import { nearest } from "../graph/index.js";

/** The values of points that a run has kept, by name. */
export class PointCache {
  constructor(
    protected readonly values: ReadonlyMap<string, Tensor>,
    private readonly axesOf: (name: string) => readonly string[],
  ) {}

  /**
   * A point's value. Of points that hold no floats it is an `NdArray` of their own type all the same.
   *
   * @throws if the run did not keep it, with the nearest names
   */
  get(name: string): Tensor {
    const value = this.values.get(name);
    if (value) return value;
    throw new Error(
      `The cache has no "${name}". The nearest are ${nearest(name, this.values.keys()).join(", ")}.`,
    );
  }

  /** Whether the run kept a point. */
  has(name: string): boolean {
    return this.values.has(name);
  }

  /** The full names of the points that the run kept. */
  get names(): string[] {
    return [...this.values.keys()];
  }

  /** The points that the run kept, with their values. */
  entries(): IterableIterator<[string, Tensor]> {
    return new Map(this.values).entries();
  }

  /** What each dimension of a point's value is, such as `["batch", "pos", "head", "dHead"]`. */
  axes(name: string): readonly string[] {
    return this.axesOf(name);
  }

  /** Bytes that the values take; several points of one value, such as `hook_mlp_in` and `hook_resid_mid`, share them. */
  get byteLength(): number {
    const distinct = new Set([...this.values.values()].map((value: AnyTensor) => value.data));
    return [...distinct].reduce((sum, data) => sum + data.byteLength, 0);
  }

  /** What it holds, in a few words. */
  protected get contents(): string {
    return `${this.values.size} points, ${(this.byteLength / 2 ** 20).toFixed(1)} MiB`;
  }

  /** A line of text: how much it holds, and of what. */
  toString(): string {
    return `${this.constructor.name} (${this.contents})`;
  }

  /** What consoles show. */
  [inspectSymbol](): string {
    return this.toString();
  }

  /** What notebooks show. */
  [displaySymbol](): Record<string, string> {
    return { "text/plain": `${this.toString()}\n${this.summary().join("\n")}` };
  }

  /** The points with their shapes. */
  protected summary(): string[] {
    return [...this.values].map(([name, { shape }]) => `${name} [${shape.join(", ")}]`);
  }
}
