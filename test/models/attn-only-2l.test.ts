import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { compositionScores, headScores, loadModel, type Model } from "../../src/index.js";
import { repository } from "../shared.js";

describe("attn-only-2l", () => {
  let model: Model;
  before(async () => {
    model = await loadModel("attn-only-2l");
  });

  it("has two layers of attention and nothing else, in at most 2 MB", async () => {
    const { size } = await stat(join(repository, "models/attn-only-2l/model.safetensors"));
    assert.ok(size <= 2e6, String(size));
    assert.equal(model.config.nLayers, 2);
    assert.ok(!model.hookNames.some((name) => name.includes("mlp")));
  });

  it("has heads of induction whose keys are made by a head that looks at the token before", async () => {
    const scores = await headScores(model, { length: 25, batch: 30, seed: 3 });
    const [induction] = scores.top("induction", 1);
    const [previous] = scores.top("previousToken", 1);
    const { values } = await compositionScores(model, "K");
    const composition = values.get(previous!.layer, previous!.head, induction!.layer, induction!.head);
    const baseline = 1 / Math.sqrt(model.config.dModel);
    const { first, second } = scores.loss;
    console.log(
      `      ${previous!.layer}.${previous!.head} (${previous!.score.toFixed(2)}) to ${induction!.layer}.${induction!.head} (${induction!.score.toFixed(2)}): ${composition.toFixed(3)}, baseline ${baseline.toFixed(3)}; loss ${first.toFixed(2)}, then ${second.toFixed(2)} nats`,
    );
    assert.equal(previous!.layer, 0);
    assert.equal(induction!.layer, 1);
    assert.ok(composition > 1.2 * baseline);
    assert.ok(second < 0.5 * first);
  });
});
