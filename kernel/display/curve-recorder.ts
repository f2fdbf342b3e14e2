import type { ProgressCurve } from "../../widgets/progress/model.js";

/** A curve has at most so many points: a browser shows no more, and each update carries all of them. */
const MAX_POINTS = 200;

/** The course of a figure in evenly spaced points, however long the work: when they are full, every second one goes. */
export class CurveRecorder {
  #points: (readonly [done: number, value: number])[] = [];
  #latest: readonly [done: number, value: number] | undefined;
  #stride = 1;
  #count = 0;

  constructor(readonly name: string) {}

  /** Adds what the figure is after so much work. */
  add(done: number, value: number): void {
    this.#latest = [done, value];
    if (this.#count++ % this.#stride > 0) return;
    this.#points.push(this.#latest);
    if (this.#points.length < MAX_POINTS) return;
    this.#points = this.#points.filter((_, i) => i % 2 === 0);
    this.#stride *= 2;
  }

  /** The curve so far; its last point is the latest. */
  get curve(): ProgressCurve {
    const latest = this.#latest;
    const more = latest && this.#points.at(-1) !== latest ? [latest] : [];
    return { name: this.name, points: [...this.#points, ...more] };
  }
}
