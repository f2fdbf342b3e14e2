import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { contiguous, readSafetensors, type Tensor, tensor } from "../../src/array/index.js";
import { crossEntropy, type Metric } from "../../src/model/index.js";
import { arithmeticError, continuesAlike, paddingError, someTokens, watchedError } from "./checks.js";
import { goldenFamilies, goldenFolder } from "./families.js";
import { type Feature, FeatureTable, type Mark, readTable, writeTable } from "./feature-table.js";
import { openReference, type Reference, scaledError, under, Worst } from "./reference.js";
import { gradientError, parameterGradientError } from "./slopes.js";

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

const table = new FeatureTable();

for (const [family, title] of Object.entries(goldenFamilies)) {
  describe(`${title} beside transformers`, () => {
    const folder = goldenFolder(family);
    let reference: Reference;
    let tokens: number[][];
    let options: { tokenTypes?: number[][]; decoderInput?: number[][] };

    before(async () => {
      reference = await openReference(folder);
      tokens = reference.integers("tokens");
      options = reference.names.includes("token_type_ids")
        ? { tokenTypes: reference.integers("token_type_ids") }
        : reference.names.includes("decoder_tokens")
          ? { decoderInput: reference.integers("decoder_tokens") }
          : {};
    });

    const has = (prefix: string): boolean => reference.names.some((name) => name.startsWith(prefix));
    const below = (worst: Worst, limit: number): void => {
      console.log(`      ${worst}`);
      assert.ok(worst.count > 0 && worst.error < limit, String(worst));
    };
    /** A test of a feature, which is noted where it holds. */
    const shows = (what: string, feature: Feature, test: () => Promise<Mark | string>): void => {
      it(what, async () => table.record(title, feature, await test()));
    };

    shows("has the logits", "logits of", async () => {
      const logits = await reference.model.forward(tokens, options);
      const worst = new Worst();
      worst.add("float32", scaledError(logits, reference.tensor("logits"), 1));
      if (has("logits64")) worst.add("float64", scaledError(logits, reference.tensor("logits64"), 1));
      below(worst, HOOKS);
      return { nextToken: "next tokens", maskedToken: "masked tokens", classification: "classes" }[
        reference.model.config.task
      ];
    });

    shows("has the values of every hook point", "values", async () => {
      const { model } = reference;
      const { cache } = await model.runWithCache(tokens, options);
      const worst = new Worst();
      for (const name of under(reference, "hook."))
        worst.add(name, scaledError(cache.get(name), reference.tensor(`hook.${name}`), 1));
      for (let layer = 0; layer < model.config.nLayers; layer++)
        for (const [name, key] of [
          ["pattern", `attentions.${layer}`],
          // Of Mamba transformers gives out what comes after each block.
          [model.config.stateSpace ? "resid_post" : "resid_pre", `hidden_states.${layer}`],
        ] as const)
          if (has(key)) worst.add(key, scaledError(cache.get(name, layer), reference.tensor(key), 1));
      const encoderLayers = model.config.encoder?.nLayers ?? 0;
      for (const [stack, layers, key] of [
        ["encoder", encoderLayers, "encoder"],
        ["decoder", encoderLayers && model.config.nLayers, "decoder"],
      ] as const)
        for (let layer = 0; layer < layers; layer++) {
          const at = `${stack}.${layer}`;
          const pairs = {
            [`${at}.attn.hook_pattern`]: `${key}_attentions.${layer}`,
            [`${at}.hook_resid_pre`]: `${key}_hidden_states.${layer}`,
            ...(stack === "decoder"
              ? { [`${at}.cross_attn.hook_pattern`]: `cross_attentions.${layer}` }
              : {}),
          };
          for (const [name, array] of Object.entries(pairs))
            worst.add(array, scaledError(cache.get(name), reference.tensor(array), 1));
        }
      below(worst, HOOKS);
      if (has("hook.")) return "✓";
      below(await arithmeticError(model, tokens), HOOKS);
      return "○";
    });

    shows("gives the same values whatever is watched", "points", async () => {
      const { model } = reference;
      below(await watchedError(model, someTokens(model, 2, 9)), 1e-5);
      return String(new Set(model.hookNames.map((name) => name.replace(/\d+/g, "0"))).size);
    });

    shows("has the gradients of a metric at every hook point", "gradients", async () => {
      if (!has("grad.")) {
        const names = reference.model.hookNames.filter(
          (name) => !/hook_tokens|(blocks|encoder|decoder)\.0\.(?!attn\.rel_pos)/.test(name),
        );
        below(await gradientError(reference.model, someTokens(reference.model, 2, 6), names), 2e-2);
        return "○";
      }
      const names = under(reference, "grad.").filter((name) => !name.endsWith("summed_over_batch"));
      const metric = referenceMetric(reference);
      const { value, cache } = await reference.model.gradients(
        tokens,
        metric,
        [...names, ...(has("grad.hook_pos_embed") ? ["hook_pos_embed"] : [])],
        options,
      );
      assert.ok(Math.abs(value - reference.tensor("grad_metric.value").data[0]!) < 1e-4);
      const worst = new Worst();
      for (const name of names)
        worst.add(name, scaledError(cache.get(name), reference.tensor(`grad.${name}`)));
      const positions = "grad.hook_pos_embed.summed_over_batch";
      if (has(positions)) {
        const expected = reference.tensor(positions);
        const slope = cache.get("hook_pos_embed");
        // OPT looks its positions up for each row.
        const shared = expected.shape[0] === 1;
        worst.add("hook_pos_embed", scaledError(shared ? sumOverRows(slope) : slope, expected));
      }
      below(worst, GRADIENTS);
      return "✓";
    });

    shows("has the gradient of every parameter", "of parameters", async () => {
      if (!has("param_grad.")) {
        const json = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"));
        const error = await parameterGradientError(
          json,
          await readSafetensors(join(folder, "model.safetensors")),
        );
        console.log(`      ${error.toExponential(1)}`);
        assert.ok(error < 1e-2, `${error}`);
        return "○";
      }
      const run = await reference.model.parameterGradients(tokens, crossEntropy());
      assert.ok(Math.abs(run.value - reference.tensor("loss.mean_next_token_ce").data[0]!) < 1e-5);
      // GPT-NeoX's unembedding has another name in its files than in transformers.
      const gradients = new Map(
        [...run.gradients].map(([name, slope]) => [name.replace(/^embed_out\./, "lm_head."), slope]),
      );
      const names = under(reference, "param_grad.");
      assert.deepEqual([...gradients.keys()].sort(), names.sort());
      const worst = new Worst();
      for (const name of names)
        worst.add(name, scaledError(gradients.get(name)!, reference.tensor(`param_grad.${name}`)));
      below(worst, GRADIENTS);
      return "✓";
    });

    shows("lets an edit at any point have the effect of the true graph", "edits", async () => {
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
      // Without references, the differences that gradients are compared with are made by hooks at every point.
      if (worst.count === 0) return "○";
      below(worst, HOOKS);
      return "✓";
    });

    shows("gives a padded row the logits that it has alone", "padding", async () => {
      const { model } = reference;
      const [first, second] = someTokens(model, 2, 9);
      assert.ok((await paddingError(model, [first!.slice(0, 4), second!])) < HOOKS);
      const { bidirectional, encoder } = model.config;
      const side = encoder ? "source" : bidirectional ? "right" : "left";
      if (!has("padded.")) return `${side} ○`;
      const mask = reference.integers("padded.attention_mask");
      const logits = await model.forward(reference.integers("padded.tokens"), { attentionMask: mask });
      const isReal = (i: number): boolean =>
        logits.shape.length === 2 || mask.flat()[Math.floor(i / logits.shape.at(-1)!)] === 1;
      const real = contiguous(logits).data.map((value, i) => (isReal(i) ? value : 0));
      const worst = new Worst();
      worst.add("padded", scaledError(tensor(real, logits.shape), reference.tensor("padded.logits"), 1));
      below(worst, HOOKS);
      return `${side} ✓`;
    });

    shows("continues greedily, with and without padding", "memory", async () => {
      const { model } = reference;
      if (model.config.task !== "nextToken") {
        await assert.rejects(model.generate(tokens), /Generation continues texts/);
        return "–";
      }
      const [prompt] = reference.integers("greedy.prompt");
      const expected = reference.integers("greedy.tokens")[0]!;
      assert.ok(await continuesAlike(model, prompt!, 8));
      assert.deepEqual((await model.generate([prompt!], { maxNewTokens: 12 })).tokens, [expected]);
      const beside = await model.generate([prompt!, tokens[1]!.slice(0, 9)], { maxNewTokens: 12 });
      assert.deepEqual(beside.tokens[0], expected);
      return "✓";
    });
  });
}

describe("the table of families", () => {
  it("says what these tests have shown", function () {
    if (!table.isWhole(Object.values(goldenFamilies))) this.skip();
    if (process.env.TSLENS_WRITE_TABLE) writeTable(table.toString());
    assert.equal(readTable(), table.toString());
  });
});
