/** Reference values: models with the numbers that transformers gives for them. */

import { join } from "node:path";
import {
  contiguous,
  type NpyArray,
  npyToTensor,
  readNpz,
  type Tensor,
  toNested,
} from "../../src/array/index.js";
import { loadModel, type Model } from "../../src/model/index.js";

/** A model with its reference values. */
export interface Reference {
  readonly model: Model;
  readonly names: readonly string[];
  tensor(name: string): Tensor;
  integers(name: string): number[][];
}

/** Opens a folder that holds a model and `reference.npz`. */
export async function openReference(folder: string): Promise<Reference> {
  const arrays = await readNpz(join(folder, "reference.npz"));
  const tensor = (name: string): Tensor => {
    const array = arrays.get(name);
    if (!array) throw new Error(`There is no reference value "${name}".`);
    return npyToTensor(array as NpyArray);
  };
  return {
    model: await loadModel(folder),
    names: [...arrays.keys()],
    tensor,
    integers: (name) => toNested(tensor(name)) as number[][],
  };
}

/** The names that follow a prefix, such as the hooks under `hook.`. */
export const under = ({ names }: Reference, prefix: string): string[] =>
  names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));

/**
 * The largest difference, divided by the scale of the reference (its largest finite magnitude, at least `floor`).
 * Equal infinities differ by nothing; anything else that is not finite differs by infinity.
 */
export function scaledError(actual: Tensor, expected: Tensor, floor = 0): number {
  const a = contiguous(actual).data;
  const b = contiguous(expected).data;
  if (a.length !== b.length) throw new Error(`The shapes [${actual.shape}] and [${expected.shape}] differ.`);
  let scale = floor;
  let worst = 0;
  for (const value of b) if (Number.isFinite(value)) scale = Math.max(scale, Math.abs(value));
  for (let i = 0; i < a.length; i++) {
    if (a[i] === b[i]) continue;
    const difference = Math.abs(a[i]! - b[i]!);
    worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(worst, difference);
  }
  return scale === 0 ? worst : worst / scale;
}

/** The worst of several errors with its name. */
export class Worst {
  error = 0;
  name = "nothing";
  count = 0;

  add(name: string, error: number): void {
    this.count++;
    if (!(error <= this.error)) Object.assign(this, { error, name });
  }

  toString(): string {
    return `worst of ${this.count}: ${this.error.toExponential(1)} at ${this.name}`;
  }
}
