/** Where the steps of a timeline stand along the scrubber and the charts above it. */
export interface Axis {
  /** The place of a step, 0 to 1. */
  place(step: number): number;
  /** The step at a place. */
  step(place: number): number;
}

/** Every step is as wide as every other. */
export function linearAxis(count: number): Axis {
  return {
    place: (step) => (count > 0 ? step / count : 0),
    step: (place) => Math.round(place * count),
  };
}

/** As logarithms of how many edges are left: the few strongest edges of a ranking take as much room as the many weak ones. */
export function rankAxis(count: number): Axis {
  const whole = Math.log1p(count) || 1;
  return {
    place: (step) => 1 - Math.log1p(Math.max(0, count - step)) / whole,
    step: (place) => Math.round(count - Math.expm1((1 - place) * whole)),
  };
}
