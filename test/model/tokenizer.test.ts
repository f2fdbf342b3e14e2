import assert from "node:assert/strict";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { makeTokenizer, openTokenizer, type Tokenizer } from "../../src/model/tokenizer.js";
import { scratchFolder } from "../scratch.js";
import { fixture, sharedOrSkip } from "../shared.js";

interface Expected {
  readonly config: Record<string, unknown>;
  readonly texts: string[];
  readonly ids: number[][];
  readonly plain: number[][];
  readonly tokens: string[][];
  readonly offsets: [number, number][][];
  readonly decoded: string[];
}

const path = (name: string): string => fixture("tokenizers", name);
const json = (name: string): unknown => JSON.parse(readFileSync(path(name), "utf8"));
const expectedOf = (name: string): Expected => json(`${name}.expected.json`) as Expected;
const load = (name: string): Tokenizer =>
  makeTokenizer(json(`${name}.json`), expectedOf(name).config, undefined, name);

/** Offsets in characters, as Python counts them, in units of JavaScript. */
const units = (text: string, [from, to]: [number, number]): [number, number] => {
  const characters = Array.from(text);
  const at = (index: number): number => characters.slice(0, index).join("").length;
  return [at(from), at(to)];
};

const kinds = ["byte-bpe", "split-bpe", "wordpiece-uncased", "wordpiece-cased", "unigram", "precompiled"];

describe("tokenizers beside Python's", () => {
  for (const name of kinds)
    it(`${name} gives the same tokens, with and without special ones, and the same texts`, () => {
      const tokenizer = load(name);
      const { texts, ids, plain, decoded } = expectedOf(name);
      texts.forEach((text, i) => {
        assert.deepEqual(tokenizer.encode(text), ids[i], JSON.stringify(text));
        assert.deepEqual(tokenizer.encode(text, { prependBos: false }), plain[i], JSON.stringify(text));
        assert.equal(tokenizer.decode(plain[i]!), decoded[i], JSON.stringify(text));
      });
    });

  for (const name of kinds)
    it(`${name} finds where tokens stand`, () => {
      const tokenizer = load(name);
      const { texts, offsets, tokens } = expectedOf(name);
      let compared = 0;
      texts.forEach((text, i) => {
        if (text.includes("㍿")) return; // signs that become several letters
        const found = tokenizer.encodeWithOffsets(text, { prependBos: false }).offsets;
        offsets[i]!.forEach((offset, t) => {
          if (tokens[i]![t] === "▁") return; // Python counts the letter behind it
          const [from, to] = units(text, offset);
          // Spaces before a token belong to it here, and to some tokens only in Python; so do marks that are characters of their own.
          const trim = (a: number, b: number): string =>
            text
              .slice(a, b)
              .normalize("NFD")
              .replace(/[\p{M}\p{Cf}]/gu, "")
              .trim();
          const shown = `${JSON.stringify(text)}, token ${t} ${JSON.stringify(tokens[i]![t])}`;
          assert.equal(trim(...(found[t] as [number, number])), trim(from, to), shown);
          compared++;
        });
      });
      assert.ok(compared > 150);
    });

  for (const kind of ["bpe", "unigram"])
    it(`a tokenizer.model of SentencePiece (${kind}) gives SentencePiece's tokens`, async () => {
      const { sentencePieceJson } = await import("../../src/model/sentencepiece.js");
      const { texts, plain, decoded } = expectedOf(`spm-${kind}`);
      const made = sentencePieceJson(readFileSync(path(`spm-${kind}.model`)), "tokenizer.model");
      const tokenizer = makeTokenizer(made, { bos_token: "<s>" }, undefined, "tokenizer.model");
      texts.forEach((text, i) => {
        if (/<s>/.test(text)) return; // SentencePiece reads control tokens as text
        assert.deepEqual(tokenizer.encode(text, { prependBos: false }), plain[i], JSON.stringify(text));
        assert.equal(tokenizer.decode(plain[i]!), decoded[i], JSON.stringify(text));
      });
      assert.equal(tokenizer.addsBos, true);
      assert.equal(tokenizer.encode("a")[0], 1);
    });
});

describe("SentencePiece's usual normalisation", () => {
  it("is that of SentencePiece, and T5's texts end with EOS", async () => {
    const { sentencePieceJson } = await import("../../src/model/sentencepiece.js");
    const { texts, plain } = expectedOf("spm-t5");
    const bytes = readFileSync(path("spm-t5.model"));
    const tokenizer = makeTokenizer(sentencePieceJson(bytes, "spiece.model"), {}, undefined, "spiece.model");
    texts.forEach((text, i) => {
      if (/<\/s>/.test(text)) return; // SentencePiece reads control tokens as text
      assert.deepEqual(tokenizer.encode(text), plain[i], JSON.stringify(text));
    });
    const t5 = { tokenizer_class: "T5Tokenizer" };
    const ends = makeTokenizer(sentencePieceJson(bytes, "spiece.model", t5), t5, undefined, "spiece.model");
    assert.equal(ends.tokenText(ends.encode("the dog").at(-1)!), "</s>");
    assert.equal(ends.addsBos, false);
  });
});

describe("the older files of tokenizers", () => {
  const scratch = scratchFolder();

  it("vocab.json and merges.txt give what tokenizer.json gives", async () => {
    copyFileSync(path("byte-bpe.vocab.json"), scratch("vocab.json"));
    copyFileSync(path("byte-bpe.merges.txt"), scratch("merges.txt"));
    const tokenizer = (await openTokenizer(scratch(), undefined))!;
    const { texts, ids } = expectedOf("byte-bpe");
    texts.forEach((text, i) => {
      assert.deepEqual(tokenizer.encode(text), ids[i], JSON.stringify(text));
    });
  });

  for (const name of ["wordpiece-uncased", "wordpiece-cased"])
    it(`vocab.txt gives what tokenizer.json gives (${name})`, async () => {
      copyFileSync(path(`${name}.vocab.txt`), scratch("vocab.txt"));
      writeFileSync(scratch("tokenizer_config.json"), JSON.stringify(expectedOf(name).config));
      const tokenizer = (await openTokenizer(scratch(), undefined))!;
      const { texts, ids } = expectedOf(name);
      texts.forEach((text, i) => {
        assert.deepEqual(tokenizer.encode(text), ids[i], JSON.stringify(text));
      });
    });

  it("are looked for after tokenizer.json, and a folder may have none", async () => {
    assert.equal(await openTokenizer(scratch(), undefined), undefined);
    copyFileSync(path("byte-bpe.vocab.json"), scratch("vocab.json"));
    assert.equal(await openTokenizer(scratch(), undefined), undefined);
    copyFileSync(path("unigram.json"), scratch("tokenizer.json"));
    const { texts, ids } = expectedOf("unigram");
    assert.deepEqual((await openTokenizer(scratch(), undefined))!.encode(texts[4]!), ids[4]);
  });

  it("GPT-2's own give GPT-2's tokens", async function () {
    const folder = sharedOrSkip(this, "data", "tokenizers");
    for (const file of ["encoder.json", "vocab.bpe"]) copyFileSync(join(folder, file), scratch(file));
    const tokenizer = (await openTokenizer(scratch(), undefined))!;
    goldenCases(tokenizer, folder, "gpt-2");
  });

  it("a trained model's tokenizer.model gives what its tokenizer.json gives", async function () {
    const folder = sharedOrSkip(this, "data", "models", "stories260K");
    copyFileSync(join(folder, "tok512.model"), scratch("tokenizer.model"));
    const own = (await openTokenizer(scratch(), 1))!;
    const json = (await openTokenizer(folder, 1))!;
    for (const text of expectedOf("byte-bpe").texts) {
      if (/^\s|\s\s|\s$|<s>/.test(text)) continue; // tokenizer.json keeps spaces that the model drops
      assert.deepEqual(own.encode(text), json.encode(text), JSON.stringify(text));
      assert.equal(own.decode(own.encode(text)), json.decode(json.encode(text)));
    }
  });
});

/** llama.cpp's cases: texts between lines of `__ggml_vocab_test__`, and a line of ids for each. */
function goldenCases(tokenizer: Tokenizer, folder: string, name: string): void {
  const read = (end: string): string => readFileSync(join(folder, `golden-${name}.${end}`), "utf8");
  const texts = read("inp").split("\n__ggml_vocab_test__\n");
  const rows = read("out").split("\n");
  let cases = 0;
  texts.forEach((text, i) => {
    if (rows[i] === undefined) return;
    const ids = rows[i].trim() === "" ? [] : rows[i].trim().split(/\s+/).map(Number);
    assert.deepEqual(tokenizer.encode(text, { prependBos: false }), ids, JSON.stringify(text));
    assert.equal(tokenizer.decode(ids), text);
    cases++;
  });
  assert.ok(cases > 40, String(cases));
}

describe("texts and their tokens", () => {
  const scratch = scratchFolder();
  const anyText = fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.string({ unit: "grapheme", maxLength: 40 }),
    fc
      .array(fc.constantFrom(" ", "\n", "the", "Mary", "é", "e\u0301", "🚀", "\u200d", "日本", "1", "'s"), {
        maxLength: 20,
      })
      .map((parts) => parts.join("")),
  );

  for (const name of ["byte-bpe", "split-bpe"])
    it(`round-trip through ${name}, whatever the text, and offsets cover it without gaps`, () => {
      const tokenizer = load(name);
      fc.assert(
        fc.property(anyText, (text) => {
          const { ids, offsets } = tokenizer.encodeWithOffsets(text, { prependBos: false });
          assert.equal(tokenizer.decode(ids), text);
          let end = 0;
          for (const [from, to] of offsets) {
            assert.ok(from <= end && to >= from && to >= end);
            end = to;
          }
          assert.equal(end, text.length);
        }),
        { numRuns: 500 },
      );
    });

  for (const name of [...kinds, "spm"])
    it(`of ${name} have offsets inside the text, in order, whatever the text`, async () => {
      const { sentencePieceJson } = await import("../../src/model/sentencepiece.js");
      const tokenizer =
        name === "spm"
          ? makeTokenizer(sentencePieceJson(readFileSync(path("spm-bpe.model")), "m"), {}, undefined, "m")
          : load(name);
      fc.assert(
        fc.property(anyText, (text) => {
          const { ids, offsets } = tokenizer.encodeWithOffsets(text);
          assert.equal(ids.length, offsets.length);
          let last = 0;
          for (const [from, to] of offsets) {
            assert.ok(from >= 0 && to >= from && to <= text.length, `${from}..${to}`);
            assert.ok(from >= last, `${from} after ${last}`);
            last = from;
          }
          assert.deepEqual(tokenizer.encode(text), ids);
        }),
        { numRuns: 200 },
      );
    });

  it("that are not well-formed are read as every encoder of UTF-8 reads them", () => {
    const tokenizer = load("byte-bpe");
    assert.equal(tokenizer.decode(tokenizer.encode("a\ud800b")), "a\ufffdb");
  });

  it("show tokens that are parts of characters by their bytes", () => {
    const tokenizer = load("byte-bpe");
    const texts = tokenizer.encode("⟁").map((id) => tokenizer.tokenText(id));
    assert.deepEqual(texts, ["<0xE2>", "<0x9F>", "<0x81>"]);
    const { ids } = { ids: tokenizer.encode(" the dog") };
    assert.equal(ids.map((id) => tokenizer.tokenText(id)).join(""), " the dog");
    assert.equal(tokenizer.tokenText(99_999), "<99999>");
  });

  it("begin with BOS as the tokenizer says, or as they are told", async () => {
    const tokenizer = load("split-bpe");
    const bos = tokenizer.encode("<|begin|>", { prependBos: false })[0]!;
    assert.equal(tokenizer.addsBos, true);
    assert.equal(tokenizer.encode("x")[0], bos);
    assert.notEqual(tokenizer.encode("x", { prependBos: false })[0], bos);
    assert.deepEqual(tokenizer.encodeWithOffsets("x").offsets[0], [0, 0]);
    // Transformers asks the post-processor of a tokenizer.json alone.
    const told = { bos_token: "<|endoftext|>", add_bos_token: true };
    assert.equal(makeTokenizer(json("byte-bpe.json"), told).addsBos, false);
    copyFileSync(path("byte-bpe.vocab.json"), scratch("vocab.json"));
    copyFileSync(path("byte-bpe.merges.txt"), scratch("merges.txt"));
    writeFileSync(scratch("tokenizer_config.json"), JSON.stringify(told));
    const older = (await openTokenizer(scratch(), undefined))!;
    assert.equal(older.tokenText(older.encode("x")[0]!), "<|endoftext|>");
    assert.throws(() => load("unigram").encode("x", { prependBos: true }), /no BOS token/);
  });

  it("Pythia's tokenizer.json reads them", async function () {
    const folder = sharedOrSkip(this, "data", "tokenizers");
    const tokenizer = makeTokenizer(
      JSON.parse(readFileSync(join(folder, "pythia_tokenizer.json"), "utf8")),
      {},
    );
    for (const text of expectedOf("byte-bpe").texts)
      assert.equal(tokenizer.decode(tokenizer.encode(text)), text.normalize("NFC"));
    assert.deepEqual(
      tokenizer.encode("Hello world").map((id) => tokenizer.tokenText(id)),
      ["Hello", " world"],
    );
  });
});

describe("chat templates", () => {
  const template =
    "{{ bos_token }}{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] | trim }}\n{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}";
  const config = { bos_token: { content: "<|begin|>" }, chat_template: template };
  const messages = [
    { role: "system", content: " Be brief. " },
    { role: "user", content: "Hi <b>" },
  ];

  it("write conversations as the model was trained on them", () => {
    const tokenizer = makeTokenizer(json("split-bpe.json"), config);
    assert.equal(
      tokenizer.applyChatTemplate(messages),
      "<|begin|><|system|>Be brief.\n<|user|>Hi <b>\n<|assistant|>",
    );
    const ids = tokenizer.encodeChat(messages);
    assert.equal(tokenizer.decode(ids), tokenizer.applyChatTemplate(messages));
    const [bos] = tokenizer.encode("<|begin|>", { prependBos: false });
    assert.equal(ids.filter((id) => id === bos).length, 1);
    assert.equal(
      tokenizer.applyChatTemplate(messages.slice(1), { addGenerationPrompt: false }),
      "<|begin|><|user|>Hi <b>\n",
    );
  });

  it("are chosen by name, or given", () => {
    const named = [
      { name: "default", template: "one" },
      { name: "tools", template: "{{ tools | length }} tools" },
    ];
    const tokenizer = makeTokenizer(json("split-bpe.json"), { chat_template: named });
    assert.equal(tokenizer.applyChatTemplate(messages), "one");
    assert.equal(
      tokenizer.applyChatTemplate(messages, { template: "tools", variables: { tools: [1, 2] } }),
      "2 tools",
    );
    assert.equal(tokenizer.applyChatTemplate(messages, { template: "{{ messages[1].role }}" }), "user");
    assert.throws(
      () => tokenizer.applyChatTemplate(messages, { template: "rag" }),
      /"rag".*"default", "tools"/,
    );
  });

  it("are refused in sentences", () => {
    assert.throws(() => load("byte-bpe").applyChatTemplate(messages), /no chat template/);
    const refusing = makeTokenizer(json("split-bpe.json"), {
      chat_template: "{{ raise_exception('no system role') }}",
    });
    assert.throws(
      () => refusing.applyChatTemplate(messages),
      /cannot write this conversation: .*no system role/,
    );
    for (const template of ["{% for i in range(1000000000) %}x{% endfor %}", "{{ range(0, 5, 0) }}"])
      assert.throws(() => refusing.applyChatTemplate(messages, { template }), /it counts from 0 to/);
    assert.equal(
      refusing.applyChatTemplate(messages, {
        template: "{{ range(1, 4) | join(',') }} {{ strftime_now('%d %b %Y') | length }}",
      }),
      "1,2,3 11",
    );
    const broken = makeTokenizer(json("split-bpe.json"), { chat_template: "{% for %}" });
    assert.throws(() => broken.applyChatTemplate(messages), /cannot write this conversation/);
  });
});
