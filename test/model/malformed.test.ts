import assert from "node:assert/strict";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { readTorchHeader, readTorchTensor } from "../../src/array/index.js";
import { loadModel } from "../../src/model/index.js";
import { sentencePieceJson } from "../../src/model/sentencepiece.js";
import { makeTokenizer, openTokenizer } from "../../src/model/tokenizer.js";
import { scratchCache } from "../cache.js";
import { scratchFolder } from "../scratch.js";
import { fixture } from "../shared.js";

/** A file with some bits flipped, cut off, or with a part of it repeated or removed. */
const damaged = (content: Uint8Array): fc.Arbitrary<Uint8Array> => {
  const place = fc.nat(content.length - 1);
  const flips = fc.array(fc.tuple(place, fc.nat(7)), { minLength: 1, maxLength: 4 }).map((list) => {
    const bytes = content.slice();
    for (const [at, bit] of list) bytes[at]! ^= 1 << bit;
    return bytes;
  });
  const cut = place.map((end) => content.slice(0, end));
  const removed = fc
    .tuple(place, fc.integer({ min: 1, max: 40 }))
    .map(([at, length]) => joined(content.slice(0, at), content.slice(at + length)));
  const repeated = fc
    .tuple(place, fc.integer({ min: 1, max: 12 }))
    .map(([at, length]) => joined(content.slice(0, at + length), content.slice(at)));
  return fc.oneof({ arbitrary: flips, weight: 3 }, cut, removed, repeated);
};

const joined = (a: Uint8Array, b: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
};

/** What JavaScript says where nobody has looked before. */
const unthought =
  /Cannot read prop|Cannot set prop|is not a function|is not iterable|is not defined|Invalid array|Invalid typed array|Maximum call stack|Cannot convert|allocation failed/;

/** The error must be a sentence of the engine's. */
function isSentence(error: unknown): void {
  assert.ok(error instanceof Error, String(error));
  assert.ok(error.message.length > 15 && !unthought.test(error.message), error.stack ?? error.message);
}

async function survives(work: () => unknown): Promise<boolean> {
  const before = process.memoryUsage().rss;
  let fine = true;
  try {
    await work();
  } catch (error) {
    isSentence(error);
    fine = false;
  }
  const grown = process.memoryUsage().rss - before;
  assert.ok(grown < 200e6, `${grown} bytes more`);
  return fine;
}

const many = { numRuns: 300 };

describe("damaged files of models", () => {
  scratchCache();
  const scratch = scratchFolder();

  const model = (family: string): void => {
    for (const name of ["config.json", "model.safetensors"])
      copyFileSync(fixture("models", family, name), scratch(name));
  };

  for (const family of ["gpt2", "llama", "llama_rope3"])
    it(`config.json of ${family}: a model or a sentence`, async () => {
      model(family);
      const content = readFileSync(fixture("models", family, "config.json"));
      const plain = Uint8Array.from(content);
      await fc.assert(
        fc.asyncProperty(damaged(plain), async (bytes) => {
          writeFileSync(scratch("config.json"), bytes);
          await survives(() => loadModel(scratch()));
        }),
        many,
      );
    });

  it("config.json with sizes that no machine has room for", async () => {
    const content = JSON.parse(readFileSync(fixture("models", "llama", "config.json"), "utf8"));
    const numbers = Object.keys(content).filter((key) => typeof content[key] === "number");
    model("llama");
    let refused = 0;
    for (const key of numbers)
      for (const value of [1e4, 1e7, 1e9, 1e15, 1e300, -1, 0, 0.5, "3", null, [], {}, true]) {
        writeFileSync(scratch("config.json"), JSON.stringify({ ...content, [key]: value }));
        if (!(await survives(() => loadModel(scratch())))) refused++;
      }
    assert.ok(refused > 80, String(refused));
  });

  it("config.json with any other JSON in its places", async () => {
    const content = JSON.parse(readFileSync(fixture("models", "llama_rope3", "config.json"), "utf8"));
    model("llama_rope3");
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.keys(content)),
        fc.jsonValue({ maxDepth: 2 }),
        async (key, value) => {
          writeFileSync(scratch("config.json"), JSON.stringify({ ...content, [key]: value }));
          await survives(() => loadModel(scratch()));
        },
      ),
      many,
    );
  });

  it("the header of model.safetensors", async () => {
    model("gpt2");
    const content = Uint8Array.from(readFileSync(fixture("models", "gpt2", "model.safetensors")));
    const header = 8 + Number(new DataView(content.buffer).getBigUint64(0, true));
    await fc.assert(
      fc.asyncProperty(damaged(content.slice(0, header)), async (bytes) => {
        writeFileSync(scratch("model.safetensors"), joined(bytes, content.slice(header)));
        await survives(() => loadModel(scratch()));
      }),
      many,
    );
  });

  it("model.safetensors.index.json", async () => {
    model("gpt2");
    const names = Object.keys(
      JSON.parse(readFileSync(fixture("torch", "pytorch_model.bin.index.json"), "utf8")).weight_map,
    );
    const map = Object.fromEntries(names.map((name) => [name, "weights.safetensors"]));
    const { renameSync } = await import("node:fs");
    renameSync(scratch("model.safetensors"), scratch("weights.safetensors"));
    const content = new TextEncoder().encode(JSON.stringify({ weight_map: map }));
    await fc.assert(
      fc.asyncProperty(damaged(content), async (bytes) => {
        writeFileSync(scratch("model.safetensors.index.json"), bytes);
        await survives(() => loadModel(scratch()));
      }),
      many,
    );
  });
});

describe("damaged files of PyTorch", () => {
  const scratch = scratchFolder();

  for (const name of ["zip.bin", "legacy.bin", "checkpoint.bin", "compressed.bin"])
    it(`${name}: tensors or a sentence, and nothing runs`, async () => {
      const content = Uint8Array.from(readFileSync(fixture("torch", name)));
      await fc.assert(
        fc.asyncProperty(damaged(content), async (bytes) => {
          writeFileSync(scratch("file.bin"), bytes);
          await survives(async () => {
            for (const entry of (await readTorchHeader(scratch("file.bin"))).values())
              await readTorchTensor(entry);
          });
        }),
        { numRuns: 400 },
      );
    });
});

describe("damaged files of tokenizers", () => {
  const scratch = scratchFolder();
  const text = "Hello, wörld 🚀 1234  <s>\n";

  for (const name of ["byte-bpe", "split-bpe", "wordpiece-cased", "unigram"])
    it(`tokenizer.json of ${name}: a tokenizer or a sentence`, async () => {
      const content = Uint8Array.from(readFileSync(fixture("tokenizers", `${name}.json`)));
      await fc.assert(
        fc.asyncProperty(damaged(content), async (bytes) => {
          writeFileSync(scratch("tokenizer.json"), bytes);
          await survives(async () => {
            const tokenizer = (await openTokenizer(scratch(), undefined))!;
            const { ids } = tokenizer.encodeWithOffsets(text);
            tokenizer.decode(ids);
            for (const id of ids) tokenizer.tokenText(id);
          });
        }),
        many,
      );
    });

  it("tokenizer.json with any other JSON in its places", async () => {
    for (const name of ["split-bpe", "wordpiece-cased", "unigram"]) {
      const content = JSON.parse(readFileSync(fixture("tokenizers", `${name}.json`), "utf8"));
      const places = Object.keys(content).flatMap((key) => [
        [key],
        ...(content[key] && typeof content[key] === "object"
          ? Object.keys(content[key]).map((inner) => [key, inner])
          : []),
      ]);
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...places),
          fc.jsonValue({ maxDepth: 2 }),
          async ([key, inner], value) => {
            const changed = structuredClone(content);
            if (inner === undefined) changed[key!] = value;
            else changed[key!][inner] = value;
            await survives(() => {
              const tokenizer = makeTokenizer(changed, {});
              const { ids } = tokenizer.encodeWithOffsets(text);
              tokenizer.decode(ids);
            });
          },
        ),
        { numRuns: 200 },
      );
    }
  });

  for (const kind of ["bpe", "unigram", "t5"])
    it(`tokenizer.model (${kind}): a tokenizer or a sentence`, async () => {
      const content = Uint8Array.from(readFileSync(fixture("tokenizers", `spm-${kind}.model`)));
      await fc.assert(
        fc.asyncProperty(damaged(content), async (bytes) => {
          await survives(() => {
            const tokenizer = makeTokenizer(
              sentencePieceJson(bytes, "tokenizer.model"),
              {},
              undefined,
              "tokenizer.model",
            );
            const { ids } = tokenizer.encodeWithOffsets(text);
            tokenizer.decode(ids);
          });
        }),
        many,
      );
    });

  for (const files of [["byte-bpe.vocab.json", "byte-bpe.merges.txt"], ["wordpiece-cased.vocab.txt"]])
    it(`${files.join(" and ")}: a tokenizer or a sentence`, async () => {
      const plain = files.map((name) => name.replace(/^[\w-]+\./, ""));
      for (const [i, name] of files.entries()) {
        files.forEach((other, j) => {
          copyFileSync(fixture("tokenizers", other), scratch(plain[j]!));
        });
        const content = Uint8Array.from(readFileSync(fixture("tokenizers", name)));
        await fc.assert(
          fc.asyncProperty(damaged(content), async (bytes) => {
            writeFileSync(join(scratch(), plain[i]!), bytes);
            await survives(async () => {
              const tokenizer = (await openTokenizer(scratch(), undefined))!;
              tokenizer.decode(tokenizer.encodeWithOffsets(text).ids);
            });
          }),
          { numRuns: 150 },
        );
      }
    });
});
