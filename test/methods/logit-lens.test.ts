import assert from "node:assert/strict";
import { join } from "node:path";
import { type NpyArray, npyToTensor, readNpz, type Tensor } from "../../src/array/index.js";
import { loadModel, logitLens } from "../../src/index.js";
import { fixture, sharedOrSkip } from "../shared.js";

describe("the logit lens", () => {
  it("agrees with the reference on the trained stories260K", async function () {
    const model = await loadModel(sharedOrSkip(this, "data", "models", "stories260K"));
    const arrays = await readNpz(
      join(sharedOrSkip(this, "golden", "models", "stories260K-analyses"), "analyses.npz"),
    );
    const expected = (name: string): Tensor => npyToTensor(arrays.get(name) as NpyArray);
    const lens = await logitLens(model, Array.from(expected("sentence.tokens").data));
    const [ids, probs, gaps] = ["top_ids", "top_probs", "min_gap"].map((name) =>
      expected(`logit_lens.${name}`),
    ) as [Tensor, Tensor, Tensor];
    let worst = 0;
    let compared = 0;
    for (const [layer, rows] of lens.top.entries())
      for (const [pos, tokens] of rows.entries()) {
        worst = Math.max(
          worst,
          Math.abs(lens.entropy.get(layer, pos) - expected("logit_lens.entropy").get(layer, pos)),
        );
        worst = Math.max(
          worst,
          Math.abs(lens.klToFinal.get(layer, pos) - expected("logit_lens.kl_to_final").get(layer, pos)),
        );
        if (gaps.get(layer, pos) < 1e-4) continue; // the order of nearly equal tokens is not defined
        for (const [k, { token, probability }] of tokens.entries()) {
          compared++;
          assert.equal(token, ids.get(layer, pos, k));
          worst = Math.max(worst, Math.abs(probability - probs.get(layer, pos, k)));
        }
      }
    console.log(
      `      worst of ${compared} probabilities, and of entropies and divergences: ${worst.toExponential(1)}`,
    );
    assert.ok(compared > 500 && worst < 5e-5);
  });

  it("ends with what the model itself says, in other families too", async () => {
    for (const family of ["gemma2", "bert", "olmo2", "extra-granite", "extra-mamba"]) {
      const model = await loadModel(fixture("models", family));
      const lens = await logitLens(model, [5, 17, 3, 9], { topK: 1 });
      const logits = await model.forward([[5, 17, 3, 9]]);
      for (const [pos, [best]] of lens.top.at(-1)!.entries()) {
        const row = Array.from({ length: model.config.dVocab }, (_, id) => logits.get(0, pos, id));
        assert.equal(best!.token, row.indexOf(Math.max(...row)), family);
        const total = row.reduce((sum, x) => sum + Math.exp(x), 0);
        assert.ok(Math.abs(best!.probability - Math.exp(row[best!.token]!) / total) < 1e-5, family);
      }
    }
  });

  it("ends with what the model itself says, and draws it", async () => {
    const model = await loadModel(fixture("models", "gpt2"));
    const tokens = [5, 17, 3, 99];
    const lens = await logitLens(model, tokens, { topK: 1 });
    assert.deepEqual(lens.values.shape, [model.config.nLayers + 1, 4]);
    const logits = await model.forward([tokens]);
    for (const [pos, [best]] of lens.top.at(-1)!.entries()) {
      const row = Array.from({ length: model.config.dVocab }, (_, id) => logits.get(0, pos, id));
      assert.equal(best!.token, row.indexOf(Math.max(...row)));
      assert.ok(Math.abs(lens.klToFinal.get(model.config.nLayers, pos)) < 1e-6);
    }
    assert.match(await lens.plot().toSVG(), /<svg/);
  });
});
