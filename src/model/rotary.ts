/** Rotary position embedding (Su et al. 2021), with the numbers that transformers has. */

import type { Value } from "../graph/index.js";
import * as g from "../graph/index.js";
import type { RotaryConfig, RotaryScaling } from "./config.js";

/** Cosines and sines of the angles at each position, and which dimensions they turn. */
export interface RotaryAngles {
  readonly config: RotaryConfig;
  /** `[batch, pos, 1, dim/2]` */
  readonly cos: Value;
  readonly sin: Value;
}

/** The angles at the positions of a run; `total` is the dimension of all positions so far. */
export function rotaryAngles(
  config: RotaryConfig,
  { positions, total }: { readonly positions: Value; readonly total: string },
): RotaryAngles {
  const half = config.dim / 2;
  const short = g.constant(inverseFrequencies(config), [half]);
  const { long } = config;
  const frequencies = long
    ? g.where(
        g.greater(g.dimension(total), g.scalar(long.from, "int64")),
        g.constant(inverseFrequencies({ ...config, divisors: long.divisors }), [half]),
        short,
      )
    : short;
  const angles = g.mul(g.unsqueeze(g.cast(positions, "float32"), [2, 3]), frequencies);
  const factor = config.factor ?? 1;
  const scaled = (x: Value): Value => (factor === 1 ? x : g.mul(x, factor));
  return { config, cos: scaled(g.cos(angles)), sin: scaled(g.sin(angles)) };
}

/** Turns the first `dim` dimensions of each head; the rest stay as they are. */
export function rotate(x: Value, { config, cos, sin }: RotaryAngles): Value {
  const { dim, pairs } = config;
  const width = x.shape.at(-1) as number;
  const half = dim / 2;
  const [turned, rest] = width === dim ? [x] : g.split(x, -1, [dim, width - dim]);
  const [first, second] = pairs === "adjacent" ? adjacent(turned!, half) : g.split(turned!, -1, [half, half]);
  const parts = [
    g.sub(g.mul(first!, cos), g.mul(second!, sin)),
    g.add(g.mul(second!, cos), g.mul(first!, sin)),
  ];
  if (pairs !== "adjacent") return g.concat(rest ? [...parts, rest] : parts, -1);
  const axis = x.rank;
  const woven = g.concat(
    parts.map((part) => g.unsqueeze(part, [axis])),
    axis,
  );
  const whole = g.reshape(woven, [...x.shape.slice(0, -1), dim]);
  return rest ? g.concat([whole, rest], -1) : whole;
}

/** The even and the odd dimensions. */
function adjacent(x: Value, half: number): Value[] {
  const paired = g.reshape(x, [...x.shape.slice(0, -1), half, 2]);
  return g.split(paired, -1, [1, 1]).map((part) => g.squeeze(part, [x.rank]));
}

/** Angles per position, rounded to float32 as transformers has them. */
export function inverseFrequencies({ base, dim, divisors, scaling }: RotaryConfig): number[] {
  return Array.from({ length: dim / 2 }, (_, i) => {
    const wavelength = Math.fround(base ** Math.fround((2 * i) / dim));
    const frequency = Math.fround(1 / Math.fround(Math.fround(divisors?.[i] ?? 1) * wavelength));
    if (scaling?.kind === "linear") return Math.fround(frequency / scaling.factor);
    if (scaling?.kind === "llama3") return llama3Frequency(frequency, scaling);
    if (scaling?.kind === "yarn") return yarnFrequency(frequency, wavelength, i, scaling);
    return frequency;
  });
}

type Scaling<K> = Extract<RotaryScaling, { kind: K }>;

/** YaRN keeps the fast turns, divides the slow ones by `factor`, and blends between. */
function yarnFrequency(
  frequency: number,
  wavelength: number,
  i: number,
  { factor, from, to }: Scaling<"yarn">,
): number {
  const slowed = Math.fround(1 / Math.fround(factor * wavelength));
  const share = Math.fround(1 - Math.min(1, Math.max(0, (i - from) / (to - from))));
  return Math.fround(Math.fround(slowed * Math.fround(1 - share)) + Math.fround(frequency * share));
}

/** Llama 3 slows the long wavelengths by `factor` and blends between (`_compute_llama3_parameters`). */
function llama3Frequency(
  frequency: number,
  { factor, lowFreqFactor, highFreqFactor, originalContext }: Scaling<"llama3">,
): number {
  const wavelength = (2 * Math.PI) / frequency;
  if (wavelength > originalContext / lowFreqFactor) return Math.fround(frequency / factor);
  if (wavelength < originalContext / highFreqFactor) return frequency;
  const smooth = (originalContext / wavelength - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
  return Math.fround(((1 - smooth) * frequency) / factor + smooth * frequency);
}
