import assert from "node:assert/strict";
import { contiguous, randomGenerator, type Tensor } from "../../src/array/index.js";
import { type LabelledText, newClassifier } from "../../src/model/classifier.js";
import {
  ablate,
  add,
  crossEntropy,
  klDivergence,
  loadModel,
  logitDiff,
  logProb,
  type Model,
  probDiff,
} from "../../src/model/index.js";
import { newLanguageModel, saveLanguageModel } from "../../src/model/language-model.js";
import { constantRate, train } from "../../src/train/index.js";
import { scratchFolder } from "../scratch.js";

const json = {
  model_type: "distilbert",
  architectures: ["DistilBertForSequenceClassification"],
  dim: 24,
  n_heads: 3,
  n_layers: 2,
  hidden_dim: 40,
  max_position_embeddings: 12,
  vocab_size: 20,
  pad_token_id: 0,
  initializer_range: 0.1,
  id2label: { 0: "even", 1: "odd" },
};

/** Texts whose class is told by whether token 7 stands in them. */
function texts(step: number): LabelledText[] {
  const random = randomGenerator(step);
  return Array.from({ length: 16 }, () => {
    const tokens = Array.from({ length: 3 + random.integer(8) }, () => 8 + random.integer(12));
    const odd = random.integer(2) === 1;
    if (odd) tokens[random.integer(tokens.length)] = 7;
    return { tokens: [1, ...tokens], label: odd ? "odd" : 0 };
  });
}

describe("a classifier", () => {
  const scratch = scratchFolder();
  let model: Model;

  const fresh = async (config: object = json): Promise<Model> => {
    const { parameters } = newClassifier(config as typeof json, { seed: 3 });
    await saveLanguageModel(scratch("fresh"), { config: { ...config }, parameters });
    return loadModel(scratch("fresh"));
  };

  beforeEach(async () => {
    model = await fresh();
  });

  it("is trained, saved, loaded, and then right about texts that it has not seen", async function () {
    this.timeout(60_000);
    const classifier = newClassifier(json, { seed: 1 });
    let accuracy = 0;
    await train(classifier, {
      steps: 150,
      batch: (step) => classifier.batch(texts(step)),
      schedule: constantRate(3e-3),
      onStep: ({ report }) => {
        accuracy = report.accuracy!;
      },
    });
    assert.ok(accuracy > 0.9);
    await saveLanguageModel(scratch("trained"), { config: json, parameters: classifier.parameters });
    const trained = await loadModel(scratch("trained"));
    const unseen = texts(1000);
    const logits = await trained.forward(unseen.map(({ tokens }) => tokens));
    assert.deepEqual(logits.shape, [16, 2]);
    const right = unseen.filter(({ label }, i) => {
      const odd = logits.get(i, 1) > logits.get(i, 0);
      return odd === (label === "odd");
    });
    assert.ok(right.length >= 14, `${right.length} of 16`);
    const loss = await trained.metric(
      unseen.map(({ tokens }) => tokens),
      crossEntropy({ labels: unseen.map(({ label }) => (label === 0 ? "even" : "odd")) }),
    );
    assert.ok(loss < 0.4, `${loss}`);
  });

  it("gives a text the same logits alone and padded beside a longer one, and names its classes", async () => {
    const [short, long] = [
      [1, 7, 3],
      [1, 4, 5, 6, 7, 8, 9],
    ];
    const together = await model.forward([short, long]);
    const alone = await model.forward([short]);
    for (const label of [0, 1]) assert.ok(Math.abs(together.get(0, label) - alone.get(0, label)) < 1e-5);
    assert.deepEqual(model.config.labels, ["even", "odd"]);
  });

  it("has metrics of classes by number and by name, with their gradients", async () => {
    const input = [[1, 7, 3, 4]];
    const logits = await model.forward(input);
    const [even, odd] = [logits.get(0, 0), logits.get(0, 1)];
    const logOdd = odd - Math.log(Math.exp(even) + Math.exp(odd));
    const near = (a: number, b: number): void => assert.ok(Math.abs(a - b) < 1e-5, `${a} and ${b}`);
    near(await model.metric(input, logitDiff({ correct: "odd", incorrect: 0 })), odd - even);
    near(await model.metric(input, logProb({ token: "odd" })), logOdd);
    near(await model.metric(input, crossEntropy({ labels: ["odd"] })), -logOdd);
    near(
      await model.metric(input, probDiff({ correct: [1], incorrect: ["even"] })),
      2 * Math.exp(logOdd) - 1,
    );
    near(await model.metric(input, klDivergence({ reference: logits })), 0);
    // Along a small step at a point the metric changes as its gradient says.
    const point = "blocks.0.hook_resid_post";
    const metric = logitDiff({ correct: 1, incorrect: 0 });
    const { value, cache } = await model.gradients(input, metric, point);
    const direction = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i));
    const slope = contiguous(cache.get(point).pick(0, 2, null) as Tensor).data.reduce(
      (sum, x, i) => sum + x * direction[i]!,
      0,
    );
    const edits = [add(point, direction, { coefficient: 1e-2, pos: 2 })];
    const moved = await model.metric(input, metric, { edits });
    assert.ok(Math.abs(moved - value - 1e-2 * slope) < 2e-3 * Math.abs(slope) + 1e-5);
    const { gradients } = await model.parameterGradients(input, crossEntropy({ labels: 1 }));
    assert.ok(gradients.has("classifier.weight") && gradients.has("distilbert.embeddings.LayerNorm.bias"));
  });

  it("can be edited before its classes are told", async () => {
    const edits = [ablate("hook_pooler_out")];
    const logits = await model.forward([[1, 2, 3]], { edits });
    assert.deepEqual([...logits.data], [0, 0]); // nothing but the biases of a fresh model
  });

  it("refuses what makes no sense for it", async () => {
    const input = [[1, 2, 3]];
    await assert.rejects(model.loss(input), /next tokens, but .* classifies texts/);
    await assert.rejects(model.generate(input), /classifies texts/);
    await assert.rejects(model.forward(input, { logits: "last" }), /last position .* classifies texts/);
    await assert.rejects(model.metric(input, crossEntropy()), /labels/);
    await assert.rejects(model.metric(input, logProb({ token: "blue" })), /no class "blue".*"even", "odd"/);
    await assert.rejects(model.forward(input, { tokenTypes: [[0, 0, 1]] }), /no token types/);
    await assert.rejects(model.forward(input, { attentionMask: [[0, 1, 1]] }), /padded on the right/);
    assert.throws(() => newLanguageModel(json), /do not predict next tokens/);
    assert.throws(
      () => newClassifier({ ...json, architectures: ["DistilBertForMaskedLM"] }),
      /no classifier.*ForSequenceClassification/,
    );
    assert.throws(
      () => newClassifier({ ...json, architectures: ["DistilBertForQuestionAnswering"] }),
      /DistilBertForQuestionAnswering/,
    );
    assert.throws(() => newClassifier(json).batch([{ tokens: [1], label: "green" }]), /no class "green"/);
  });
});

describe("a masked language model", () => {
  const scratch = scratchFolder();

  it("fills in words: log probabilities at any position, and no next-token loss", async () => {
    const config = { ...json, architectures: ["DistilBertForMaskedLM"] };
    const { newModel } = await import("../../src/model/new-model.js");
    const { parameters } = newModel(config, 1);
    await saveLanguageModel(scratch("masked"), { config, parameters });
    const model = await loadModel(scratch("masked"));
    const logits = await model.forward([[1, 2, 3, 4]]);
    assert.deepEqual(logits.shape, [1, 4, 20]);
    const row = contiguous(logits.pick(0, 2, null) as Tensor).data;
    const total = Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0));
    const value = await model.metric([[1, 2, 3, 4]], logProb({ token: 9, pos: 2 }));
    assert.ok(Math.abs(value - (row[9]! - total)) < 1e-5);
    await assert.rejects(model.loss([[1, 2, 3]]), /fills in masked tokens/);
    await assert.rejects(model.metric([[1, 2]], crossEntropy()), /masked ones/);
  });
});
