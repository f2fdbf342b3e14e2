/** Widgets with a `min` and a `max` keep their values between them, as ipywidgets does. */
import type { WidgetDefinition } from "./traits.js";

type Values = Readonly<Record<string, unknown>>;

/**
 * What a change means for a widget with bounds: a value outside of them is moved to the nearer one.
 *
 * @param old the values before
 * @param patch the change, checked
 * @returns the change, with the value where it has to follow
 * @throws RangeError where the least value would be larger than the largest
 */
export function withinBounds({ name, traits }: WidgetDefinition, old: Values, patch: Values): Values {
  if (!traits.min || !traits.max || !traits.value || !("min" in patch || "max" in patch || "value" in patch))
    return patch;
  const { min, max, value, base } = { ...old, ...patch };
  const logarithm = typeof base === "number"; // The bounds of a FloatLogSlider are exponents.
  const limit = (bound: unknown): number => (logarithm ? base ** (bound as number) : (bound as number));
  if (typeof min === "number" && typeof max === "number" && min > max)
    throw new RangeError(`The least value of ${name}, ${min}, would be above its largest, ${max}.`);
  if (typeof min !== "number" || typeof max !== "number") return patch;
  const clamp = (x: number): number => Math.min(Math.max(x, limit(min)), limit(max));
  if (typeof value === "number") return follow(patch, value, clamp(value));
  if (!Array.isArray(value)) return patch;
  const [lower, upper] = value as [number, number];
  if (lower > upper)
    throw new RangeError(`The range of ${name} begins at ${lower}, above its end, ${upper}.`);
  const moved = [clamp(lower), clamp(upper)];
  return moved[0] === lower && moved[1] === upper ? patch : { ...patch, value: moved };
}

function follow(patch: Values, value: number, moved: number): Values {
  return moved === value ? patch : { ...patch, value: moved };
}
