import assert from "node:assert/strict";
import { maxAbsDifference, type Tensor, tensor } from "../../src/array/index.js";
import type { Expression } from "../../src/graph/index.js";
import {
  loadModel,
  loadOnnx,
  logProb,
  type Metric,
  type MetricContext,
  type Model,
  patch,
  probDiff,
} from "../../src/model/index.js";
import { scratchFolder } from "../scratch.js";
import { fixture } from "../shared.js";

const tokens = [
  [1, 2, 3, 4, 5],
  [9, 8, 7, 6, 5],
];
const feed = (model: Model): typeof tokens =>
  model.config.encoder ? tokens.map((row) => row.slice(1)) : tokens;
const close = (actual: Tensor, expected: Tensor): void => {
  assert.deepEqual(actual.shape, expected.shape);
  assert.ok(maxAbsDifference(actual, expected) < 1e-5);
};

describe("an edit that cuts points off from the logits", () => {
  for (const family of ["gpt2", "llama", "gemma2", "gpt_neox", "opt", "bert", "extra-mamba", "extra-t5"])
    describe(`of ${family}`, () => {
      let plain: Model;
      let edited: Model;
      let early: string[];
      let last: string;
      let metric: Metric;

      before(async () => {
        plain = await loadModel(fixture("models", family));
        last = plain.hookNames.filter((name) => /^(blocks|decoder).*\.hook_resid_pre$/.test(name)).at(-1)!;
        edited = plain.withEdits([patch(last, 0)]);
        early = plain.hookNames.filter((name) =>
          /^hook_embed$|^(blocks|decoder)\.0\.(attn\.hook_z|attn\.hook_pattern|hook_resid_pre|hook_mlp_out)$/.test(
            name,
          ),
        );
        metric = logProb({ token: [3, 4] });
      });

      it("gives the logits of a run in which a hook gives the same value", async () => {
        const zeros = (value: Tensor): Tensor => {
          value.data.fill(0);
          return value;
        };
        const { logits } = await plain.runWithHooks(feed(plain), { hooks: [[last, zeros as never]] });
        close(await edited.forward(feed(plain)), logits);
      });

      it("leaves them to be computed, measured, cached and hooked", async () => {
        const { cache } = await plain.runWithCache(feed(plain), { names: early });
        const { outputs } = await edited.compute(feed(plain), ({ point }) =>
          Object.fromEntries(early.map((name) => [name, point(name)])),
        );
        const { cache: own } = await edited.runWithCache(feed(plain), { names: early });
        const called: string[] = [];
        await edited.runWithHooks(feed(plain), {
          hooks: early.map((name) => [
            name,
            (value, point) => {
              called.push(point.name);
              close(value, cache.get(point.name));
            },
          ]),
        });
        for (const name of early) {
          close(outputs[name]!, cache.get(name));
          close(own.get(name), cache.get(name));
          const sum = ({ point }: MetricContext): Expression => point(name).square().mean();
          const [a, b] = [await edited.metric(feed(plain), sum), await plain.metric(feed(plain), sum)];
          assert.ok(Math.abs(a - b) < 1e-6 * Math.max(1, b), `${a}, not ${b}`);
        }
        assert.deepEqual(called.sort(), [...early].sort());
      });

      it("makes their gradients zero, and those of their parameters", async () => {
        const { value, cache } = await edited.gradients(feed(plain), metric, [...early, last]);
        assert.equal(value, await edited.metric(feed(plain), metric));
        for (const name of early) {
          const { cache: values } = await plain.runWithCache(feed(plain), { names: [name] });
          assert.deepEqual(cache.get(name).shape, values.get(name).shape);
          assert.ok(
            cache.get(name).data.every((slope) => slope === 0),
            name,
          );
        }
        assert.ok(cache.get(last).data.some((slope) => slope !== 0));
        const { layout } = plain.parts.engine;
        const { weight } = layout.stateSpace ? layout.stateSpace(0).inProj : layout.block(0).q;
        const { gradients } = await edited.parameterGradients(feed(plain), metric);
        assert.ok(gradients.get(weight)!.data.every((slope) => slope === 0));
        const { gradients: whole } = await plain.parameterGradients(feed(plain), metric);
        assert.deepEqual([...gradients.keys()].sort(), [...whole.keys()].sort());
        for (const [name, { shape }] of whole) assert.deepEqual(gradients.get(name)!.shape, shape);
      });
    });

  it("leaves them to a classifier too", async () => {
    const model = await loadModel(fixture("models", "bert_classifier"));
    const edited = model.withEdits([patch(["resid_pre", 1], 0)]);
    const { cache } = await edited.gradients(tokens, probDiff({ correct: [0], incorrect: [1] }), [["z", 0]]);
    assert.ok(cache.get("z", 0).data.every((slope) => slope === 0));
  });

  const scratch = scratchFolder();
  it("leaves them in an exported model", async () => {
    const model = await loadModel(fixture("models", "gpt2"));
    const edits = [patch(["resid_pre", 2], 0)];
    await model.exportOnnx(scratch("cut.onnx"), { edits, outputs: [["z", 0]] });
    const onnx = await loadOnnx(scratch("cut.onnx"));
    const outputs = await onnx.forward({ tokens: tensor(BigInt64Array.from(tokens.flat(), BigInt), [2, 5]) });
    close(outputs.logits!, await model.forward(tokens, { edits }));
    const { cache } = await model.runWithCache(tokens, { names: [["z", 0]] });
    close(outputs["blocks.0.attn.hook_z"]!, cache.get("z", 0));
  });
});
