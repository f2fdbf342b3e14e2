import assert from "node:assert/strict";
import { randomGenerator, tensor } from "../../src/array/index.js";
import * as g from "../../src/graph/index.js";
import { loadModel } from "../../src/model/index.js";
import { newLanguageModel, saveLanguageModel } from "../../src/model/language-model.js";
import {
  adamState,
  adamStep,
  constantRate,
  cosineSchedule,
  type Objective,
  readCheckpoint,
  train,
} from "../../src/train/index.js";
import { scratchFolder } from "../scratch.js";

/** Least squares: parameters `w` that should become the rows' coefficients. */
function leastSquares(): Objective & { w: Float32Array } {
  const w = new Float32Array(3);
  const x = g.input("x", "float32", ["batch", 3]);
  const y = g.input("y", "float32", ["batch", 1]);
  const error = g.sub(g.matmul(x, g.parameter("w", "float32", [3, 1])), y);
  return { loss: g.mean(g.square(error)), parameters: new Map([["w", tensor(w, [3, 1])]]), w };
}
const truth = [2, -1, 0.5];
const batch = (step: number) => {
  const random = randomGenerator(step);
  const x = Float32Array.from({ length: 24 }, () => random.normal());
  const y = Float32Array.from({ length: 8 }, (_, i) =>
    truth.reduce((sum, t, j) => sum + t * x[3 * i + j]!, 0),
  );
  return {
    x: { dtype: "float32", shape: [8, 3], data: x },
    y: { dtype: "float32", shape: [8, 1], data: y },
  } as const;
};
const sizes = { model_type: "gpt2", n_embd: 16, n_head: 2, n_layer: 2, n_positions: 12, vocab_size: 20 };
const rows = (step: number): Int32Array[] => {
  const random = randomGenerator(step);
  return Array.from({ length: 4 }, () => {
    const half = Array.from({ length: 6 }, () => random.integer(20));
    return Int32Array.from([...half, ...half]);
  });
};

describe("Adam", () => {
  it("takes the steps of the paper", () => {
    // Two steps by hand: m and v corrected for their start, then decay apart from the gradient.
    const data = Float32Array.of(1);
    const parameters = new Map([["p", { data, shape: [1, 1] }]]);
    const state = adamState(parameters);
    let [p, m, v] = [1, 0, 0];
    for (const [i, slope] of [0.5, -0.2].entries()) {
      adamStep(parameters, new Map([["p", Float32Array.of(slope)]]), state, 0.1, { weightDecay: 0.01 });
      m = 0.9 * m + 0.1 * slope;
      v = 0.999 * v + 0.001 * slope * slope;
      const t = i + 1;
      p = p * (1 - 0.1 * 0.01) - (0.1 * (m / (1 - 0.9 ** t))) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-8);
      assert.ok(Math.abs(data[0]! - p) < 1e-6, `${data[0]} and ${p}`);
    }
  });
});

describe("training", () => {
  const scratch = scratchFolder();

  it("finds the least squares", async () => {
    const objective = leastSquares();
    const { losses } = await train(objective, {
      steps: 400,
      batch,
      schedule: cosineSchedule({ peak: 0.1, steps: 400 }),
    });
    assert.ok(losses.at(-1)! < 1e-4);
    for (const [i, t] of truth.entries()) assert.ok(Math.abs(objective.w[i]! - t) < 0.01);
  });

  it("gives the same again, and the same in two goes as in one", async () => {
    const path = scratch("checkpoint.safetensors");
    const schedule = cosineSchedule({ peak: 1e-2, steps: 12, warmup: 2 });
    const whole = newLanguageModel(sizes, { seed: 3 });
    const options = { schedule, clipNorm: 1, adam: { weightDecay: 0.1 } };
    await train(whole, { ...options, steps: 12, batch: (step) => whole.batch(rows(step)) });
    const first = newLanguageModel(sizes, { seed: 3 });
    const checkpoint = { path, every: 3 };
    await train(first, { ...options, steps: 7, checkpoint, batch: (step) => first.batch(rows(step)) });
    const second = newLanguageModel(sizes, { seed: 99 });
    const { steps } = await train(second, {
      ...options,
      steps: 12,
      checkpoint,
      batch: (step) => second.batch(rows(step)),
    });
    assert.equal(steps, 12);
    for (const [name, { data }] of whole.parameters)
      assert.deepEqual(second.parameters.get(name)!.data, data, name);
  });

  it("keeps a checkpoint when it is stopped, and goes on from there", async () => {
    const path = scratch("checkpoint.safetensors");
    const stop = new AbortController();
    const objective = leastSquares();
    const running = train(objective, {
      steps: 1000,
      batch,
      schedule: constantRate(0.01),
      checkpoint: { path, every: 1000 },
      signal: stop.signal,
      onStep: ({ step }) => {
        if (step === 5) stop.abort(new Error("enough"));
      },
    });
    await assert.rejects(running, /enough/);
    assert.equal((await readCheckpoint(path)).step, 5);
    const resumed = leastSquares();
    const { losses } = await train(resumed, {
      steps: 8,
      batch,
      schedule: constantRate(0.01),
      checkpoint: { path, every: 1 },
    });
    assert.equal(losses.length, 3);
  });

  it("refuses a checkpoint of another model", async () => {
    const path = scratch("checkpoint.safetensors");
    const model = newLanguageModel(sizes);
    const checkpoint = { path, every: 1 };
    await train(model, {
      steps: 1,
      schedule: constantRate(0),
      checkpoint,
      batch: (step) => model.batch(rows(step)),
    });
    await assert.rejects(
      train(leastSquares(), { steps: 2, batch, schedule: constantRate(0), checkpoint }),
      /"w".*missing/,
    );
  });

  it("ends at a loss that is no number, and says at which step", async () => {
    const objective = leastSquares();
    const broken = (step: number) => {
      const feeds = batch(step);
      return step < 2 ? feeds : { ...feeds, y: { ...feeds.y, data: new Float32Array(8).fill(Number.NaN) } };
    };
    await assert.rejects(
      train(objective, { steps: 5, batch: broken, schedule: constantRate(0.1) }),
      /step 3.*NaN/,
    );
    assert.ok(objective.w.every(Number.isFinite));
  });

  it("clips long gradients to the length that is given", async () => {
    const [free, clipped] = [leastSquares(), leastSquares()];
    const lengths: number[] = [];
    const options = { steps: 1, batch, schedule: constantRate(0.1), adam: { epsilon: 1 } };
    await train(free, { ...options, onStep: ({ gradientNorm }) => void lengths.push(gradientNorm) });
    await train(clipped, { ...options, clipNorm: 1e-3 });
    assert.ok(lengths[0]! > 1e-3);
    // With an epsilon that dwarfs the gradient, Adam's first step is the gradient's length times the rate.
    assert.ok(Math.hypot(...clipped.w) < 1.1e-4 && Math.hypot(...free.w) > 1e-2);
  });

  it("makes a language model that is read back as it was", async () => {
    const folder = scratch("model");
    const model = newLanguageModel(sizes, { seed: 5 });
    const counting = (step: number): Int32Array[] =>
      rows(step).map(([start]) => Int32Array.from({ length: 12 }, (_, i) => (start! + i) % 20));
    const batch = (step: number) => model.batch(counting(step));
    const { losses } = await train(model, { steps: 150, schedule: constantRate(1e-2), batch });
    assert.ok(losses[0]! > 2.9 && losses[0]! < 3.1, "the first loss is that of a guess among 20 tokens");
    assert.ok(losses.at(-1)! < 0.5, `the last loss is ${losses.at(-1)}`);
    await saveLanguageModel(folder, { config: sizes, parameters: model.parameters });
    const loaded = await loadModel(folder);
    const tokens = counting(7).map((row) => Array.from(row));
    const { losses: again } = await train(model, {
      steps: 1,
      schedule: constantRate(0),
      batch: () => batch(7),
    });
    const loss = await loaded.loss(tokens);
    assert.ok(Math.abs(loss - again[0]!) < 1e-5, `${loss} and ${again[0]}`);
  });
});
