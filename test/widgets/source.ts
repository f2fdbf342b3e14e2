import type { Point } from "../../widgets/activation-table/points.js";
import type { Region, TableSource } from "../../widgets/activation-table/reader.js";

/** Values of a point as a function of its indices, in the order of its axes. */
export type Values = (...index: number[]) => number;

/** A source that computes its values, and counts how many it has given. */
export class ComputedSource implements TableSource {
  readonly points: Point[] = [];
  readonly values = new Map<string, Values>();
  given = 0;
  /** Awaited before each answer. */
  pause: () => Promise<void> | void = () => {};

  constructor(
    readonly tokens: readonly (readonly string[])[],
    readonly label?: (name: string, axis: string, index: number) => string | undefined,
  ) {}

  add(point: Point, values: Values): this {
    this.points.push(point);
    this.values.set(point.name, values);
    return this;
  }

  async slice(name: string, { batch, head, rows, cols }: Region): Promise<Float32Array> {
    await this.pause();
    const { axes } = this.points.find((point) => point.name === name)!;
    const values = this.values.get(name)!;
    const [width, height] = [cols[1] - cols[0], rows[1] - rows[0]];
    const out = new Float32Array(width * height);
    for (let i = 0; i < out.length; i++) {
      const cell = [rows[0] + Math.floor(i / width), cols[0] + (i % width)];
      const index = axes.map((axis) =>
        axis === "batch" ? batch : axis === "head" && head !== null ? head : cell.shift()!,
      );
      out[i] = values(...index);
    }
    this.given += out.length;
    return out;
  }
}

/** Numbers that look random and are the same everywhere. */
export function noise(...index: number[]): number {
  let hash = 2166136261;
  for (const i of index) hash = Math.imul(hash ^ (i + 0x9e37), 16777619) ^ (hash >>> 13);
  hash = Math.imul(hash ^ (hash >>> 15), 2246822507);
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32;
}

/** A standard normal number of the same kind. */
export function normal(...index: number[]): number {
  const [u, v] = [noise(1, ...index), noise(2, ...index)];
  return Math.sqrt(-2 * Math.log(u + 1e-12)) * Math.cos(2 * Math.PI * v);
}
