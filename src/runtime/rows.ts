/**
 * Running a batch some rows at a time: each run stays short, so that between runs a signal is looked at and the event
 * loop breathes, and the memory is that of the results and of one part.
 */

import { type AnyTensor, sizeOf, tensor } from "../array/tensor.js";
import type { Value } from "../graph/value.js";
import { reportProgress } from "./host.js";
import type { Feed } from "./ort.js";
import type { Plan, RunOptions } from "./plan.js";

/** The dimension that rows are counted by. */
const BATCH = "batch";

/**
 * Runs a plan whose rows do not depend on each other.
 *
 * @param rows how many rows are run at once; a plan whose inputs and outputs do not all begin with the rows is run whole
 */
export async function runByRows(
  plan: Plan,
  feeds: Readonly<Record<string, Feed>>,
  rows: number,
  options: RunOptions = {},
): Promise<Record<string, AnyTensor>> {
  const sizes = plan.sizes(feeds);
  const total = sizes.get(BATCH) ?? 1;
  const shapes = total > rows ? resultShapes(plan, sizes) : undefined;
  if (!shapes) return plan.run(feeds, options);
  const results: Record<string, AnyTensor> = {};
  const written: Record<string, Feed> = {}; // what runs write to; other types, such as token ids, are copied
  for (const [name, shape] of shapes) {
    const isFloat = plan.computed.outputs[name]!.dtype === "float32";
    const data = isFloat ? new Float32Array(sizeOf(shape)) : new Int32Array(sizeOf(shape));
    results[name] = tensor(data, shape);
    if (isFloat) written[name] = { dtype: "float32", shape, data };
  }
  for (let start = 0; start < total; start += rows) {
    const end = Math.min(total, start + rows);
    const ofRows = (feeds: Readonly<Record<string, Feed>>): Record<string, Feed> =>
      Object.fromEntries(Object.entries(feeds).map(([name, feed]) => [name, part(feed, start, end)]));
    const split = Object.entries(feeds).filter(([name]) => plan.inputShape(name)?.[0] === BATCH);
    const run = await plan.run(
      { ...feeds, ...ofRows(Object.fromEntries(split)) },
      { ...options, into: ofRows(written) },
    );
    for (const [name, result] of Object.entries(results))
      if (!(name in written))
        (result.data as Int32Array).set(
          run[name]!.data as Int32Array,
          (start * sizeOf(result.shape)) / total,
        );
    reportProgress({ task: "running", done: end, total });
  }
  return plan.named(results);
}

/** Rows `start..end` of a feed, without a copy. */
function part({ dtype, shape, data }: Feed, start: number, end: number): Feed {
  const [, ...rest] = shape as [number, ...number[]];
  const size = sizeOf(rest);
  return { dtype, shape: [end - start, ...rest], data: data.subarray(start * size, end * size) };
}

/** The running shapes of a plan's outputs, or nothing where rows cannot be told apart. */
function resultShapes(plan: Plan, sizes: ReadonlyMap<string, number>): Map<string, number[]> | undefined {
  const rowsFirst = ({ shape }: Pick<Value, "shape">): boolean => shape.indexOf(BATCH) <= 0;
  if (!plan.inputValues.every(rowsFirst)) return undefined;
  const shapes = new Map<string, number[]>();
  for (const [name, value] of Object.entries(plan.computed.outputs)) {
    if (value.shape[0] !== BATCH || !["float32", "int64"].includes(value.dtype)) return undefined;
    const shape = value.shape.map((dim) => (typeof dim === "number" ? dim : sizes.get(dim)));
    if (shape.includes(undefined)) return undefined;
    shapes.set(name, shape as number[]);
  }
  return shapes;
}
