import { normalTensor, randomGenerator, type Tensor, tensor } from "../array/index.js";
import * as g from "../graph/index.js";
import type { Objective } from "../train/index.js";

/** Options of `superposition`. */
export interface SuperpositionOptions {
  /** Features of the data. Default 5. */
  readonly features?: number;
  /** Dimensions that they are squeezed into. Default 2. */
  readonly hidden?: number;
  /** How likely each feature is zero, from 0 to below 1. Default 0.9. */
  readonly sparsity?: number;
  /** What an error of each feature costs: one number each, or a factor from one to the next. Default 0.9. */
  readonly importance?: number | readonly number[];
  /** Samples of one step. Default 256. */
  readonly batch?: number;
  /** A whole number or a text; the same seed gives the same start and the same data. Default 0. */
  readonly seed?: number | string;
}

/** A toy model of superposition, to be given to `train`. */
export interface Superposition extends Objective {
  /** `W` is `[hidden, features]`: column `i` is the direction of feature `i`. `b` is `[features]`. */
  readonly parameters: ReadonlyMap<"W" | "b", Tensor>;
  /** What an error of each feature costs. */
  readonly importance: readonly number[];
  /** Samples `[count, features]`: each feature zero with the probability `sparsity`, otherwise uniform from 0 to 1. */
  data(count: number, seed: number | string): Tensor;
  /** The inputs of a step. */
  batch(step: number): { readonly x: { dtype: "float32"; shape: readonly number[]; data: Float32Array } };
}

/**
 * The toy model of superposition (Elhage et al. 2022, "Toy Models of Superposition"): x' = ReLU(Wᵀ W x + b), trained to
 * give x back, with the loss mean over samples of Σ importanceᵢ (xᵢ − x'ᵢ)². Dense features get a dimension each, as many
 * as there are; sparse ones share dimensions.
 *
 * @throws RangeError where a number is out of its range
 * @example
 * ```ts
 * import { train } from "tslens/train";
 *
 * const toy = superposition({ features: 5, hidden: 2, sparsity: 0.9 });
 * await train(toy, { steps: 20, schedule: () => 1e-2, batch: toy.batch });
 * featureGeometry(toy.parameters.get("W")!).norms; // five lengths
 * ```
 */
export function superposition(options: SuperpositionOptions = {}): Superposition {
  const { features = 5, hidden = 2, sparsity = 0.9, batch = 256, seed = 0 } = options;
  for (const [what, value] of Object.entries({ features, hidden, batch })) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new RangeError(`${what} is a whole number from 1 on; ${value} came.`);
  }
  if (!(sparsity >= 0 && sparsity < 1))
    throw new RangeError(`The sparsity is a probability from 0 to below 1; ${sparsity} came.`);
  const importance = importances(options.importance ?? 0.9, features);
  const random = randomGenerator(seed);
  const W = normalTensor(random.fork("W"), [hidden, features], {
    standardDeviation: 1 / Math.sqrt(features),
  });
  const b = tensor(new Float32Array(features), [features]);

  const data = (count: number, dataSeed: number | string): Tensor => {
    const draw = randomGenerator(dataSeed).fork("superposition");
    const values = Float32Array.from({ length: count * features }, () => {
      const size = draw.uniform();
      return draw.uniform() < sparsity ? 0 : size;
    });
    return tensor(values, [count, features]);
  };

  const x = g.input("x", "float32", ["batch", features]);
  const weight = g.parameter("W", "float32", [hidden, features]);
  const squeezed = g.matmul(x, g.transpose(weight, [1, 0]));
  const output = g.relu(g.add(g.matmul(squeezed, weight), g.parameter("b", "float32", [features])));
  const errors = g.square(g.sub(output, x));
  const costs = g.constant(importance, [features]);
  return {
    loss: g.mean(g.sum(g.mul(errors, costs), [-1])),
    parameters: new Map([
      ["W", W],
      ["b", b],
    ] as const),
    importance,
    data,
    batch: (step) => {
      const { data: values, shape } = data(batch, `${seed}/${step}`);
      return { x: { dtype: "float32", shape, data: values as Float32Array } };
    },
  };
}

function importances(importance: number | readonly number[], features: number): number[] {
  const all =
    typeof importance === "number"
      ? Array.from({ length: features }, (_, i) => importance ** i)
      : [...importance];
  if (all.length !== features || !all.every((value) => value >= 0))
    throw new RangeError(
      `There are ${all.length} importances for ${features} features; each feature has one from 0 on.`,
    );
  return all;
}

/** How features lie in the space that they share. */
export interface FeatureGeometry {
  /** ‖Wᵢ‖: about 1 for a feature that is represented, 0 for one that is not. */
  readonly norms: readonly number[];
  /** Σⱼ≠ᵢ (Ŵᵢ · Wⱼ)²: how much other features disturb feature `i`; 0 where it has a dimension of its own. */
  readonly interference: readonly number[];
  /** ‖Wᵢ‖² / Σⱼ (Ŵᵢ · Wⱼ)²: the share of a dimension that the feature has. */
  readonly dimensionality: readonly number[];
}

/**
 * Lengths, interference and dimensionality of features (Elhage et al. 2022, "The Geometry of Superposition").
 *
 * @param W `[hidden, features]`, one column a feature
 */
export function featureGeometry(W: Tensor): FeatureGeometry {
  const [hidden, features] = W.shape as [number, number];
  const dot = (i: number, j: number): number => {
    let sum = 0;
    for (let h = 0; h < hidden; h++) sum += W.get(h, i) * W.get(h, j);
    return sum;
  };
  const all = Array.from({ length: features }, (_, i) => i);
  const norms = all.map((i) => Math.sqrt(dot(i, i)));
  const overlap = (i: number, j: number): number => (norms[i] === 0 ? 0 : (dot(i, j) / norms[i]!) ** 2);
  const interference = all.map((i) => all.reduce((sum, j) => (j === i ? sum : sum + overlap(i, j)), 0));
  return {
    norms,
    interference,
    dimensionality: all.map((i) => {
      const square = norms[i]! ** 2;
      return square === 0 ? 0 : square / (square + interference[i]!);
    }),
  };
}
