/** Linear maps as values: their matrices and biases, whatever way they are stored. */

import { contiguous, type Tensor, tensor } from "../array/index.js";
import type { Linear } from "./family.js";
import type { Parameters } from "./parameters.js";

/** A map's matrix as `[in, out]`; a view where it is stored otherwise. */
export function matrixOf(parameters: Parameters, map: Linear): Tensor {
  const stored = parameters.read(map.weight);
  const whole = map.layout === "inOut" ? stored : (stored.transpose(1, 0) as Tensor);
  return map.part ? columns(whole, partColumns(map)) : whole;
}

/** A map's bias `[out]`; zeros where it has none. */
export function biasOf(parameters: Parameters, map: Linear): Float32Array {
  if (map.bias === undefined) return new Float32Array(map.dOut);
  const { data } = parameters.read(map.bias);
  return map.part ? Float32Array.from(partColumns(map), (at) => data[at]!) : data;
}

/** The outputs of a shared matrix that are this map's. */
export function partColumns({ part, dOut }: Linear): number[] {
  const { from, of, groups = 1 } = part!;
  const each = dOut / groups;
  return Array.from({ length: dOut }, (_, i) => Math.floor(i / each) * (of / groups) + from + (i % each));
}

function columns(matrix: Tensor, which: readonly number[]): Tensor {
  const [rows, all] = matrix.shape as [number, number];
  const first = which[0]!;
  if (which.every((column, i) => column === first + i))
    return matrix.hi(rows, first + which.length).lo(0, first) as Tensor;
  const { data } = contiguous(matrix);
  const result = new Float32Array(rows * which.length);
  for (let row = 0, at = 0; row < rows; row++)
    for (const column of which) result[at++] = data[row * all + column]!;
  return tensor(result, [rows, which.length]);
}
