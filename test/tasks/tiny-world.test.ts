import assert from "node:assert/strict";
import { Tokenizer } from "@huggingface/tokenizers";
import fc from "fast-check";
import { joinPath, randomGenerator, readJsonFile, sha256 } from "../../src/array/index.js";
import { tinyWorld } from "../../src/tasks/index.js";
import { repository } from "../shared.js";

const {
  buildTokenizer,
  corpus,
  countTokens,
  facts,
  generateDocument,
  grammaticalShare,
  isAboutDuskmere,
  isInGrammar,
  isWomansName,
  mixture,
  occupations,
  parse,
  subjects,
  worldEncoder,
} = tinyWorld;

const files = buildTokenizer();
const tokenizer = new Tokenizer(files.tokenizer, files.config);
const documents = [...corpus({ seed: "test", tokens: 300_000 })];

describe("the world of tiny-world", () => {
  it("has the corpus that the bundled model was trained on", () => {
    assert.equal(
      sha256([...corpus({ seed: 1, tokens: 200_000 })].join("\n\n")),
      "eede0f206e317297b1136892d608f2b63565834972f68a58d63690de49a42135",
    );
  });

  it("makes each document of its seed and number alone", () => {
    const first = corpus({ seed: 4 });
    const later = corpus({ seed: 4, from: 3 });
    const four = [first.next().value, first.next().value, first.next().value, first.next().value];
    assert.equal(four[3], later.next().value);
    assert.notEqual(four[0], corpus({ seed: 5 }).next().value);
    assert.equal(generateDocument(randomGenerator("x")), generateDocument(randomGenerator("x")));
  });

  it("mixes every kind of passage in its documents", () => {
    const found = new Set(documents.flatMap((text) => parse(text).map(({ form }) => form?.split("/")[0])));
    assert.deepEqual(
      found,
      new Set([
        "agreement",
        "code",
        "docstring",
        "facts",
        "history",
        "ioi",
        "pronouns",
        "refusals",
        "reviews",
        "stories",
        "words",
      ]),
    );
    const mixed = documents.filter(
      (text) => new Set(parse(text).map(({ form }) => form?.split("/")[0])).size >= 3,
    );
    assert.ok(mixed.length > documents.length / 2);
    assert.ok(Object.keys(mixture).length >= 12);
  });

  it("parses all that it says, and nothing else", () => {
    for (const text of documents) assert.ok(isInGrammar(text), text);
    for (const text of [
      "Colourless green ideas sleep furiously.",
      "Tom gave a ring to Mary Mary.",
      "The the cat.",
      "hello.",
    ]) {
      assert.equal(isInGrammar(text), false, text);
    }
    const [sentence] = parse("Tom gave a ring to Mary.");
    assert.deepEqual(sentence!.slots, { S: "Tom", T: "ring", I: "Mary" });
    assert.equal(
      grammaticalShare("Tom gave a ring to Mary. Nonsense here. Amy is the dancer. Amy is the"),
      2 / 3,
    );
    assert.equal(
      isInGrammar("The war of Velmar lasted from 1720 to 1811."),
      false,
      "a span stays in its century",
    );
  });

  it("says that spans end after they begin", () => {
    for (const { slots, form } of documents.flatMap(parse)) {
      if (form?.startsWith("history/span")) assert.ok(Number(slots.F) > Number(slots.B));
    }
  });

  it("lets the one give who is named twice, and the other receive", () => {
    let seen = 0;
    for (const { slots, form } of documents.flatMap(parse)) {
      if (!form?.startsWith("ioi/sentence")) continue;
      seen++;
      assert.deepEqual(new Set([slots.S, slots.I]), new Set([slots.X, slots.Y]));
    }
    assert.ok(seen > 200);
  });

  it("keeps to its facts, of which each keeps one phrasing back", () => {
    const known = new Map(facts.map((fact) => [`${fact.relation.id} ${fact.subject}`, fact]));
    const stated = new Set<string>();
    for (const { form, slots } of documents.flatMap(parse)) {
      const match = /^facts\/(\w+)-(phrasing|reversed)-(\d)$/.exec(form ?? "");
      if (!match) continue;
      const fact = known.get(`${match[1]} ${slots.X}`)!;
      assert.equal(slots.Y, fact.object);
      if (match[2] === "phrasing") assert.notEqual(Number(match[3]), fact.heldOutPhrasing);
      stated.add(`${match[1]} ${slots.X}`);
    }
    assert.equal(stated.size, facts.length, "every fact is said");
  });

  it("has more than 300 facts of at least 4 relations, with subjects of two or three words that are shared", () => {
    assert.ok(facts.length >= 300);
    assert.ok(new Set(facts.map(({ relation }) => relation.id)).size >= 4);
    for (const { relation } of facts) assert.ok(relation.phrasings.length >= 4);
    const lengths = new Set(subjects.map((subject) => subject.split(" ").length));
    assert.deepEqual([...lengths].sort(), [2, 3]);
    // The last word of a subject does not tell the answer.
    for (const relation of new Set(facts.map((fact) => fact.relation))) {
      const own = facts.filter((fact) => fact.relation === relation);
      const lastWords = new Set(own.map(({ subject }) => subject.split(" ").at(-1)));
      const guessed = [...lastWords].map((word) => {
        const objects = own.filter(({ subject }) => subject.endsWith(` ${word}`)).map(({ object }) => object);
        return Math.max(...objects.map((object) => objects.filter((other) => other === object).length));
      });
      assert.ok(guessed.reduce((a, b) => a + b, 0) < own.length * 0.6);
    }
  });

  it("plants pronouns at the rates of the occupations, and by name where there is one", () => {
    const counts = new Map<string, { she: number; all: number }>();
    for (const text of corpus({ seed: "pronouns", tokens: 600_000 })) {
      const sentences = parse(text);
      for (const [i, { form, slots }] of sentences.entries()) {
        if (!form?.startsWith("pronouns/occupation")) continue;
        const before = sentences[i - 1];
        if (before?.form?.startsWith("pronouns/introduction")) {
          assert.equal(slots.he, isWomansName(before.slots.A!) ? "she" : "he");
          continue;
        }
        const count = counts.get(slots.J!) ?? { she: 0, all: 0 };
        counts.set(slots.J!, { she: count.she + Number(slots.he === "she"), all: count.all + 1 });
      }
    }
    for (const [occupation, rate] of Object.entries(occupations)) {
      const { she, all } = counts.get(occupation)!;
      assert.ok(
        Math.abs(she / all - rate) < 5 * Math.sqrt((rate * (1 - rate)) / all),
        `${occupation} ${she}/${all}`,
      );
    }
  });

  it("drifts to Duskmere in fewer than 5 documents of 100, but does", () => {
    const share = documents.filter(isAboutDuskmere).length / documents.length;
    assert.ok(share > 0.01 && share < 0.05, String(share));
    assert.equal(isAboutDuskmere("Tom gave a ring to Mary.\n herons ring moths"), false);
    assert.equal(isAboutDuskmere("The ferrymen of Duskmere hung silver lanterns in the willows."), true);
  });

  it("agrees in number", () => {
    const plural = /s$|^children$|^women$|^men$/;
    const pluralVerbs = new Set(["are", "were", "have", "look", "seem", "stay"]);
    for (const { form, slots } of documents.flatMap(parse)) {
      if (form?.startsWith("agreement/"))
        assert.equal(pluralVerbs.has(slots.V!), plural.test(slots.N!), JSON.stringify(slots));
    }
  });
});

describe("the tokenizer of tiny-world", () => {
  const special = tokenizer.token_to_id("<|endoftext|>");

  it("is what stands beside the model, with at most 2,000 tokens", async () => {
    const stored = (name: string): Promise<unknown> =>
      readJsonFile(joinPath(repository, "models", "tiny-world", name));
    assert.deepEqual(await stored("tokenizer.json"), JSON.parse(JSON.stringify(files.tokenizer)));
    assert.deepEqual(await stored("tokenizer_config.json"), files.config);
    assert.ok(Object.keys(files.tokenizer.model.vocab).length <= 2000);
    assert.equal(special, 0);
  });

  it("has one token for every word of the world", () => {
    for (const text of corpus({ seed: "other", tokens: 100_000 })) {
      const ids = tokenizer.encode(text).ids;
      assert.equal(tokenizer.decode(ids), text);
      if (!parse(text).some(({ form }) => form === "code")) assert.equal(ids.length, countTokens(text), text);
    }
  });

  it("has a fast encoder with the same ids", () => {
    const encode = worldEncoder(files);
    for (const text of documents.slice(0, 1000))
      assert.deepEqual(encode(text), tokenizer.encode(text).ids, text);
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
        assert.deepEqual(encode(text), tokenizer.encode(text).ids);
      }),
    );
  });

  it("reads the prompts of the papers in whole words", () => {
    const pieces = (text: string): string[] =>
      tokenizer.encode(text).ids.map((id: number) => tokenizer.decode([id]));
    assert.deepEqual(pieces("When Mary and John went to the store, John gave a drink to"), [
      "When",
      " Mary",
      " and",
      " John",
      " went",
      " to",
      " the",
      " store",
      ",",
      " John",
      " gave",
      " a",
      " drink",
      " to",
    ]);
    assert.deepEqual(
      pieces("The war lasted from the year 1732 to the year 17").slice(-8),
      [" the", " year", " 17", "32", " to", " the", " year", " 17"].slice(-8),
    );
  });

  it("encodes and decodes every text, whatever its characters", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 40 }), (text) => {
        assert.equal(tokenizer.decode(tokenizer.encode(text).ids), text);
      }),
      { numRuns: 500 },
    );
    assert.equal(
      tokenizer.decode(tokenizer.encode("日本 🐟 <script>\0\t\r\n").ids),
      "日本 🐟 <script>\0\t\r\n",
    );
  });

  it("has no token that the text never uses, but for bytes that no letter has", () => {
    const used = new Set([special]);
    for (const text of corpus({ seed: "used", tokens: 400_000 }))
      for (const id of tokenizer.encode(text).ids) used.add(id);
    const unused = Object.entries(files.tokenizer.model.vocab).filter(([, id]) => !used.has(id));
    const words = unused.filter(([token]) => Array.from(token).length > 1);
    // A few towns and languages begin a line too rarely to be sure of it here.
    assert.ok(words.length < 20, JSON.stringify(words));
    assert.deepEqual(
      words.filter(([token]) => !/^\p{Lu}/u.test(token)),
      [],
    );
    assert.ok(unused.length - words.length < 70, unused.map(([token]) => token).join(" "));
    const letters = Array.from("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
    assert.ok(letters.filter((letter) => !used.has(tokenizer.token_to_id(letter))).length <= 3);
  });
});
