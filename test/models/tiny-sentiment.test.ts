import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { loadModel, type Model } from "../../src/index.js";
import { labelledReviews } from "../../src/tasks/index.js";
import { repository } from "../shared.js";

describe("tiny-sentiment", () => {
  let model: Model;
  before(async () => {
    model = await loadModel("tiny-sentiment");
  });

  it("is a DistilBERT of at most 4 MB with two classes", async () => {
    const { size } = await stat(join(repository, "models/tiny-sentiment/model.safetensors"));
    assert.ok(size <= 4e6, String(size));
    assert.equal(model.config.family, "distilbert");
    assert.deepEqual(model.config.labels, ["bad", "good"]);
  });

  it("is right about reviews that training never had", async () => {
    const reviews = labelledReviews({ count: 500, seed: "held out" });
    const logits = await model.forward(reviews.map(({ text }) => text));
    assert.deepEqual(logits.shape, [500, 2]);
    const right = reviews.filter(
      ({ label }, i) => (logits.get(i, 1) > logits.get(i, 0) ? "good" : "bad") === label,
    ).length;
    console.log(`      ${((100 * right) / 500).toFixed(1)} % of 500`);
    assert.ok(right >= 475);
  });

  it("reads each word of a review as one token between [CLS] and [SEP], and any other text somehow", async () => {
    const { text } = labelledReviews({ count: 1, seed: 2 })[0]!;
    const tokens = model.toStrTokens(text);
    assert.equal(tokens[0], "[CLS]");
    assert.equal(tokens.at(-1), "[SEP]");
    assert.equal(tokens.length - 2, text.match(/\p{L}+|[.,:]/gu)!.length);
    for (const other of ["", "xylophone 7", "寿司 🙂", "<svg/onload=alert(1)>"]) {
      const logits = await model.forward(other);
      assert.ok(Number.isFinite(logits.get(0, 0)), other);
    }
  });

  it("says that it cannot continue a text", async () => {
    await assert.rejects(model.generate("The soup was"), /class/);
  });
});
