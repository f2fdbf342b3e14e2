import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { npyToTensor, readNpz, tensor, writeNpz } from "../../src/array/index.js";
import {
  ablate,
  add,
  type Edit,
  loadModel,
  loadOnnx,
  type Model,
  type OnnxInputs,
  type OnnxModel,
  project,
  scale,
} from "../../src/model/index.js";
import { scratchFolder } from "../scratch.js";
import { fixture, repository } from "../shared.js";
import { scaledError, Worst } from "./reference.js";

const families = readdirSync(fixture("models")).filter((name) =>
  existsSync(join(fixture("models"), name, "config.json")),
);
const tokens = [
  [5, 17, 3, 9, 42],
  [1, 2, 3, 4, 5],
];
const arrays = (): Record<string, ReturnType<typeof tensor>> => ({
  tokens: tensor(Int32Array.from(tokens.flat()), [2, 5]) as never,
});

/** What the written model is fed for the same tokens: those that come in, or for a T5 those of the source. */
function inputsOf({ inputs }: OnnxModel): OnnxInputs {
  const hasSource = inputs.some(({ name }) => name === "source.tokens");
  const { tokens: ids } = arrays();
  return Object.fromEntries(
    inputs.map(({ name }) => {
      if (name === (hasSource ? "source.tokens" : "tokens")) return [name, ids!];
      if (name === "source.mask") return [name, tensor(new Int32Array(10).fill(1), [2, 5])];
      return [
        name,
        name === "tokens" ? tensor(new Int32Array(2), [2, 1]) : tensor(new Int32Array(10), [2, 5]),
      ];
    }),
  );
}

/** Points that cost something to have apart are in the file where they are asked for. */
const apart = /hook_attn_in$|hook_[qkv]_input$|hook_result$/;

for (const family of families)
  describe(`an exported ${family}, read again`, () => {
    const scratch = scratchFolder();
    let model: Model;

    before(async () => {
      model = await loadModel(fixture("models", family));
    });

    it("has the same points with the same values", async () => {
      const path = scratch("model.onnx");
      const names = model.hookNames.filter((name) => !apart.test(name));
      await model.exportOnnx(path, { outputs: names });
      const again = await loadOnnx(path);
      const inputs = inputsOf(again);
      const first = await model.runWithCache(tokens, { names });
      const second = await again.run(inputs, { names });
      const worst = new Worst();
      worst.add("logits", scaledError(second.outputs.logits!, first.logits));
      for (const name of names) {
        assert.deepEqual(again.point(name).axes, model.axes(name), name);
        worst.add(name, scaledError(second.cache.get(name), first.cache.get(name)));
      }
      console.log(`      ${worst}`);
      assert.ok(worst.error < 1e-5);
      assert.deepEqual(
        again.hookNames.filter((name) => name.includes("hook_") && !names.includes(name)),
        [],
      );
    });

    it("has the same gradients", async () => {
      const path = scratch("model.onnx");
      await model.exportOnnx(path);
      const again = await loadOnnx(path);
      const names = model.hookNames.filter((name) => /hook_(embed|z|mlp_out)$/.test(name));
      const inputs = inputsOf(again);
      const first = await model.gradients(tokens, ({ logits }) => logits.square().sum(), names);
      const second = await again.gradients(inputs, ({ logits }) => logits.square().sum(), names);
      const worst = new Worst();
      for (const name of names) worst.add(name, scaledError(second.cache.get(name), first.cache.get(name)));
      console.log(`      ${worst}`);
      assert.ok(worst.error < 1e-4);
    });
  });

describe("a steered, ablated or edited model", () => {
  const python = join(repository, ".python", process.platform === "win32" ? "Scripts" : "bin", "python");
  const scratch = scratchFolder();
  const program = `
import sys
import numpy
import onnxruntime
path, given, result = sys.argv[1:]
session = onnxruntime.InferenceSession(path)
numpy.savez(result, logits=session.run(["logits"], {"tokens": numpy.load(given)["tokens"].astype("int64")})[0])
`;

  for (const [family, weights] of [
    ["gpt2", "inline"],
    ["llama", "external"],
  ] as const)
    it(`is run by onnxruntime of Python with the same logits: ${family}, ${weights}`, async function () {
      if (spawnSync(python, ["-c", "import onnxruntime"]).status !== 0) {
        console.log("      skipped: there is no onnxruntime in .python; npm run setup makes it");
        this.skip();
      }
      const model = await loadModel(fixture("models", family));
      const direction = Float32Array.from({ length: model.config.dModel }, (_, i) => Math.sin(i));
      const edits: Edit[] = [
        add(["resid_pre", 1], direction, { coefficient: 2 }),
        ablate(["z", 0], { head: 1 }),
        ablate(["mlp_out", 1], { mode: "mean" }),
        project(["resid_post", 0], direction),
        scale(/hook_attn_out$/, 0.5),
      ];
      await model.withEdits(edits).exportOnnx(scratch("edited.onnx"), { weights });
      await writeNpz(scratch("given.npz"), { tokens: arrays().tokens! });
      const files = ["edited.onnx", "given.npz", "result.npz"].map((name) => scratch(name));
      const { status, stderr } = spawnSync(python, ["-c", program, ...files], { encoding: "utf8" });
      assert.equal(status, 0, stderr);
      const logits = npyToTensor((await readNpz(scratch("result.npz"))).get("logits")!);
      const expected = await model.forward(tokens, { edits });
      assert.ok(scaledError(logits, expected) < 1e-5);
      assert.ok(scaledError(logits, await model.forward(tokens)) > 1e-3);
    });

  it("can be loaded by loadOnnx and edited further", async () => {
    const model = await loadModel(fixture("models", "gpt2"));
    const path = scratch("steered.onnx");
    await model.exportOnnx(path, { edits: [scale(["mlp_out", 0], 0)] });
    const again = await loadOnnx(path);
    const edit = ablate("blocks.0.attn.hook_z", { head: 2, pos: -1 });
    const { logits } = await again.forward(arrays(), { edits: [edit] });
    const expected = await model.forward(tokens, { edits: [scale(["mlp_out", 0], 0), edit] });
    assert.ok(scaledError(logits!, expected) < 1e-5);
  });
});
