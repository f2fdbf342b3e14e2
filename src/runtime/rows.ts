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
  const results = Object.fromEntries(
    [...shapes].map(([name, shape]) => [name, tensor(new Float32Array(sizeOf(shape)), shape)]),
  );
  for (let start = 0; start < total; start += rows) {
    const end = Math.min(total, start + rows);
    const into: Record<string, Feed> = {};
    for (const [name, { data, shape }] of Object.entries(results))
      into[name] = part({ dtype: "float32", shape, data }, start, end);
    const own = Object.entries(feeds).map(([name, feed]) => {
      const isRows = plan.inputShape(name)?.[0] === BATCH;
      return [name, isRows ? part(feed, start, end) : feed] as const;
    });
    await plan.run(Object.fromEntries(own), { ...options, into });
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
    if (value.shape[0] !== BATCH || value.dtype !== "float32") return undefined;
    const shape = value.shape.map((dim) => (typeof dim === "number" ? dim : sizes.get(dim)));
    if (shape.includes(undefined)) return undefined;
    shapes.set(name, shape as number[]);
  }
  return shapes;
}
