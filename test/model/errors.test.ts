import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tensor, zeros } from "../../src/array/index.js";
import { ablate, add, loadModel, logitDiff, type Model, patch } from "../../src/model/index.js";
import { fixture } from "../shared.js";

describe("what a model refuses, and what it says", () => {
  let model: Model;
  const tokens = [[1, 2, 3, 4]];

  before(async () => {
    model = await loadModel(fixture("models", "gpt2"));
  });

  const refuses = (what: string, run: () => Promise<unknown>, ...words: (string | RegExp)[]): void => {
    it(`${what}`, async () => {
      await assert.rejects(run, (error: Error) => {
        for (const word of words) {
          if (typeof word === "string")
            assert.ok(error.message.includes(word), `"${error.message}" lacks "${word}"`);
          else assert.match(error.message, word);
        }
        return true;
      });
      // and it still works
      assert.deepEqual((await model.forward(tokens)).shape, [1, 4, 101]);
    });
  };

  refuses("a token id beyond the vocabulary", () => model.forward([[1, 101]]), "101", "0 to 100");
  refuses("a negative token id", () => model.forward([[-1]]), "-1");
  refuses("a token id that is no whole number", () => model.forward([[1.5]]), "1.5");
  refuses("an empty input", () => model.forward([]), "empty");
  refuses("an empty row", () => model.forward([[]]), "no tokens");
  refuses(
    "a prompt longer than the context",
    () => model.forward([new Array(49).fill(1)]),
    "49 tokens",
    "48",
  );
  refuses("text, for a model without a tokenizer", () => model.forward("hello"), "no tokenizer", "token ids");
  refuses(
    "a wrong hook name in names",
    () => model.runWithCache(tokens, { names: "blocks.0.attn.hook_pattrn" }),
    "blocks.0.attn.hook_pattrn",
    "blocks.0.attn.hook_pattern",
  );
  refuses(
    "a wrong layer",
    () => model.runWithCache(tokens, { names: [["pattern", 7]] }),
    "blocks.7.attn.hook_pattern",
  );
  refuses(
    "a wrong hook name in hooks",
    () => model.runWithHooks(tokens, { hooks: [["blocks.1.hook_resid_prae", () => undefined]] }),
    "blocks.1.hook_resid_pre",
  );
  refuses("a pattern that fits no point", () => model.runWithCache(tokens, { names: /nothing/ }), "nothing");
  refuses(
    "a head that is not there",
    () => model.forward(tokens, { edits: [ablate(["z", 0], { head: 4 })] }),
    "head 4",
    "4 of them",
  );
  refuses(
    "heads at a point without them",
    () => model.forward(tokens, { edits: [ablate(["resid_pre", 0], { head: 1 })] }),
    "no heads",
  );
  refuses(
    "a position that is not there",
    () => model.forward(tokens, { edits: [ablate(["z", 0], { pos: 4 })] }),
    "position 4",
  );
  for (const [what, given] of [
    ["a number", 1],
    ["nothing", undefined],
    ["data and a shape that are no ndarray", { data: new Float32Array(2), shape: [2] }],
  ] as const)
    refuses(
      `${what} for a vector`,
      () => model.forward(tokens, { edits: [add(["resid_pre", 0], given as never)] }),
      "takes numbers as an ndarray",
    );
  refuses(
    "a vector of the wrong size",
    () => model.forward(tokens, { edits: [add(["resid_pre", 0], new Float32Array(31))] }),
    "[31]",
    "32",
  );
  refuses(
    "a patch of the wrong shape",
    () => model.forward(tokens, { edits: [patch(["resid_pre", 0], zeros([1, 5, 32]))] }),
    "[1, 5, 32]",
    "[1, 4, 32]",
  );
  refuses(
    "a hook that returns another shape",
    () => model.runWithHooks(tokens, { hooks: [["hook_embed", () => tensor([1, 2, 3])]] }),
    "hook_embed",
    "[3]",
    "[1, 4, 32]",
  );
  refuses(
    "a hook that throws",
    () => model.runWithHooks(tokens, { hooks: [["hook_embed", () => Promise.reject(new Error("mine"))]] }),
    "mine",
  );
  refuses(
    "more new tokens than the context has room for",
    () => model.generate(tokens, { maxNewTokens: 45 }),
    "45",
    "48",
  );
  refuses("a negative temperature", () => model.generate(tokens, { temperature: -1 }), "temperature");
  refuses(
    "a mask of the wrong shape",
    () => model.forward(tokens, { attentionMask: [[1, 1]] }),
    "[1, 2]",
    "[1, 4]",
  );
  refuses(
    "a mask that pads on the right",
    () => model.forward(tokens, { attentionMask: [[1, 1, 1, 0]] }),
    "left",
  );
  refuses(
    "a metric at a position that is not there",
    () => model.metric(tokens, logitDiff({ correct: 1, incorrect: 2, pos: 9 })),
    "position 9",
  );
  refuses(
    "a metric that is no scalar",
    () => model.gradients(tokens, ({ logits }) => logits.at(0), "hook_embed"),
    "scalar",
  );
  refuses("an unknown weight", async () => model.weights.get("W_X"), "W_X", "W_");

  it("stops before a run when its signal is aborted, with the signal's reason", async () => {
    const reason = new Error("enough");
    await assert.rejects(model.forward(tokens, { signal: AbortSignal.abort(reason) }), reason);
    const stop = new AbortController();
    const generating = model.generate(tokens, {
      maxNewTokens: 40,
      signal: stop.signal,
      onToken: ({ step }) => {
        if (step === 3) stop.abort(reason);
      },
    });
    await assert.rejects(generating, reason);
  });
});

describe("what loadModel refuses, and what it says", () => {
  let folder: string;
  const weights = (): string => join(folder, "model.safetensors");

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tslens-model-"));
    for (const file of ["config.json", "model.safetensors"])
      cpSync(join(fixture("models", "gpt2"), file), join(folder, file));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const refuses = (what: string, spoil: () => void, ...words: string[]): void => {
    it(what, async () => {
      spoil();
      await assert.rejects(loadModel(folder), (error: Error) => {
        for (const word of words)
          assert.ok(error.message.includes(word), `"${error.message}" lacks "${word}"`);
        return true;
      });
    });
  };
  const config = (change: Record<string, unknown>): void => {
    const path = join(folder, "config.json");
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), ...change }));
  };
  /** Rewrites the header of the weights, with the values as they are. */
  const header = (change: (json: Record<string, Record<string, unknown>>) => void): void => {
    const bytes = readFileSync(weights());
    const length = Number(bytes.readBigUInt64LE(0));
    const json = JSON.parse(bytes.subarray(8, 8 + length).toString());
    change(json);
    const text = Buffer.from(JSON.stringify(json));
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(text.length));
    writeFileSync(weights(), Buffer.concat([size, text, bytes.subarray(8 + length)]));
  };
  const wte = "transformer.wte.weight";

  refuses("an unknown architecture", () => config({ model_type: "mystery" }), "mystery", "gpt2");
  refuses("a size that is no number", () => config({ n_layer: "three" }), "n_layer", "three");
  refuses("an unknown activation", () => config({ activation_function: "wave" }), "wave", "gelu_new");
  refuses(
    "a configuration that is no JSON",
    () => writeFileSync(join(folder, "config.json"), "{"),
    "config.json",
  );
  refuses("weights that are cut off", () => truncateSync(weights(), 90_000), "model.safetensors");
  refuses("a header that is cut off", () => truncateSync(weights(), 100), "model.safetensors");
  refuses(
    "a header that says it is huge",
    () => {
      const bytes = readFileSync(weights());
      bytes.writeBigUInt64LE(1n << 60n, 0);
      writeFileSync(weights(), bytes);
    },
    "model.safetensors",
  );
  refuses(
    "a missing tensor",
    () =>
      header((json) => {
        json.other = json[wte]!;
        delete json[wte];
      }),
    wte,
  );
  refuses(
    "a tensor of another shape",
    () =>
      header((json) => {
        json[wte]!.shape = [32, 101];
      }),
    wte,
    "[32, 101]",
    "[101, 32]",
  );
  refuses(
    "a tensor that ends before it should",
    () =>
      header((json) => {
        json[wte]!.shape = [102, 32];
      }),
    wte,
  );
  refuses("missing weights", () => rmSync(weights()), "model.safetensors");

  it("a name that is no model", async () => {
    await assert.rejects(loadModel("no-such-model"), /no-such-model/);
    await assert.rejects(loadModel("../../etc/passwd"), /config\.json/);
  });
});
