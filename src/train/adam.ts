/** Adam with decoupled weight decay (Kingma & Ba 2015; Loshchilov & Hutter 2019). */

/** Settings of Adam. */
export interface AdamOptions {
  /** Decay rates of the means of the gradient and of its square; 0.9 and 0.999 by default. */
  readonly beta1?: number;
  readonly beta2?: number;
  /** Added to the root of the mean square; 1e-8 by default. */
  readonly epsilon?: number;
  /** Decoupled weight decay; 0 by default. */
  readonly weightDecay?: number;
  /** Which parameters decay; those of two axes or more by default, so not norms and biases. */
  readonly decays?: (name: string, shape: readonly number[]) => boolean;
}

/** Parameters by name: row-major values that training changes in place. */
export type ParameterMap = ReadonlyMap<
  string,
  { readonly data: Float32Array; readonly shape: readonly number[] }
>;

/** What Adam remembers: the means of the gradient and of its square, by parameter, and how many steps it took. */
export interface AdamState {
  step: number;
  readonly first: ReadonlyMap<string, Float32Array>;
  readonly second: ReadonlyMap<string, Float32Array>;
}

/** The state before the first step. */
export function adamState(parameters: ParameterMap): AdamState {
  const zeros = (): Map<string, Float32Array> =>
    new Map([...parameters].map(([name, { data }]) => [name, new Float32Array(data.length)]));
  return { step: 0, first: zeros(), second: zeros() };
}

/**
 * One step: changes the parameters and the state in place.
 *
 * @param gradientScale what the gradients are multiplied by first, as clipping asks
 */
export function adamStep(
  parameters: ParameterMap,
  gradients: ReadonlyMap<string, Float32Array>,
  state: AdamState,
  learningRate: number,
  options: AdamOptions = {},
  gradientScale = 1,
): void {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = options;
  const decays = options.decays ?? ((_, shape) => shape.length >= 2);
  state.step++;
  const rate = learningRate / (1 - beta1 ** state.step);
  const correction = 1 / (1 - beta2 ** state.step);
  for (const [name, { data, shape }] of parameters) {
    const gradient = gradients.get(name);
    if (!gradient) continue;
    const keep = decays(name, shape) ? 1 - learningRate * weightDecay : 1;
    const first = state.first.get(name)!;
    const second = state.second.get(name)!;
    for (let i = 0; i < data.length; i++) {
      const slope = gradient[i]! * gradientScale;
      const m = beta1 * first[i]! + (1 - beta1) * slope;
      const v = beta2 * second[i]! + (1 - beta2) * slope * slope;
      first[i] = m;
      second[i] = v;
      data[i] = data[i]! * keep - (rate * m) / (Math.sqrt(v * correction) + epsilon);
    }
  }
}
