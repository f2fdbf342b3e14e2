import assert from "node:assert/strict";
import { headScores, loadModel, type Model } from "../../src/index.js";
import { tinyWorld } from "../../src/tasks/index.js";

describe("tiny-world", () => {
  let model: Model;

  before(async () => {
    model = await loadModel("tiny-world");
  });

  it("has a token for each entry of its vocabulary", () => {
    const { tokenizer } = tinyWorld.buildTokenizer();
    assert.equal(model.config.dVocab, Object.keys(tokenizer.model.vocab).length);
  });

  it("speaks the sentences of its world", async () => {
    const prompts = Array.from({ length: 16 }, () => "\n");
    const { text } = await model.generate(prompts, { maxNewTokens: 120, temperature: 0.7, seed: 1 });
    const shares = text.map((one) =>
      tinyWorld.grammaticalShare(one.slice(1, Math.max(one.lastIndexOf("."), one.lastIndexOf("\n")) + 1)),
    );
    const mean = shares.reduce((a, b) => a + b, 0) / shares.length;
    console.log(`      ${(100 * mean).toFixed(0)} % of its sentences are of the world's grammar`);
    assert.ok(mean > 0.8, String(mean));
  });

  it("has heads that look at the token before, and heads of induction", async () => {
    const vocabulary = tinyWorld.worldWords().flatMap((word) => {
      const ids = model.toTokens(` ${word}`);
      return ids.length === 1 ? ids : [];
    });
    const scores = await headScores(model, { vocabulary, length: 30, seed: 2 });
    const [induction] = scores.top("induction", 1);
    const [previous] = scores.top("previousToken", 1);
    const { first, second } = scores.loss;
    console.log(
      `      induction ${induction!.layer}.${induction!.head} ${induction!.score.toFixed(2)}, previous token ${previous!.layer}.${previous!.head} ${previous!.score.toFixed(2)}, loss ${first.toFixed(2)} then ${second.toFixed(2)} nats`,
    );
    assert.ok(induction!.score > 0.8 && previous!.score > 0.5);
    assert.ok(previous!.layer < induction!.layer);
    assert.ok(second < 0.3 * first);
  });

  it("predicts its own text far better than chance", async () => {
    const texts = [...tinyWorld.corpus({ seed: "held out", tokens: 3000 })]
      .map((text) => model.toTokens(text).slice(0, 256))
      .filter(({ length }) => length > 1);
    const loss = await model.loss(texts);
    console.log(`      ${loss.toFixed(3)} nats a token`);
    assert.ok(loss < 2, String(loss));
  });

  it("reads characters that it has never seen, and continues to the end of its context", async () => {
    const text = "Zoë paid 5 € for 寿司 🙂 to";
    assert.equal(model.toText(model.toTokens(text)), text);
    const { tokens } = await model.generate(text, { maxNewTokens: 200, stopAtEos: false });
    assert.equal(tokens[0]!.length, model.toTokens(text).length + 200);
  });
});
