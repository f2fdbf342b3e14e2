import type { ColourScale } from "../colour.js";
import type { Summary } from "./state.js";

/**
 * The colour scale of a table: from 0 upwards where nothing is negative, else symmetric about 0, so that the middle
 * colour always means 0. A few far larger values (as the residual stream has) would leave all others pale, so a
 * `typical` range ends at the magnitude of 99 % of the values if the largest is more than twice that.
 *
 * @param range the range that such values have by their nature, which wins over the data's
 */
export function chooseScale(
  { min, max, typical }: Summary,
  range: readonly [number, number] | undefined,
  mode: "typical" | "full",
): { scale: ColourScale; beyond: boolean } {
  const [low, high] = [min ?? 0, max ?? 0];
  if (range) {
    const kind = range[0] < 0 ? "diverging" : "sequential";
    return { scale: { kind, low: range[0], high: range[1] }, beyond: low < range[0] || high > range[1] };
  }
  const largest = Math.max(Math.abs(low), Math.abs(high));
  const limit = mode === "typical" && typical > 0 && largest > 2 * typical ? typical : largest;
  const beyond = largest > limit;
  if (low >= 0 && high > 0) return { scale: { kind: "sequential", low: 0, high: limit }, beyond };
  return { scale: { kind: "diverging", low: -limit, high: limit }, beyond };
}
