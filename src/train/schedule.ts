/** Learning rates over time. */

/** The learning rate of a step, counted from 0. */
export type Schedule = (step: number) => number;

/** The same rate always. */
export const constantRate =
  (rate: number): Schedule =>
  () =>
    rate;

/**
 * Rises in a straight line over `warmup` steps, then falls along a cosine to `final` at the last of `steps`.
 *
 * @param options.final 0 by default
 */
export function cosineSchedule(options: {
  peak: number;
  steps: number;
  warmup?: number;
  final?: number;
}): Schedule {
  const { peak, steps, warmup = 0, final = 0 } = options;
  return (step) => {
    if (step < warmup) return (peak * (step + 1)) / warmup;
    const progress = Math.min(1, (step - warmup) / Math.max(1, steps - warmup));
    return final + 0.5 * (peak - final) * (1 + Math.cos(Math.PI * progress));
  };
}
