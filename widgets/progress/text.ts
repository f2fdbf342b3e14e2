import type { ProgressState } from "./state.js";

const BAR = 24;

/** How far, how fast and how long still: the parts of a line about the work, without its name and its bar. */
export function progressParts({ done, total, seconds, rate, values }: ProgressState): string[] {
  const parts = [total ? `${countText(done)}/${countText(total)}` : countText(done)];
  if (rate) parts.push(`${countText(rate)}/s`);
  if (rate && total) {
    parts.push(done < total ? `${durationText((total - done) / rate)} left` : `in ${durationText(seconds)}`);
  }
  for (const [name, value] of Object.entries(values)) parts.push(`${name} ${value}`);
  return parts;
}

/** The bar as one line of text. */
export function progressText(state: ProgressState): string {
  const filled = Math.round(BAR * fractionDone(state));
  const bar = state.total ? [`${"█".repeat(filled)}${"░".repeat(BAR - filled)}`] : [];
  return [state.task, ...bar, ...progressParts(state)].join("  ");
}

/** How much of the work is done, from 0 to 1; 0 where its end is not known. */
export function fractionDone({ done, total }: ProgressState): number {
  return total ? Math.max(0, Math.min(1, done / total)) : 0;
}

/** A count, or a rate in three digits. */
function countText(value: number): string {
  return Number.isInteger(value) || value >= 100 ? String(Math.round(value)) : value.toPrecision(3);
}

/** Seconds in a unit that fits. */
function durationText(seconds: number): string {
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
