import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { evaluations } from "../../models/tiny-world/evaluation.js";
import { KEPT_STEPS, trainTinyWorld } from "../../models/tiny-world/training.js";
import {
  headScores,
  loadModel,
  type Model,
  modelInMemory,
  modelRevisions,
  randomGenerator,
} from "../../src/index.js";
import { tinyWorld } from "../../src/tasks/index.js";
import { repository } from "../shared.js";

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

  for (const { phenomenon, measure, atLeast, atMost, reached = true, run } of evaluations) {
    const wanted = atLeast === undefined ? `at most ${atMost}` : `at least ${atLeast}`;
    const claim = reached ? `reaches its ${measure}, ${wanted}` : `is near its ${measure}, ${wanted}`;
    it(`${phenomenon}: ${claim}`, async () => {
      const { value, low, high, count } = await run(model, { count: 100, seed: "a sample" });
      console.log(`      ${value.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)}, ${count} prompts)`);
      // The interval of a sample this small must hold what the card says of the whole.
      const slack = reached ? 0 : 0.05;
      if (atLeast !== undefined) assert.ok(high >= atLeast - slack);
      if (atMost !== undefined) assert.ok(low <= atMost + slack);
    });
  }

  it("is at most 12 MB, and its checkpoints 30 MB", async () => {
    const size = async (...path: string[]): Promise<number> =>
      (await stat(join(repository, "models/tiny-world", ...path, "model.safetensors"))).size;
    assert.ok((await size()) <= 12e6);
    const revisions = await modelRevisions("tiny-world");
    assert.deepEqual(
      revisions,
      KEPT_STEPS.map((step) => `step-${step}`),
    );
    assert.ok(revisions.length >= 8 && revisions.length <= 12);
    let sum = 0;
    for (const revision of revisions) sum += await size("checkpoints", revision);
    assert.ok(sum <= 30e6, String(sum));
  });

  it("learned induction all at once, as its checkpoints show", async () => {
    const scores: number[] = [];
    for (const revision of await modelRevisions("tiny-world")) {
      const young = await loadModel("tiny-world", { revision });
      const { top } = await headScores(young, { length: 25, batch: 10, seed: 3 });
      scores.push(top("induction", 1)[0]!.score);
      await young.release();
    }
    console.log(`      ${scores.map((score) => score.toFixed(2)).join(" ")}`);
    assert.ok(scores.slice(0, 3).every((score) => score < 0.1));
    assert.ok(scores[6]! > 0.4, "at step 2500");
  });

  it("is reproduced by its script, as far as its first checkpoint", async () => {
    const steps = KEPT_STEPS[0]!;
    const { parameters } = await trainTinyWorld({ steps });
    const first = await loadModel("tiny-world", { revision: `step-${steps}` });
    const config = JSON.parse(await readFile(join(repository, "models/tiny-world/config.json"), "utf8"));
    const again = modelInMemory(config, { parameters });
    const texts = [...tinyWorld.corpus({ seed: "held out", tokens: 3000 })]
      .map((text) => model.toTokens(text).slice(0, 256))
      .filter(({ length }) => length > 1);
    const [kept, made] = [await first.loss(texts), await again.loss(texts)];
    console.log(`      ${kept.toFixed(5)} kept, ${made.toFixed(5)} made anew`);
    assert.ok(Math.abs(kept - made) < 1e-3);
  });

  it("continues every kind of text of its world for 200 tokens in the world's grammar", async () => {
    for (const [kind, { passage }] of Object.entries(tinyWorld.mixture)) {
      if (kind === "codes" || kind === "repeats") continue;
      // Room for 200 more must be left in the context.
      const beginnings = [1, 2, 3, 4].map((seed) =>
        model.toTokens(`${passage(randomGenerator(`${kind} ${seed}`))}\n`).slice(0, 56),
      );
      const { text } = await model.generate(beginnings, {
        maxNewTokens: 200,
        temperature: 0.7,
        seed: 5,
        stopAtEos: false,
      });
      const shares = text.map((one) => tinyWorld.grammaticalShare(one.replaceAll("<|endoftext|>", "\n")));
      const mean = shares.reduce((a, b) => a + b, 0) / shares.length;
      console.log(`      after ${kind}: ${(100 * mean).toFixed(0)} % of the sentences`);
      assert.ok(mean > 0.85, `${kind}: ${text[shares.indexOf(Math.min(...shares))]}`);
    }
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
