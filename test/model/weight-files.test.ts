import assert from "node:assert/strict";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { readSafetensors, type Tensor, tensor, writeSafetensors } from "../../src/array/index.js";
import { crossEntropy, loadModel } from "../../src/model/index.js";
import { scratchCache } from "../cache.js";
import { scratchFolder } from "../scratch.js";
import { fixture } from "../shared.js";
import { scaledError } from "./reference.js";

const tokens = [[5, 17, 3, 99, 42, 8]];
const source = fixture("models", "gpt2");
const torch = (name: string): string => fixture("torch", name);

describe("the files of weights", () => {
  scratchCache();
  const scratch = scratchFolder();
  const derived = (): string[] => {
    const folder = join(process.env.TSLENS_CACHE!, "weights");
    return existsSync(folder) ? readdirSync(folder) : [];
  };

  beforeEach(() => {
    copyFileSync(join(source, "config.json"), scratch("config.json"));
  });

  it("of PyTorch are mapped as they are", async () => {
    copyFileSync(torch("gpt2.bin"), scratch("pytorch_model.bin"));
    const model = await loadModel(scratch());
    assert.deepEqual(await model.forward(tokens), await (await loadModel(source)).forward(tokens));
    assert.deepEqual(derived(), []);
  });

  for (const name of ["gpt2-transposed.bin", "gpt2-legacy.bin"])
    it(`of PyTorch are copied once where tensors do not stand in them as they are used: ${name}`, async () => {
      copyFileSync(torch(name), scratch("pytorch_model.bin"));
      const expected = await (await loadModel(source)).forward(tokens);
      const before = derived().length;
      assert.deepEqual(await (await loadModel(scratch())).forward(tokens), expected);
      const after = derived();
      assert.equal(after.length, before + 1);
      assert.deepEqual(await (await loadModel(scratch())).forward(tokens), expected);
      assert.deepEqual(derived(), after);
    });

  it("of PyTorch may be shards with an index", async () => {
    for (const name of readdirSync(torch("")))
      if (/^pytorch_model/.test(name)) copyFileSync(torch(name), scratch(name));
    assert.deepEqual(
      await (await loadModel(scratch())).forward(tokens),
      await (await loadModel(source)).forward(tokens),
    );
  });

  it("may be links into several folders", async () => {
    const weights = [...(await readSafetensors(join(source, "model.safetensors")))];
    const map: Record<string, string> = {};
    for (const [i, part] of [weights.slice(0, 5), weights.slice(5)].entries()) {
      const name = `part-${i}.safetensors`;
      mkdirSync(scratch(`store${i}`));
      await writeSafetensors(scratch(`store${i}`, name), new Map(part));
      symlinkSync(scratch(`store${i}`, name), scratch(name));
      for (const [key] of part) map[key] = name;
    }
    writeFileSync(scratch("model.safetensors.index.json"), JSON.stringify({ weight_map: map }));
    assert.deepEqual(
      await (await loadModel(scratch())).forward(tokens),
      await (await loadModel(source)).forward(tokens),
    );
  });

  const refuses = (what: string, index: unknown, words: RegExp): void => {
    it(`refuse an index ${what}`, async () => {
      cpSync(join(source, "model.safetensors"), scratch("model-1.safetensors"));
      writeFileSync(scratch("model.safetensors.index.json"), JSON.stringify(index));
      await assert.rejects(loadModel(scratch()), words);
    });
  };
  const wte = "transformer.wte.weight";
  refuses("without a map", { metadata: {} }, /has no "weight_map"/);
  refuses("with an empty map", { weight_map: {} }, /is empty/);
  refuses("that leaves its folder", { weight_map: { [wte]: "../model-1.safetensors" } }, /in its own folder/);
  refuses(
    "that leaves its folder from the root",
    { weight_map: { [wte]: "/etc/passwd" } },
    /in its own folder/,
  );
  refuses("that leaves its folder as Windows does", { weight_map: { [wte]: "..\\x" } }, /in its own folder/);
  refuses("that names no text", { weight_map: { [wte]: 3 } }, /in its own folder/);
  refuses(
    "of a shard that is missing",
    { weight_map: { [wte]: "model-2.safetensors" } },
    /a shard is missing/,
  );
  refuses(
    "of a tensor that is not there",
    { weight_map: { nothing: "model-1.safetensors" } },
    /it is not there/,
  );

  const changed = (what: string, change: (weights: Map<string, Tensor>) => void, words: RegExp): void => {
    it(`refuse ${what}`, async () => {
      const weights = await readSafetensors(join(source, "model.safetensors"));
      change(weights);
      await writeSafetensors(scratch("model.safetensors"), weights);
      await assert.rejects(loadModel(scratch()), words);
    });
  };
  changed(
    "missing tensors, all of them at once",
    (weights) => {
      weights.delete(wte);
      weights.delete("transformer.h.1.attn.c_attn.bias");
    },
    /lack 2 tensors, "transformer\.wte\.weight", "transformer\.h\.1\.attn\.c_attn\.bias", that config\.json asks for/,
  );
  changed(
    "a tensor in a block that the family has no use for, since the model would be another one",
    (weights) => weights.set("transformer.h.0.attn.q_norm.weight", tensor([1, 2])),
    /the tensor "transformer\.h\.0\.attn\.q_norm\.weight" that the family "gpt2" has no use for/,
  );

  it("may have buffers that say nothing new, and heads that are not loaded", async () => {
    const weights = await readSafetensors(join(source, "model.safetensors"));
    weights.set("transformer.h.0.attn.bias", tensor(new Float32Array(4), [1, 1, 2, 2]));
    weights.set("transformer.h.0.attn.masked_bias", tensor([-1e4]));
    weights.set("score.weight", tensor([1]));
    await writeSafetensors(scratch("model.safetensors"), weights);
    await loadModel(scratch());
  });

  it("of 16 bits give gradients with respect to parameters in float32, and float32 weights where those are asked for", async () => {
    const weights = await readSafetensors(join(source, "model.safetensors"));
    const narrow = new Map(
      [...weights].map(([name, { data, shape }]) => [name, { dtype: "bfloat16", shape, data }] as const),
    );
    await writeSafetensors(scratch("model.safetensors"), narrow);
    const stored = await loadModel(scratch());
    const wide = await loadModel(scratch(), { dtype: "float32" });
    assert.ok(scaledError(await stored.forward(tokens), await wide.forward(tokens), 1) < 1e-5);
    const [a, b] = await Promise.all(
      [stored, wide].map((model) => model.parameterGradients(tokens, crossEntropy())),
    );
    assert.deepEqual([...a!.gradients.keys()].sort(), [...b!.gradients.keys()].sort());
    for (const [name, gradient] of b!.gradients)
      assert.ok(scaledError(a!.gradients.get(name)!, gradient, 1e-3) < 1e-4, name);
    await assert.rejects(loadModel(scratch(), { dtype: "float8" as never }), /"float8" is not known/);
  });
});
