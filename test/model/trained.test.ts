import assert from "node:assert/strict";
import { join } from "node:path";
import {
  contiguous,
  type NpyArray,
  npyToTensor,
  readJsonFile,
  readNpz,
  type Tensor,
} from "../../src/array/index.js";
import { ablate, add, loadModel, logitDiff, type Model, patch } from "../../src/model/index.js";
import { sharedOrSkip } from "../shared.js";
import { scaledError, Worst } from "./reference.js";

interface ReferencePrompt {
  readonly text: string;
  readonly ids: number[];
  readonly loss: number | null;
  readonly greedy: number[] | null;
}

const arraysOf = async (path: string): Promise<(name: string) => Tensor> => {
  const arrays = await readNpz(path);
  return (name) => npyToTensor(arrays.get(name) as NpyArray);
};

for (const name of ["stories260K", "gpt-nano-sort"]) {
  describe(`the trained ${name} beside transformers`, () => {
    it("has its logits, residual streams, patterns, losses and greedy continuations", async function () {
      const model = await loadModel(sharedOrSkip(this, "data", "models", name));
      const folder = sharedOrSkip(this, "data", "reference");
      const { prompts } = (await readJsonFile(join(folder, `${name}.json`))) as {
        prompts: ReferencePrompt[];
      };
      const expected = await arraysOf(join(folder, `${name}.npz`));
      const worst = new Worst();
      for (const [i, { ids, loss, greedy }] of prompts.entries()) {
        const { logits, cache } = await model.runWithCache(ids);
        const compare = (actual: Tensor, key: string): void =>
          worst.add(`${key} of prompt ${i}`, scaledError(actual, expected(`p${i}_${key}`), 1));
        compare(logits, "logits");
        for (let layer = 0; layer < model.config.nLayers; layer++) {
          compare(cache.get("resid_pre", layer), `hidden_${layer}`);
          compare(cache.get("pattern", layer), `attn_${layer}`);
        }
        if (loss !== null) worst.add(`loss of prompt ${i}`, Math.abs((await model.loss(ids)) - loss));
        if (greedy) {
          const options = { maxNewTokens: greedy.length - ids.length, stopAtEos: false };
          assert.deepEqual((await model.generate(ids, options)).tokens[0], greedy);
        }
      }
      console.log(`      ${worst}`);
      assert.ok(worst.error < 5e-5, String(worst));
    });
  });
}

describe("stories260K beside TransformerLens's analyses", () => {
  let model: Model;
  let expected: (name: string) => Tensor;
  const ids = (name: string): number[] => Array.from(expected(name).data);

  before(async function () {
    model = await loadModel(sharedOrSkip(this, "data", "models", "stories260K"));
    const folder = sharedOrSkip(this, "golden", "models", "stories260K-analyses");
    expected = await arraysOf(join(folder, "analyses.npz"));
  });

  it("reads text into the same tokens and back", async function () {
    const { texts } = (await readJsonFile(
      join(sharedOrSkip(this, "golden", "models", "stories260K-analyses"), "analyses.json"),
    )) as { texts: { sentence: string; sentence_pieces: string[] } };
    const tokens = model.toTokens(texts.sentence);
    assert.deepEqual(tokens, ids("sentence.tokens"));
    // The first is the token that begins a text, which every library writes in its own way.
    assert.deepEqual(model.toStrTokens(texts.sentence).slice(1), texts.sentence_pieces.slice(1));
    assert.equal(model.toText(tokens.slice(1)).trim(), texts.sentence);
  });

  it("has the effect of zeroing each head", async () => {
    const [girl, boy] = ids("metric_ids") as [number, number];
    const table = expected("ablation.zero.logit_diff");
    const worst = new Worst();
    for (let layer = 0; layer < model.config.nLayers; layer++)
      for (let head = 0; head < model.config.nHeads; head++) {
        const edits = [ablate(["z", layer], { head })];
        const metric = logitDiff({ correct: girl, incorrect: boy });
        const value = await model.metric(ids("clean.tokens"), metric, { edits });
        worst.add(`${layer}.${head}`, Math.abs(value - table.get(layer, head)));
      }
    console.log(`      ${worst}`);
    assert.ok(worst.error < 1e-4, String(worst));
  });

  it("has the effect of setting each head to its mean", async () => {
    const [girl, boy] = ids("metric_ids") as [number, number];
    const means = expected("ablation.mean_z");
    const table = expected("ablation.mean.logit_diff");
    const worst = new Worst();
    for (let layer = 0; layer < model.config.nLayers; layer++)
      for (let head = 0; head < model.config.nHeads; head++) {
        const source = contiguous(means.pick(layer, null, null) as Tensor);
        const edits = [ablate(["z", layer], { head, mode: "mean", source })];
        const value = await model.metric(ids("clean.tokens"), logitDiff({ correct: girl, incorrect: boy }), {
          edits,
        });
        worst.add(`${layer}.${head}`, Math.abs(value - table.get(layer, head)));
      }
    console.log(`      ${worst}`);
    assert.ok(worst.error < 1e-4, String(worst));
  });

  it("has the effect of patching the residual stream of a clean run into a corrupt one", async () => {
    const [girl, boy] = ids("metric_ids") as [number, number];
    const [clean, corrupt] = Array.from(expected("base_logit_diff").data) as [number, number];
    const { cache } = await model.runWithCache(ids("clean.tokens"));
    const table = expected("patching.resid_pre");
    const worst = new Worst();
    for (let layer = 0; layer < model.config.nLayers; layer++)
      for (let pos = 0; pos < table.shape[1]!; pos++) {
        const edits = [patch(["resid_pre", layer], cache, { pos })];
        const value = await model.metric(
          ids("corrupt.tokens"),
          logitDiff({ correct: girl, incorrect: boy }),
          { edits },
        );
        worst.add(`${layer}.${pos}`, Math.abs((value - corrupt) / (clean - corrupt) - table.get(layer, pos)));
      }
    console.log(`      ${worst}`);
    assert.ok(worst.error < 1e-4, String(worst));
  });

  for (const where of ["all_positions", "last_position"])
    it(`is steered at ${where.replace("_", " ")} as TransformerLens is, each coefficient a row of one batch`, async () => {
      const coefficient = ids("steering.coefficients");
      const rows = coefficient.map(() => ids("corrupt.tokens"));
      const worst = new Worst();
      for (const kind of ["vector", "random_vector"]) {
        const pos = where === "last_position" ? -1 : undefined;
        const edits = [add("blocks.2.hook_resid_pre", expected(`steering.${kind}`), { coefficient, pos })];
        const logits = await model.forward(rows, { edits, logits: "last" });
        const last = contiguous(logits.pick(null, 0, null) as Tensor);
        worst.add(kind, scaledError(last, expected(`steering.${kind}.${where}.logits_last`), 1));
      }
      console.log(`      ${worst}`);
      assert.ok(worst.error < 5e-5, String(worst));
    });
});
