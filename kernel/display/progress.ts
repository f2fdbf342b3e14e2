import { inspect } from "node:util";
import type { Progress } from "../../src/runtime/host.js";
import type { MimeBundle } from "./mime.js";

const MIN_MS = 100;
const BAR = 24;

/** One line of text that says how far a task has come, at most ten times a second. */
export class ProgressLine {
  readonly #start: number;
  #shown = Number.NEGATIVE_INFINITY;
  #last: Progress | undefined;

  constructor(
    private readonly show: (bundle: MimeBundle) => void,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#start = now();
  }

  /** Takes the latest state; the line is drawn when it is due, and always at the end of the task. */
  update(progress: Progress): void {
    this.#last = progress;
    const now = this.now();
    const finished = progress.total !== undefined && progress.done >= progress.total;
    if (!finished && now - this.#shown < MIN_MS) return;
    this.#draw(now);
  }

  /** Draws the latest state where it is not drawn yet. */
  finish(): void {
    if (this.#last) this.#draw(this.now());
  }

  #draw(now: number): void {
    const progress = this.#last!;
    this.#shown = now;
    this.#last = undefined;
    this.show({ "text/plain": progressText(progress, (now - this.#start) / 1000) });
  }
}

/**
 * The line: a bar where the end is known, the count, the rate, the time left and the figures.
 *
 * @param seconds since the task began
 */
export function progressText({ task, done, total, values = {} }: Progress, seconds: number): string {
  const rate = seconds > 0 ? done / seconds : 0;
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
