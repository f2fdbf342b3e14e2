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

/**
 * Schedules one after another, each for its own number of steps and the last one on and on: with falling ones, warm restarts
 * (Loshchilov and Hutter 2017, "SGDR").
 *
 * @example
 * ```ts
 * const first = cosineSchedule({ peak: 2e-3, steps: 100 });
 * const rate = inTurn([[100, first], [50, cosineSchedule({ peak: 1e-3, steps: 50 })]]);
 * rate(100); // 1e-3: the second begins
 * ```
 */
export function inTurn(schedules: readonly (readonly [steps: number, schedule: Schedule])[]): Schedule {
  if (schedules.length === 0) throw new Error("Schedules in turn are one at least; none came.");
  return (step) => {
    let from = 0;
    for (const [steps, schedule] of schedules.slice(0, -1)) {
      if (step < from + steps) return schedule(step - from);
      from += steps;
    }
    return schedules.at(-1)![1](step - from);
  };
}
