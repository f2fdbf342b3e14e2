import { inspect } from "node:util";
import type { Progress } from "../../src/runtime/host.js";
import type { MimeBundle } from "./mime.js";

const MIN_MS = 100;
/** Work that is over sooner needs no line: it would only flicker, and stay in the notebook. */
const PATIENCE_MS = 500;
const BAR = 24;

/** One line of text that says how far a task has come: none in its first half second, then at most ten times a second. */
export class ProgressLine {
  readonly #start: number;
  #shown: number | undefined;
  #first: number | undefined;
  #last: Progress | undefined;

  constructor(
    private readonly show: (bundle: MimeBundle) => void,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#start = now();
  }

  /** Takes the latest state; the line is drawn when it is due, and at the end of a task that has had one. */
  update(progress: Progress): void {
    this.#first ??= progress.done;
    this.#last = progress;
    const now = this.now();
    const finished = progress.total !== undefined && progress.done >= progress.total;
    const due =
      this.#shown === undefined ? now - this.#start >= PATIENCE_MS : finished || now - this.#shown >= MIN_MS;
    if (due) this.#draw(now);
  }

  /** Draws the latest state where there is a line that does not show it yet. */
  finish(): void {
    if (this.#last && this.#shown !== undefined) this.#draw(this.now());
  }

  #draw(now: number): void {
    const progress = this.#last!;
    this.#shown = now;
    this.#last = undefined;
    this.show({ "text/plain": progressText(progress, (now - this.#start) / 1000, this.#first) });
  }
}

/**
 * The line: a bar where the end is known, the count, the rate, the time left and the figures.
 *
 * @param seconds since the first word of the task
 * @param first what was done then: resumed work does not begin at 0. Default 0
 */
export function progressText(
  { task, done, total, values = {} }: Progress,
  seconds: number,
  first: number = 0,
): string {
  const rate = seconds > 0 ? (done - first) / seconds : 0;
  const parts = [task];
  if (total !== undefined && total > 0) {
    const filled = Math.round(BAR * Math.min(1, done / total));
    parts.push(`${"█".repeat(filled)}${"░".repeat(BAR - filled)}`, `${count(done)}/${count(total)}`);
  } else parts.push(count(done));
  if (rate > 0) parts.push(`${count(rate)}/s`);
  if (rate > 0 && total !== undefined) {
    parts.push(done < total ? `${duration((total - done) / rate)} left` : `in ${duration(seconds)}`);
  }
  for (const [name, value] of Object.entries(values))
    parts.push(`${name} ${inspect(Number(value.toPrecision(4)))}`);
  return parts.join("  ");
}

function count(value: number): string {
  return Number.isInteger(value) || value >= 100 ? String(Math.round(value)) : value.toPrecision(3);
}

function duration(seconds: number): string {
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
