/** Gradients of a model beside differences of what it computes. */

import { contiguous, type Tensor, tensor } from "../../src/array/index.js";
import type { Metric, Model } from "../../src/model/index.js";
import { modelInMemory } from "../../src/model/memory-model.js";
import { someTokens, target } from "./checks.js";
import { Worst } from "./reference.js";

/** A smooth function of all logits. */
export const smoothMetric: Metric = ({ logits }) =>
  logits.logSoftmax().at(0).square().mean().add(logits.at(-1).mean());

/**
 * How far gradients at points are from the change of the metric along them (a central difference), as a share of it.
 */
export async function gradientError(model: Model, tokens: number[][], names: string[]): Promise<Worst> {
  const worst = new Worst();
  const options = target(model, tokens);
  const { cache } = await model.gradients(tokens, smoothMetric, names, options);
  for (const name of names) {
    const gradient = contiguous(cache.get(name));
    const length = Math.hypot(...gradient.data);
    if (length === 0) continue;
    const values = contiguous(
      (await model.runWithCache(tokens, { ...options, names: name })).cache.get(name),
    );
    const size = Math.max(1, Math.hypot(...values.data.filter(Number.isFinite)));
    const errorOf = async (step: number): Promise<number> => {
      const along = async (sign: number): Promise<number> => {
        const moved = values.data.map((x, i) => x + (sign * step * gradient.data[i]!) / length);
        const { logits } = await model.runWithHooks(tokens, {
          ...options,
          hooks: [[name, () => tensor(moved, values.shape)]],
        });
        return smoothValue(logits);
      };
      const slope = ((await along(1)) - (await along(-1))) / (2 * step);
      return Math.abs(slope - length) / length;
    };
    // A long step bends, a short one is lost in rounding.
    const first = await errorOf(3e-3 * size);
    worst.add(name, first < 1e-3 ? first : Math.min(first, await errorOf(5e-4 * size)));
  }
  return worst;
}

/** The same for all parameters at once: along their gradient the metric grows by its length. */
export async function parameterGradientError(
  json: object,
  parameters: ReadonlyMap<string, Tensor>,
): Promise<number> {
  const model = modelInMemory({ ...json }, { parameters });
  const tokens = someTokens(model, 2, 7);
  const options = target(model, tokens);
  const { gradients } = await model.parameterGradients(tokens, smoothMetric, undefined, options);
  const missing = [...parameters.keys()].filter((name) => !gradients.has(name));
  if (missing.length > 0) throw new Error(`No gradient of ${missing.join(", ")}.`);
  // Each parameter's gradient is scaled to the parameter's own length, so that small ones count too.
  const directions = new Map(
    [...gradients].map(([name, { data }]) => {
      const length = Math.hypot(...data) || 1;
      const own = Math.hypot(...parameters.get(name)!.data) || 1;
      return [name, data.map((x) => (x * own) / length)];
    }),
  );
  const slope = [...gradients].reduce(
    (sum, [name, { data }]) => sum + data.reduce((dot, x, i) => dot + x * directions.get(name)![i]!, 0),
    0,
  );
  const step = 2e-5;
  const along = async (sign: number): Promise<number> => {
    const moved = new Map(
      [...parameters].map(([name, { data, shape }]) => [
        name,
        tensor(
          Float32Array.from(data, (x, i) => x + sign * step * directions.get(name)![i]!),
          shape,
        ),
      ]),
    );
    const other = modelInMemory({ ...json }, { parameters: moved });
    const value = smoothValue(await other.forward(tokens, options));
    await other.release();
    return value;
  };
  const measured = ((await along(1)) - (await along(-1))) / (2 * step);
  await model.release();
  return Math.abs(measured - slope) / Math.abs(slope);
}

/** `smoothMetric` in double precision. */
function smoothValue(logits: Tensor): number {
  const width = logits.shape.at(-1)!;
  const { data } = contiguous(logits);
  const perRow = data.length / logits.shape[0]!;
  let squares = 0;
  for (let start = 0; start < perRow; start += width) {
    const row = data.subarray(start, start + width);
    const top = Math.max(...row);
    const total = top + Math.log(row.reduce((sum, x) => sum + Math.exp(x - top), 0));
    for (const x of row) squares += (x - total) ** 2;
  }
  const last = data.subarray(data.length - perRow);
  return squares / perRow + last.reduce((sum, x) => sum + x, 0) / perRow;
}
