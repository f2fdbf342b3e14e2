/** Metrics that compare logits with reference ones. */

import { contiguous, type Tensor } from "../../array/index.js";
import type { Value } from "../../graph/index.js";
import * as g from "../../graph/index.js";
import { type LoweredMetric, type MetricInput, meanOf } from "./lowered.js";
import type { SquaredError } from "./metric.js";

/** The mean squared difference in a graph. */
export function lowerSquaredError(
  { reference, from }: SquaredError,
  logits: Value,
  { tokens, task }: MetricInput,
): LoweredMetric {
  const [rows, length] = [tokens.length, tokens[0]!.length];
  const width = logits.shape.at(-1) as number;
  if (task === "classification")
    throw new Error("squaredError compares logits of positions, which a classifier lacks.");
  if (reference.shape.length !== 3 || !sameSizes(reference.shape, [rows, length, width]))
    throw new Error(
      `The reference logits have the shape [${reference.shape}]; expected [${rows}, ${length}, ${width}].`,
    );
  if (!Number.isInteger(from) || from < 0 || from >= length)
    throw new Error(`The metric counts positions from ${from} on, but the input has ${length} positions.`);
  const wanted = g.input("metric.reference", "float32", ["batch", "pos", width]);
  const after = (x: Value): Value => g.slice(x, 1, from);
  const { data } = contiguous(reference);
  return meanOf(g.mean(g.square(g.sub(after(logits), after(wanted))), [1, 2]), {
    "metric.reference": { dtype: "float32", shape: [rows, length, width], data },
  });
}

const sameSizes = (a: readonly number[], b: readonly number[]): boolean =>
  a.every((size, i) => size === b[i]);

/** One position of reference logits, `[batch, dVocab]`. */
export function referenceRow(reference: Tensor, pos: number, rows: number, { task }: MetricInput): Tensor {
  const [batch, length] = reference.shape as [number, number, number];
  if (task === "classification" && reference.shape.length === 2 && batch === rows)
    return contiguous(reference);
  if (task === "classification" || reference.shape.length !== 3 || batch !== rows)
    throw new Error(
      `The reference logits have the shape [${reference.shape}]; expected [${rows}, ${task === "classification" ? "labels" : "pos, dVocab"}].`,
    );
  return contiguous(reference.pick(null, pos < 0 ? pos + length : pos, null) as Tensor);
}
