import assert from "node:assert/strict";
import { contiguous, type Tensor, tensor } from "../../src/array/index.js";
import { crossEntropy, type Metric } from "../../src/model/index.js";
import { fixture } from "../shared.js";
import { openReference, type Reference, scaledError, under, Worst } from "./reference.js";

const HOOKS = 5e-5;
const GRADIENTS = 1e-4;

/** The metric of the reference gradients. */
function referenceMetric(reference: Reference): Metric {
  const [a, b, c, d] = Array.from(reference.tensor("grad_metric.ids").data);
  return ({ logits }) => {
    const first = logits.at(0, -1, a!).sub(logits.at(0, -1, b!));
    return first.add(
      logits
        .at(1, -1, c!)
        .sub(logits.at(1, -1, d!))
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

for (const family of ["gpt2", "llama", "llama_rope3"]) {
  describe(`${family} beside transformers`, () => {
    let reference: Reference;
    let tokens: number[][];

    before(async () => {
      reference = await openReference(fixture("models", family));
      tokens = reference.integers("tokens");
    });

    it("has the logits and the values of every hook point", async () => {
      const { model } = reference;
      const { logits, cache } = await model.runWithCache(tokens);
      const worst = new Worst();
      worst.add("logits", scaledError(logits, reference.tensor("logits"), 1));
      for (const name of under(reference, "hook."))
        worst.add(name, scaledError(cache.get(name), reference.tensor(`hook.${name}`), 1));
      console.log(`      ${worst}`);
      assert.ok(worst.error < HOOKS, String(worst));
    });

    it("has the logits of float64 arithmetic", async () => {
      const error = scaledError(await reference.model.forward(tokens), reference.tensor("logits64"), 1);
      console.log(`      ${error.toExponential(1)}`);
      assert.ok(error < HOOKS);
    });

    it("has the logits of a row that is padded on the left", async () => {
      const mask = reference.integers("padded.attention_mask");
      const logits = await reference.model.forward(reference.integers("padded.tokens"), {
        attentionMask: mask,
      });
      const expected = reference.tensor("padded.logits");
      const real = contiguous(logits).data.map((value, i) =>
        mask.flat()[Math.floor(i / logits.shape[2]!)] ? value : 0,
      );
      const error = scaledError(tensor(real, logits.shape), expected, 1);
      console.log(`      ${error.toExponential(1)}`);
      assert.ok(error < HOOKS);
    });

    it("continues greedily as transformers does, with and without padding", async () => {
      const [prompt] = reference.integers("greedy.prompt");
      const expected = reference.integers("greedy.tokens")[0]!;
      const { tokens: alone } = await reference.model.generate([prompt!], { maxNewTokens: 12 });
      assert.deepEqual(alone, [expected]);
      const { tokens: beside } = await reference.model.generate([prompt!, tokens[1]!.slice(0, 9)], {
        maxNewTokens: 12,
      });
      assert.deepEqual(beside[0], expected);
    });

    // The reference has no gradients of llama_rope3's parameters.
    if (family !== "llama_rope3")
      it("has the loss, and its gradient for every parameter", async () => {
        const { value, gradients } = await reference.model.parameterGradients(tokens, crossEntropy());
        assert.ok(Math.abs(value - reference.tensor("loss.mean_next_token_ce").data[0]!) < 1e-5);
        const names = under(reference, "param_grad.");
        assert.deepEqual([...gradients.keys()].sort(), names.sort());
        const worst = new Worst();
        for (const name of names)
          worst.add(name, scaledError(gradients.get(name)!, reference.tensor(`param_grad.${name}`)));
        console.log(`      ${worst}`);
        assert.ok(worst.error < GRADIENTS, String(worst));
      });

    it("has the gradients of a metric at every hook point", async () => {
      const names = under(reference, "grad.").filter((name) => !name.endsWith("summed_over_batch"));
      const { value, cache } = await reference.model.gradients(tokens, referenceMetric(reference), names);
      assert.ok(Math.abs(value - reference.tensor("grad_metric.value").data[0]!) < 1e-4);
      const worst = new Worst();
      for (const name of names)
        worst.add(name, scaledError(cache.get(name), reference.tensor(`grad.${name}`)));
      console.log(`      ${worst}`);
      assert.ok(worst.error < GRADIENTS, String(worst));
    });

    if (family === "gpt2")
      it("has the gradient of position embeddings, which all rows share", async () => {
        const key = "grad.hook_pos_embed.summed_over_batch";
        const { cache } = await reference.model.gradients(
          tokens,
          referenceMetric(reference),
          "hook_pos_embed",
        );
        const { data, shape } = cache.get("hook_pos_embed");
        const [batch, length, width] = shape as [number, number, number];
        const sums = new Float32Array(length * width);
        data.forEach((value, i) => {
          sums[i % sums.length]! += value;
        });
        assert.equal(batch, 2);
        assert.ok(scaledError(tensor(sums, [1, length, width]), reference.tensor(key)) < GRADIENTS);
      });

    it("lets an edit at any point have the effect that it has in transformers", async () => {
      const worst = new Worst();
      for (const entry of under(reference, "edit_half_even.")) {
        const name = entry.replace(/\.logits_last$/, "");
        const { logits } = await reference.model.runWithHooks(tokens, { hooks: [[name, halveEven]] });
        const last = contiguous(logits.pick(null, tokens[0]!.length - 1, null) as Tensor);
        worst.add(name, scaledError(last, reference.tensor(`edit_half_even.${entry}`), 1));
      }
      console.log(`      ${worst}`);
      assert.ok(worst.count > 10 && worst.error < HOOKS, String(worst));
    });
  });
}
