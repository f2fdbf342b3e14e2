import assert from "node:assert/strict";
import { join } from "node:path";
import {
  contiguous,
  type NpyArray,
  npyToTensor,
  readNpz,
  type Tensor,
  tensor,
  toNested,
} from "../../src/array/index.js";
import {
  compositionScores,
  copyingScores,
  detectHeads,
  directLogitAttribution,
} from "../../src/methods/index.js";
import {
  type ActivationCache,
  FactoredMatrix,
  loadModel,
  type Model,
  type ResidualStack,
} from "../../src/model/index.js";
import { scratchCache } from "../cache.js";
import { scaledError, Worst } from "../model/reference.js";
import { sharedOrSkip } from "../shared.js";

const picked = (x: Tensor, ...index: (number | null)[]): Tensor => contiguous(x.pick(...index) as Tensor);

for (const family of ["gpt2", "llama"])
  for (const kind of ["raw", "processed"] as const)
    describe(`TransformerLens's analyses of ${kind} ${family}`, () => {
      scratchCache();
      let model: Model;
      let cache: ActivationCache;
      let expected: (name: string) => Tensor;
      let ids: (name: string) => number[];
      let choice: { tokens: number[]; incorrectTokens: number[] };
      let worst: Worst;
      const compare = (actual: Tensor | ResidualStack, name: string): void => {
        const values = "values" in actual ? actual.values : actual;
        const wanted = expected(name);
        assert.deepEqual([...values.shape], [...wanted.shape], name);
        worst.add(name, scaledError(values, wanted, 1));
      };

      before(async function () {
        const folder = sharedOrSkip(this, "golden", "models", family);
        const arrays = await readNpz(join(folder, "analyses.npz"));
        const get = (name: string): Tensor => npyToTensor(arrays.get(name) as NpyArray);
        expected = (name) => get(name.startsWith("detector") ? name : `${kind}.${name}`);
        ids = (name) => Array.from(get(name).data);
        model = await loadModel(folder, kind === "processed" ? { processing: true } : {});
        ({ cache } = await model.runWithCache(toNested(get("tokens")) as number[][]));
        choice = { tokens: ids("answer_tokens"), incorrectTokens: ids("wrong_tokens") };
      });
      beforeEach(() => {
        worst = new Worst();
      });
      const check = (): void => {
        console.log(`      ${worst}`);
        assert.ok(worst.count > 0 && worst.error < 5e-6, String(worst));
      };

      it("take the residual stream apart in the same ways, under the same names", () => {
        for (const applyLn of [false, true]) {
          const suffix = `apply_ln_${applyLn ? "True" : "False"}`;
          compare(cache.accumulatedResid({ inclMid: true, applyLn }), `accumulated_resid.${suffix}`);
          compare(cache.decomposeResid({ applyLn }), `decompose_resid.${suffix}`);
          const heads = cache.stackHeadResults({ pos: -1, inclRemainder: true, applyLn });
          compare(heads, `stack_head_results.last_pos.${suffix}`);
        }
        compare(
          cache.accumulatedResid({ layer: 1, mlpInput: true, inclMid: true }),
          "accumulated_resid.layer_1.mlp_input",
        );
        const before = cache.decomposeResid({ layer: 1 });
        compare(cache.applyLnToStack(before, { layer: 1 }), "apply_ln_to_stack.layer_1");
        compare(
          cache.decomposeResid({ layer: 1, mlpInput: true, applyLn: true }),
          "apply_ln_to_stack.layer_1.mlp_input",
        );
        compare(cache.stackNeuronResults({ layer: 1, pos: -1 }), "stack_neuron_results.layer_1.last_pos");
        const { nHeads, nLayers } = model.config;
        assert.deepEqual(cache.accumulatedResid({ inclMid: true }).labels, [
          ...Array.from({ length: nLayers }, (_, l) => [`${l}_pre`, `${l}_mid`]).flat(),
          "final_post",
        ]);
        assert.equal(cache.stackHeadResults().labels[nHeads], "L1H0");
        assert.equal(cache.stackNeuronResults({ layer: 1, neurons: [3] }).labels[0], "L0N3");
        check();
      });

      it("attribute logits to layers, heads and neurons alike", () => {
        const options = { ...choice, normWeights: false };
        compare(
          cache.logitAttrs(cache.decomposeResid({ pos: -1 }), options),
          "logit_attrs.decompose_resid.last_pos",
        );
        const sums = cache.accumulatedResid({ pos: -1, inclMid: true });
        compare(cache.logitAttrs(sums, options), "logit_attrs.accumulated_resid.last_pos");
        const heads = cache.stackHeadResults({ pos: -1 });
        compare(cache.logitAttrs(heads, options), "logit_attrs.heads.last_pos");
        compare(
          cache.logitAttrs(heads, { tokens: choice.tokens, normWeights: false }),
          "logit_attrs.heads.single_token.last_pos",
        );
        const neurons = cache.stackNeuronResults({ layer: 1, pos: -1 });
        compare(cache.logitAttrs(neurons, options), "logit_attrs.neurons.layer_1.last_pos");
        check();
      });

      it("add up: components to the stream, attributions with the biases to the difference of logits", async () => {
        const whole = cache.getFullResidDecomposition();
        const parts = cache.getFullResidDecomposition({ expandNeurons: false, pos: -1 });
        const sum = ({ values }: ResidualStack): Tensor => {
          const [count, ...shape] = values.shape as [number, ...number[]];
          const size = values.data.length / count;
          const total = new Float64Array(size);
          values.data.forEach((value, i) => {
            total[i % size]! += value;
          });
          return tensor(Float32Array.from(total), shape);
        };
        const last = cache.get("resid_post", model.config.nLayers - 1);
        worst.add("with neurons", scaledError(sum(whole), last, 1));
        worst.add("at the last position", scaledError(sum(parts), picked(last, null, 12, null), 1));
        const rows = cache.tokens;
        const correct = choice.tokens;
        const incorrect = choice.incorrectTokens;
        const difference = expected("logit_diff");
        const mean = difference.data.reduce((a, b) => a + b, 0) / difference.data.length;
        for (const over of ["component", "head", "accumulated"] as const) {
          const {
            total,
            values,
            bias,
            remainder = 0,
            labels,
          } = await directLogitAttribution(model, rows, {
            correct,
            incorrect,
            over,
          });
          worst.add(`total over ${over}`, Math.abs(total - mean));
          assert.equal(labels.length, values.data.length);
          if (over !== "accumulated")
            worst.add(
              `sum over ${over}`,
              Math.abs(values.data.reduce((a, b) => a + b, 0) + bias + remainder - total),
            );
        }
        check();
      });

      it("score compositions of heads", async () => {
        for (const mode of ["Q", "K", "V"] as const)
          compare((await compositionScores(model, mode)).values, `composition_scores.${mode}`);
        check();
      });

      it("decompose what heads read and write", async () => {
        const { weights } = model;
        const ov = weights.get("OV").at(0, 1);
        compare(ov.svd().S, "ov.L0H1.singular_values");
        compare(ov.AB, "ov.L0H1.AB");
        compare(weights.get("QK").at(1, 0).svd().S, "qk.L1H0.singular_values");
        const { U, S, V } = ov.svd();
        const rebuilt = new FactoredMatrix(
          tensor(
            U.data.map((value, i) => value * S.data[i % S.data.length]!),
            U.shape,
          ),
          V.transpose(1, 0) as Tensor,
        );
        worst.add("U S V", scaledError(rebuilt.AB, ov.AB, 1));
        const eigenvalues = ov.eigenvalues();
        worst.add("eigenvalues", distance(eigenvalues, expected("ov.L0H1.eigenvalues")));
        const [wE, wU] = [weights.get("W_E"), weights.get("W_U")];
        const scores = new Float32Array(model.config.nLayers * model.config.nHeads);
        for (let layer = 0; layer < model.config.nLayers; layer++)
          for (let head = 0; head < model.config.nHeads; head++) {
            const inner = weights.get("OV").at(layer, head);
            const full = (inner.leftMatmul(wE) as FactoredMatrix).matmul(wU) as FactoredMatrix;
            scores[layer * model.config.nHeads + head] = full.eigenvalueScore().data[0]!;
            if (layer !== 0 || head !== 1) continue;
            compare(full.svd().S, "full_ov.L0H1.singular_values");
            const norm = expected("full_ov.L0H1.norm").data[0]!;
            worst.add("norm", Math.abs(full.norm().data[0]! - norm) / norm);
            worst.add("full eigenvalues", distance(full.eigenvalues(), expected("full_ov.L0H1.eigenvalues")));
          }
        compare(tensor(scores, [model.config.nLayers, model.config.nHeads]), "full_ov.copying_score");
        compare((await copyingScores(model)).values, "full_ov.copying_score");
        check();
      });

      if (kind === "raw")
        it("detect heads by patterns", async () => {
          const names = {
            previousToken: "previous_token_head",
            duplicateToken: "duplicate_token_head",
            induction: "induction_head",
          } as const;
          for (const [pattern, name] of Object.entries(names))
            for (const errorMeasure of ["mul", "abs"] as const)
              for (const exclude of [false, true]) {
                const { values } = await detectHeads(
                  model,
                  ids("detector.tokens"),
                  pattern as keyof typeof names,
                  { errorMeasure, excludeBos: exclude, excludeCurrentToken: exclude },
                );
                const key = `detector.${name}.${errorMeasure}.excl_${exclude ? "True" : "False"}`;
                // TransformerLens rounds these scores to three decimals.
                const rounded = values.data.map((value) => Math.round(value * 1000) / 1000);
                const wanted = expected(key).data;
                const off = rounded.reduce(
                  (most, value, i) => Math.max(most, Math.abs(value - wanted[i]!)),
                  0,
                );
                if (errorMeasure === "mul") compare(values, key);
                else assert.ok(off < 1.01e-3, `${key}: ${off}`);
              }
          check();
        });
    });

/** The largest distance from one set of complex numbers to the nearest of another, relative to the largest. */
function distance({ real, imaginary }: { real: Tensor; imaginary: Tensor }, expected: Tensor): number {
  let most = 0;
  let scale = 1;
  for (let i = 0; i < expected.shape[0]!; i++) {
    const [re, im] = [expected.get(i, 0), expected.get(i, 1)];
    scale = Math.max(scale, Math.hypot(re, im));
    let least = Number.POSITIVE_INFINITY;
    for (let j = 0; j < real.data.length; j++)
      least = Math.min(least, Math.hypot(re - real.data[j]!, im - imaginary.data[j]!));
    most = Math.max(most, least);
  }
  return most / scale;
}

describe("direct logit attribution on stories260K", () => {
  it("is that of the reference for every head, and layer", async function () {
    const model = await loadModel(sharedOrSkip(this, "data", "models", "stories260K"));
    const folder = sharedOrSkip(this, "golden", "models", "stories260K-analyses");
    const arrays = await readNpz(join(folder, "analyses.npz"));
    const get = (name: string): Tensor => npyToTensor(arrays.get(name) as NpyArray);
    const [correct, incorrect] = Array.from(get("metric_ids").data) as [number, number];
    const tokens = Array.from(get("clean.tokens").data);
    const heads = await directLogitAttribution(model, tokens, { correct, incorrect, over: "head" });
    const layers = await directLogitAttribution(model, tokens, { correct, incorrect });
    const worst = new Worst();
    worst.add("heads", scaledError(heads.values, get("dla.heads"), 1));
    layers.labels.forEach((label, i) => {
      const [, layer] = /^(\d+)_mlp_out$/.exec(label) ?? [];
      if (layer) worst.add(label, Math.abs(layers.values.get(i) - get("dla.mlp").get(Number(layer))));
    });
    console.log(`      ${worst}`);
    assert.ok(worst.count === 6 && worst.error < 5e-5, String(worst));
  });
});
