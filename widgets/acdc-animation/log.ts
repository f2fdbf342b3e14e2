import { encodeTensor, type WireTensor } from "../tensor.js";
import type { DecidedEdge } from "./source.js";
import { stepWidth } from "./state.js";

/** So many steps at most travel again with each message. */
const longestTail = 1024;

/** The steps of a search as they grow, and their two parts on the wire. */
export class StepLog {
  private data: Float32Array;
  private rows = 0;
  /** How many steps stand in `log`; the others in `tail`. */
  private settled = 0;

  constructor(steps: readonly DecidedEdge[]) {
    this.data = new Float32Array(Math.max(64, 2 * steps.length) * stepWidth);
    for (const step of steps) this.add(step, this.rows);
    this.settled = this.rows;
  }

  /** How many steps there are. */
  get length(): number {
    return this.rows;
  }

  /** Adds the step of a place; what stood there and behind it is forgotten. */
  add({ edge, before, after, kept }: DecidedEdge, index: number): void {
    this.rows = Math.min(this.rows, index);
    if ((this.rows + 1) * stepWidth > this.data.length) {
      const larger = new Float32Array(2 * this.data.length);
      larger.set(this.data);
      this.data = larger;
    }
    this.data.set([edge, before, after ?? Number.NaN, kept ? 1 : 0], this.rows * stepWidth);
    this.rows++;
  }

  /** The edges that the first so many steps have removed. */
  *removed(position: number): Generator<number> {
    const end = position < 0 ? this.rows : Math.min(position, this.rows);
    for (let row = 0; row < end; row++)
      if (this.data[row * stepWidth + 3] === 0) yield this.data[row * stepWidth]!;
  }

  /** Both parts. */
  wire(): { log: WireTensor; tail: WireTensor } {
    this.settled = this.rows;
    return { log: this.part(0, this.rows), tail: this.part(this.rows, this.rows) };
  }

  /** What has changed since the last message: the tail, or both parts when it has grown long. */
  news(): { log?: WireTensor; tail: WireTensor } {
    if (this.rows < this.settled || this.rows - this.settled > longestTail) return this.wire();
    return { tail: this.part(this.settled, this.rows) };
  }

  private part(start: number, end: number): WireTensor {
    return encodeTensor(this.data.subarray(start * stepWidth, end * stepWidth), [end - start, stepWidth]);
  }
}
