import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { join } from "node:path";
import {
  bfloat16ToFloat32,
  contiguous,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
  type NativeArray,
  readSafetensors,
  type Tensor,
  tensor,
  writeSafetensors,
} from "../../src/array/index.js";
import { loadModel } from "../../src/model/index.js";
import { scratchFolder } from "../scratch.js";
import { fixture } from "../shared.js";
import { scaledError } from "./reference.js";

const tokens = [[5, 17, 3, 99, 42, 8]];

for (const family of ["gpt2", "llama"])
  describe(`the weights of ${family}`, () => {
    const scratch = scratchFolder();

    for (const dtype of ["float16", "bfloat16"] as const)
      it(`stored as ${dtype} give the logits of the rounded values`, async () => {
        const source = fixture("models", family);
        const weights = await readSafetensors(join(source, "model.safetensors"));
        const narrow = dtype === "float16" ? float32ToFloat16 : float32ToBfloat16;
        const wide = dtype === "float16" ? float16ToFloat32 : bfloat16ToFloat32;
        const stored = new Map<string, NativeArray>();
        const rounded = new Map<string, Tensor>();
        for (const [name, { data, shape }] of weights) {
          stored.set(name, { dtype, shape, data: narrow(data) });
          rounded.set(name, tensor(wide(narrow(data)), shape));
        }
        for (const [folder, tensors] of [
          ["narrow", stored],
          ["wide", rounded],
        ] as const) {
          cpSync(join(source, "config.json"), scratch(folder, "config.json"));
          await writeSafetensors(scratch(folder, "model.safetensors"), tensors);
        }
        const half = await loadModel(scratch("narrow"));
        const full = await loadModel(scratch("wide"));
        const options = { names: half.hookNames };
        const a = await half.runWithCache(tokens, options);
        const b = await full.runWithCache(tokens, options);
        assert.ok(scaledError(a.logits, b.logits, 1) < 1e-5);
        for (const name of half.hookNames)
          assert.ok(scaledError(a.cache.get(name), b.cache.get(name), 1) < 1e-5, name);
        assert.deepEqual(
          (await half.generate(tokens, { maxNewTokens: 5 })).tokens,
          (await full.generate(tokens, { maxNewTokens: 5 })).tokens,
        );
        assert.deepEqual(half.weights.get("W_Q"), full.weights.get("W_Q"));
      });

    it("have TransformerLens's names and layouts, which make the values at the points", async () => {
      const model = await loadModel(fixture("models", family));
      const { nLayers, nHeads, nKvHeads, dModel, dHead, dVocab } = model.config;
      assert.deepEqual(model.weights.get("W_E").shape, [dVocab, dModel]);
      assert.deepEqual(model.weights.get("W_U").shape, [dModel, dVocab]);
      assert.deepEqual(model.weights.get("W_Q").shape, [nLayers, nHeads, dModel, dHead]);
      assert.deepEqual(model.weights.get("W_K").shape, [nLayers, nKvHeads, dModel, dHead]);
      assert.deepEqual(model.weights.get("W_O").shape, [nLayers, nHeads, dHead, dModel]);
      const { cache } = await model.runWithCache(tokens, {
        names: [
          ["z", 1],
          ["result", 1],
          ["post", 1],
          ["mlp_out", 1],
        ],
      });
      const [z, result, wo] = [cache.get("z", 1), cache.get("result", 1), model.weights.get("W_O")];
      for (let head = 0; head < nHeads; head++)
        for (let d = 0; d < dModel; d++) {
          let sum = 0;
          for (let i = 0; i < dHead; i++) sum += z.get(0, 2, head, i) * wo.get(1, head, i, d);
          assert.ok(Math.abs(sum - result.get(0, 2, head, d)) < 1e-5);
        }
      const [post, out, wOut, bOut] = [
        cache.get("post", 1),
        cache.get("mlp_out", 1),
        model.weights.get("W_out"),
        model.weights.get("b_out"),
      ];
      for (let d = 0; d < dModel; d++) {
        let sum = bOut.get(1, d);
        for (let i = 0; i < post.shape[2]!; i++) sum += post.get(0, 2, i) * wOut.get(1, i, d);
        assert.ok(Math.abs(sum - out.get(0, 2, d)) < 1e-5);
      }
    });

    it("without the family's prefix, or in shards with an index, are found too", async () => {
      const source = fixture("models", family);
      const weights = await readSafetensors(join(source, "model.safetensors"));
      const prefix = family === "gpt2" ? "transformer." : "model.";
      const bare = new Map([...weights].map(([name, value]) => [name.replace(prefix, ""), value]));
      cpSync(join(source, "config.json"), scratch("bare", "config.json"));
      await writeSafetensors(scratch("bare", "model.safetensors"), bare);
      const names = [...weights.keys()];
      const files: Record<string, string> = {};
      for (const [i, part] of [names.slice(0, 7), names.slice(7)].entries()) {
        const file = `model-0000${i + 1}-of-00002.safetensors`;
        await writeSafetensors(
          scratch("shards", file),
          new Map(part.map((name) => [name, weights.get(name)!])),
        );
        for (const name of part) files[name] = file;
      }
      const { writeFileSync } = await import("node:fs");
      writeFileSync(scratch("shards", "model.safetensors.index.json"), JSON.stringify({ weight_map: files }));
      cpSync(join(source, "config.json"), scratch("shards", "config.json"));
      const expected = await (await loadModel(source)).forward(tokens);
      for (const folder of ["bare", "shards"])
        assert.deepEqual(
          contiguous(await (await loadModel(scratch(folder))).forward(tokens)).data,
          expected.data,
          folder,
        );
    });
  });

describe("hooks while text is generated", () => {
  it("are called at every step, with the new positions, and change what follows", async () => {
    const model = await loadModel(fixture("models", "llama"));
    const seen: number[] = [];
    const silence = (value: Tensor): Tensor => {
      seen.push(value.shape[1]!);
      return tensor(new Float32Array(value.data.length), value.shape);
    };
    const { ablate } = await import("../../src/model/index.js");
    const hooked = await model.generate(tokens, {
      maxNewTokens: 6,
      hooks: [["blocks.1.attn.hook_z", silence]],
    });
    const edited = await model.generate(tokens, { maxNewTokens: 6, edits: [ablate("blocks.1.attn.hook_z")] });
    assert.deepEqual(hooked.tokens, edited.tokens);
    assert.deepEqual(seen, [6, 1, 1, 1, 1, 1]);
  });

  it("sampling gives the same text for the same seed and another for another", async () => {
    const model = await loadModel(fixture("models", "gpt2"));
    const sample = async (seed: number): Promise<number[][]> =>
      (await model.generate(tokens, { maxNewTokens: 20, temperature: 1, topK: 20, topP: 0.95, seed })).tokens;
    assert.deepEqual(await sample(1), await sample(1));
    assert.notDeepEqual(await sample(1), await sample(2));
  });
});
