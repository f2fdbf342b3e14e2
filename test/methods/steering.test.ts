import assert from "node:assert/strict";
import {
  activationDifference,
  add,
  compareSteering,
  loadModel,
  type Model,
  tensor,
  unembeddingDirection,
} from "../../src/index.js";

describe("steering", () => {
  let model: Model;
  const point = "blocks.2.hook_resid_pre";
  const prompt = "Mary gave a book to";

  before(async () => {
    model = await loadModel("tiny-world");
  });

  it("adds the difference of what two texts have at their last tokens", async () => {
    const [positive, negative] = ["The view was superb", "The view was awful"];
    const vector = await activationDifference(model, positive, negative, point);
    const values = await Promise.all(
      [positive, negative].map(async (text) =>
        (await model.runWithCache(text, { names: point })).cache.get(point),
      ),
    );
    const last = values[0]!.shape[1]! - 1;
    for (let d = 0; d < model.config.dModel; d++)
      assert.ok(Math.abs(vector.get(d) - (values[0]!.get(0, last, d) - values[1]!.get(0, last, d))) < 1e-6);
  });

  it("gives both continuations as two runs would, for every choice of positions", async () => {
    const vector = await activationDifference(model, "The view was superb", "The view was awful", point);
    const length = model.toTokens(prompt).length;
    const places = {
      all: undefined,
      last: [-1],
      "from-prompt-end": Array.from({ length: 12 }, (_, i) => length - 1 + i),
    };
    const plain = await model.generate(prompt, { maxNewTokens: 12 });
    for (const [positions, pos] of Object.entries(places)) {
      const options = {
        point,
        vector,
        coefficient: 3,
        positions: positions as keyof typeof places,
        maxNewTokens: 12,
      };
      const { unsteered, steered } = await compareSteering(model, prompt, options);
      const alone = await model.generate(prompt, {
        maxNewTokens: 12,
        edits: [add(point, vector, { coefficient: 3, pos })],
      });
      assert.deepEqual(unsteered.tokens, plain.tokens[0]);
      assert.deepEqual(steered.tokens, alone.tokens[0], positions);
    }
  });

  it("changes nothing with a coefficient of 0, and samples both texts with the same numbers", async () => {
    const vector = tensor(Float32Array.from({ length: model.config.dModel }, (_, i) => Math.sin(i)));
    const options = { point, vector, coefficient: 0, maxNewTokens: 20, temperature: 1, seed: 4 };
    const { unsteered, steered, next } = await compareSteering(model, prompt, options);
    assert.deepEqual(steered, unsteered);
    for (const { unsteered: before, steered: after } of next) assert.equal(before, after);
  });

  it("makes a token likelier by its unembedding", async () => {
    const vector = unembeddingDirection(model, " Sarah");
    const last = `blocks.${model.config.nLayers - 1}.hook_resid_post`;
    const { next } = await compareSteering(model, prompt, {
      point: last,
      vector,
      coefficient: 20,
      maxNewTokens: 1,
    });
    const sarah = next.find(({ token }) => token === " Sarah")!;
    assert.ok(sarah.steered > sarah.unsteered, `${sarah.unsteered} and ${sarah.steered}`);
    assert.equal(sarah.steered, Math.max(...next.map(({ steered }) => steered)));
  });

  it("says what is wrong with a direction", async () => {
    assert.throws(() => unembeddingDirection(model, " Sarah gave"), /2 tokens/);
    await assert.rejects(activationDifference(model, "a", "b", "blocks.0.attn.hook_pattern"), /positions/);
    await assert.rejects(compareSteering(model, prompt, { point, vector: tensor([1, 2, 3]) }), /\[3\]/);
  });
});
