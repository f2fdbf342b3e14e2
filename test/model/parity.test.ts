import assert from "node:assert/strict";
import { contiguous, type Tensor, tensor } from "../../src/array/index.js";
import { crossEntropy, type Metric } from "../../src/model/index.js";
import { goldenFamilies, goldenFolder } from "./families.js";
import { openReference, type Reference, scaledError, under, Worst } from "./reference.js";

const HOOKS = 5e-5;
const GRADIENTS = 1e-4;

/** The metric of the reference gradients. */
function referenceMetric(reference: Reference): Metric {
  const [a, b, c, d] = Array.from(reference.tensor("grad_metric.ids").data);
  const at = reference.model.config.task === "classification" ? [] : [-1];
  return ({ logits }) => {
    const first = logits.at(0, ...at, a!).sub(logits.at(0, ...at, b!));
    return first.add(
      logits
        .at(1, ...at, c!)
        .sub(logits.at(1, ...at, d!))
        .mul(0.5),
    );
  };
}

const halveEven = (value: Tensor): Tensor => {
  const data = contiguous(value).data.slice();
  const width = value.shape.at(-1)!;
  for (let i = 0; i < data.length; i++) if ((i % width) % 2 === 0) data[i]! *= 0.5;
  return tensor(data, value.shape);
};

/** The logits at the last position of each row; all of a classifier's. */
const lastLogits = ({ model }: Reference, logits: Tensor): Tensor =>
  model.config.task === "classification"
    ? logits
    : contiguous(logits.pick(null, logits.shape[1]! - 1, null) as Tensor);

function sumOverRows({ data, shape }: Tensor): Tensor {
  const [, ...rest] = shape;
  const sums = new Float32Array(rest.reduce((a, b) => a * b));
  data.forEach((value, i) => {
    sums[i % sums.length]! += value;
  });
  return tensor(sums, [1, ...rest]);
}

for (const family of goldenFamilies) {
  describe(`${family} beside transformers`, () => {
    let reference: Reference;
    let tokens: number[][];
    let options: { tokenTypes?: number[][] };

    before(async () => {
      reference = await openReference(goldenFolder(family));
      tokens = reference.integers("tokens");
      options = reference.names.includes("token_type_ids")
        ? { tokenTypes: reference.integers("token_type_ids") }
        : {};
    });

    const has = (test: Mocha.Context, prefix: string): void => {
      if (!reference.names.some((name) => name.startsWith(prefix))) test.skip();
    };

    it("has the logits and the values of every hook point", async () => {
      const { model } = reference;
      const { logits, cache } = await model.runWithCache(tokens, options);
      const worst = new Worst();
      worst.add("logits", scaledError(logits, reference.tensor("logits"), 1));
      for (const name of under(reference, "hook."))
        worst.add(name, scaledError(cache.get(name), reference.tensor(`hook.${name}`), 1));
      console.log(`      ${worst}`);
      assert.ok(worst.error < HOOKS, String(worst));
    });

    it("has the logits of float64 arithmetic", async function () {
      has(this, "logits64");
      const logits = await reference.model.forward(tokens, options);
      const error = scaledError(logits, reference.tensor("logits64"), 1);
      console.log(`      ${error.toExponential(1)}`);
      assert.ok(error < HOOKS);
    });

    it("has the attention patterns and the residual streams that transformers gives out", async function () {
      has(this, "attentions.");
      const { model } = reference;
      const { cache } = await model.runWithCache(tokens, { ...options, names: /hook_pattern$|resid_pre$/ });
      const worst = new Worst();
      for (let layer = 0; layer < model.config.nLayers; layer++) {
        const [pattern, residual] = [`attentions.${layer}`, `hidden_states.${layer}`];
        worst.add(pattern, scaledError(cache.get("pattern", layer), reference.tensor(pattern), 1));
        worst.add(residual, scaledError(cache.get("resid_pre", layer), reference.tensor(residual), 1));
      }
      console.log(`      ${worst}`);
      assert.ok(worst.error < HOOKS, String(worst));
    });

    it("has the logits of a padded row", async function () {
      has(this, "padded.");
      const mask = reference.integers("padded.attention_mask");
      const logits = await reference.model.forward(reference.integers("padded.tokens"), {
        attentionMask: mask,
      });
      const expected = reference.tensor("padded.logits");
      const perRow = logits.shape.length === 2;
      const real = contiguous(logits).data.map((value, i) =>
        perRow || mask.flat()[Math.floor(i / logits.shape.at(-1)!)] ? value : 0,
      );
      const error = scaledError(tensor(real, logits.shape), expected, 1);
      console.log(`      ${error.toExponential(1)}`);
      assert.ok(error < HOOKS);
    });

    it("continues greedily as transformers does, with and without padding", async function () {
      has(this, "greedy.");
      const [prompt] = reference.integers("greedy.prompt");
      const expected = reference.integers("greedy.tokens")[0]!;
      const { tokens: alone } = await reference.model.generate([prompt!], { maxNewTokens: 12 });
      assert.deepEqual(alone, [expected]);
      const { tokens: beside } = await reference.model.generate([prompt!, tokens[1]!.slice(0, 9)], {
        maxNewTokens: 12,
      });
      assert.deepEqual(beside[0], expected);
    });

    it("has the loss, and its gradient for every parameter", async function () {
      has(this, "param_grad.");
      const run = await reference.model.parameterGradients(tokens, crossEntropy());
      const { value } = run;
      // GPT-NeoX's unembedding has another name in its files than in transformers.
      const gradients = new Map(
        [...run.gradients].map(([name, slope]) => [name.replace(/^embed_out\./, "lm_head."), slope]),
      );
      assert.ok(Math.abs(value - reference.tensor("loss.mean_next_token_ce").data[0]!) < 1e-5);
      const names = under(reference, "param_grad.");
      assert.deepEqual([...gradients.keys()].sort(), names.sort());
      const worst = new Worst();
      for (const name of names)
        worst.add(name, scaledError(gradients.get(name)!, reference.tensor(`param_grad.${name}`)));
      console.log(`      ${worst}`);
      assert.ok(worst.error < GRADIENTS, String(worst));
    });

    it("has the gradients of a metric at every hook point", async function () {
      has(this, "grad.");
      const names = under(reference, "grad.").filter((name) => !name.endsWith("summed_over_batch"));
      const metric = referenceMetric(reference);
      const { value, cache } = await reference.model.gradients(tokens, metric, names, options);
      assert.ok(Math.abs(value - reference.tensor("grad_metric.value").data[0]!) < 1e-4);
      const worst = new Worst();
      for (const name of names)
        worst.add(name, scaledError(cache.get(name), reference.tensor(`grad.${name}`)));
      console.log(`      ${worst}`);
      assert.ok(worst.error < GRADIENTS, String(worst));
    });

    it("has the gradient of position embeddings, which all rows share", async function () {
      const key = "grad.hook_pos_embed.summed_over_batch";
      has(this, key);
      const expected = reference.tensor(key);
      const metric = referenceMetric(reference);
      const { cache } = await reference.model.gradients(tokens, metric, "hook_pos_embed", options);
      const slope = cache.get("hook_pos_embed");
      // OPT looks its positions up for each row.
      const shared = expected.shape[0] === 1;
      assert.ok(scaledError(shared ? sumOverRows(slope) : slope, expected) < GRADIENTS);
    });

    it("lets an edit at any point have the effect that it has in transformers", async function () {
      has(this, "edit_half_even.");
      const worst = new Worst();
      for (const entry of under(reference, "edit_half_even.")) {
        const name = entry.replace(/\.logits_last$/, "");
        const { logits } = await reference.model.runWithHooks(tokens, {
          ...options,
          hooks: [[name, halveEven]],
        });
        const expected = reference.tensor(`edit_half_even.${entry}`);
        worst.add(name, scaledError(lastLogits(reference, logits), expected, 1));
      }
      console.log(`      ${worst}`);
      assert.ok(worst.count > 10 && worst.error < HOOKS, String(worst));
    });
  });
}
