/** Rotary position embedding (Su et al. 2021), in the half-split arrangement of transformers. */

import type { Value } from "../graph/index.js";
import * as g from "../graph/index.js";
import type { RotaryConfig } from "./config.js";

/** Cosines and sines of the angles at each position: `[batch, pos, 1, dim/2]`. */
export function rotaryAngles(config: RotaryConfig, positions: Value): { cos: Value; sin: Value } {
  const frequencies = g.constant(inverseFrequencies(config), [config.dim / 2]);
  const angles = g.mul(g.unsqueeze(g.cast(positions, "float32"), [2, 3]), frequencies);
  return { cos: g.cos(angles), sin: g.sin(angles) };
}

/** Turns the first `dim` dimensions of each head; the rest stay as they are. */
export function rotate(x: Value, { dim }: RotaryConfig, { cos, sin }: { cos: Value; sin: Value }): Value {
  const width = x.shape.at(-1) as number;
  const half = dim / 2;
  const [first, second, rest] = g.split(x, -1, width === dim ? [half, half] : [half, half, width - dim]);
  const turned = [
    g.sub(g.mul(first!, cos), g.mul(second!, sin)),
    g.add(g.mul(second!, cos), g.mul(first!, sin)),
  ];
  return g.concat(rest ? [...turned, rest] : turned, -1);
}

/**
 * Angles per position, rounded to float32 as transformers has them. Llama 3 slows the long wavelengths by `factor`
 * and blends between (`_compute_llama3_parameters`).
 */
export function inverseFrequencies({ base, dim, scaling }: RotaryConfig): number[] {
  return Array.from({ length: dim / 2 }, (_, i) => {
    const frequency = Math.fround(1 / Math.fround(base ** Math.fround((2 * i) / dim)));
    if (!scaling) return frequency;
    const { factor, lowFreqFactor, highFreqFactor, originalContext } = scaling;
    const wavelength = (2 * Math.PI) / frequency;
    if (wavelength > originalContext / lowFreqFactor) return Math.fround(frequency / factor);
    if (wavelength < originalContext / highFreqFactor) return frequency;
    const smooth = (originalContext / wavelength - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
    return Math.fround(((1 - smooth) * frequency) / factor + smooth * frequency);
  });
}
