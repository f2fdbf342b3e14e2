/** Gradients beside central differences. */

import assert from "node:assert/strict";
import { randomGenerator } from "../../src/array/index.js";
import type { Value } from "../../src/graph/index.js";
import * as g from "../../src/graph/index.js";
import type { Feed } from "../../src/runtime/ort.js";
import { Runtime } from "../../src/runtime/plan.js";

const runtime = new Runtime({ source: () => ({ kind: "fed" }) });

/** Named dimensions get these sizes. */
const sizes: Record<string, number> = { batch: 2, pos: 3 };

/** Shapes of the operands, and what is made of them. */
export interface GradientCase {
  readonly shapes: readonly g.Shape[];
  readonly make: (...inputs: Value[]) => Value;
  /** Operands are between 0.5 and 1.5, instead of normal. */
  readonly positive?: boolean;
  /** The operands are multiplied by this. */
  readonly scale?: number;
}

async function evaluate(
  outputs: Record<string, Value>,
  feeds: Record<string, Feed>,
): Promise<Record<string, Float32Array>> {
  const run = await runtime.plan({ outputs }).run(feeds);
  return Object.fromEntries(Object.entries(run).map(([name, { data }]) => [name, data as Float32Array]));
}

/** The size of a dimension: a number, a name, or a product of names. */
const sizeOf = (dim: g.Dim): number =>
  typeof dim === "number" ? dim : dim.split("*").reduce((product, name) => product * sizes[name]!, 1);

/** Throws where a gradient differs from what small steps give. */
export async function checkGradients(
  name: string,
  { shapes, make, positive, scale: width = 1 }: GradientCase,
): Promise<void> {
  const random = randomGenerator(name);
  // Names that only a product holds must be known to the graph from somewhere.
  const anchor = g.input("anchor", "float32", ["batch", "pos"]);
  const inputs = shapes.map((shape, i) => g.input(`x${i}`, "float32", shape));
  const result = make(...inputs);
  const weights = g.input("weights", "float32", result.shape);
  const scalar = g.add(g.sum(g.mul(result, weights)), g.mul(g.sum(anchor), 0));
  const fresh = (shape: g.Shape): Feed => {
    const dims = shape.map(sizeOf);
    const data = Float32Array.from(
      { length: dims.reduce((a, b) => a * b, 1) },
      () => (positive ? 0.5 + random.uniform() : random.normal()) * width,
    );
    return { dtype: "float32", shape: dims, data };
  };
  const { value } = await evaluateShape(result, inputs, fresh, anchor);
  const feeds: Record<string, Feed> = { anchor: fresh(["batch", "pos"]), weights: value };
  inputs.forEach((input, i) => {
    feeds[`x${i}`] = fresh(input.shape);
  });
  const slopes = g.gradients(scalar, inputs);
  const outputs: Record<string, Value> = { scalar };
  slopes.forEach((slope, i) => {
    outputs[`d${i}`] = slope!;
  });
  const analytic = await evaluate(outputs, feeds);
  for (const [i] of inputs.entries()) {
    const feed = feeds[`x${i}`]!;
    const data = feed.data as Float32Array;
    assert.deepEqual(analytic[`d${i}`]!.length, data.length);
    for (let at = 0; at < data.length; at++) {
      const step = 1e-2;
      const moved = async (by: number): Promise<number> => {
        const other = data.slice();
        other[at]! += by;
        return (await evaluate({ scalar }, { ...feeds, [`x${i}`]: { ...feed, data: other } })).scalar![0]!;
      };
      // Fourth order, so that a large step, which float32 needs, is still exact enough.
      const near = (await moved(step)) - (await moved(-step));
      const far = (await moved(2 * step)) - (await moved(-2 * step));
      const numeric = (8 * near - far) / (12 * step);
      const scale = Math.max(1, Math.abs(numeric));
      assert.ok(
        Math.abs(numeric - analytic[`d${i}`]![at]!) < 5e-3 * scale,
        `d${i}[${at}] is ${analytic[`d${i}`]![at]}, differences give ${numeric}`,
      );
    }
  }
}

/** Random weights of the running shape of a value. */
async function evaluateShape(
  result: Value,
  inputs: Value[],
  fresh: (shape: g.Shape) => Feed,
  anchor: Value,
): Promise<{ value: Feed }> {
  const feeds: Record<string, Feed> = { anchor: fresh(["batch", "pos"]) };
  inputs.forEach((input, i) => {
    feeds[`x${i}`] = fresh(input.shape);
  });
  const zero = g.mul(g.sum(anchor), 0);
  const run = await runtime.plan({ outputs: { result, zero } }).run(feeds);
  return { value: fresh(run.result!.shape) };
}
