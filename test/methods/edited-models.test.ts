import assert from "node:assert/strict";
import { contiguous, normalTensor, randomGenerator, type Tensor, tensor } from "../../src/array/index.js";
import {
  ablate,
  ablationSweep,
  activationPatching,
  add,
  attributionPatching,
  causalTracing,
  loadModel,
  logProb,
  patch,
  probDiff,
} from "../../src/index.js";
import { fixture } from "../shared.js";

function closeAll(actual: ArrayLike<number>, expected: readonly number[]): void {
  assert.equal(actual.length, expected.length);
  expected.forEach((value, i) => {
    assert.ok(Math.abs(actual[i]! - value) <= 1e-5, `${actual[i]}, not ${value}`);
  });
}

describe("sweeps over a model with edits", () => {
  const input = [[1, 2, 3, 4, 5]];
  const corrupt = [[1, 7, 3, 4, 5]];
  const metric = logProb({ token: 4 });

  it("find nothing at points that an edit cuts off from the logits", async () => {
    for (const family of ["gpt2", "llama", "extra-mamba"]) {
      const plain = await loadModel(fixture("models", family));
      const { nLayers } = plain.config;
      const model = plain.withEdits([patch(["resid_pre", nLayers - 1], 0)]);
      const base = await model.metric(input, metric);
      const grid = {
        metric,
        at: "resid_pre",
        over: ["layer", "pos"],
        layers: Array.from({ length: nLayers - 1 }, (_, layer) => layer),
      } as const;
      const pair = { clean: input, corrupt, normalize: false };
      closeAll(
        (await activationPatching(model, { ...pair, ...grid })).metric.data,
        Array(5 * (nLayers - 1)).fill(base),
      );
      closeAll((await ablationSweep(model, input, grid)).metric.data, Array(5 * (nLayers - 1)).fill(base));
      closeAll(
        (await attributionPatching(model, { ...pair, ...grid })).values.data,
        Array(5 * (nLayers - 1)).fill(0),
      );
      const trace = await causalTracing(model, input[0]!, { subject: [1], answer: 4, samples: 2 });
      closeAll(trace.metric.data, Array(5 * nLayers).fill(trace.clean!));
    }
  });

  it("trace what the edited model does", async () => {
    const plain = await loadModel(fixture("models", "llama"));
    const { dModel } = plain.config;
    const edit = add(
      ["resid_pre", 1],
      Float32Array.from({ length: dModel }, (_, i) => i % 3),
    );
    const model = plain.withEdits([edit, ablate(["z", 0], { head: 1, mode: "mean", source: 0.5 })]);
    const noise = normalTensor(randomGenerator("noise"), [1, 1, dModel]);
    const trace = await causalTracing(model, input[0]!, { subject: [1], answer: 4, noise });
    const { cache } = await model.runWithCache(input);
    const blurred = contiguous(cache.get("hook_embed")).data.slice();
    noise.data.forEach((x, i) => {
      blurred[dModel + i]! += x;
    });
    const embed = patch("hook_embed", tensor(blurred, [1, 5, dModel]) as Tensor);
    const probability = probDiff({ correct: [4], incorrect: [] });
    for (const { index, value } of trace.cells) {
      const [layer, pos] = index as [number, number];
      const edits = [embed, patch(["resid_post", layer], cache, { pos })];
      closeAll([value], [await model.metric(input, probability, { edits })]);
    }
  });
});
