import assert from "node:assert/strict";
import { Tokenizer } from "@huggingface/tokenizers";
import {
  docstring,
  facts,
  genderedPronouns,
  greaterThan,
  induction,
  ioi,
  type Prompt,
  sentiment,
  subjectVerbAgreement,
  type TaskOptions,
  tinyWorld,
} from "../../src/tasks/index.js";

const files = tinyWorld.buildTokenizer();
const tokenizer = new Tokenizer(files.tokenizer, files.config);
const ids = (text: string): number[] => tokenizer.encode(text).ids;

const tasks: Record<string, (options: TaskOptions) => Prompt[]> = {
  ioi,
  facts,
  genderedPronouns,
  "genderedPronouns of named people": (options) => genderedPronouns({ ...options, named: true }),
  sentiment,
  subjectVerbAgreement,
  docstring,
};

/** All sentences of a large corpus, for looking up what training sees. */
const seen = new Set(
  [...tinyWorld.corpus({ seed: 1, tokens: 400_000 })].flatMap((text) =>
    tinyWorld.parse(text).map((s) => s.text),
  ),
);

describe("tasks", () => {
  for (const [name, task] of Object.entries(tasks)) {
    it(`${name} makes prompts whose answer is one token and whose corruption keeps every place`, () => {
      for (const { clean, corrupt, answer, wrongAnswer } of task({ count: 200, seed: 1 })) {
        assert.notEqual(clean, corrupt);
        assert.notEqual(answer, wrongAnswer);
        assert.equal(ids(clean).length, ids(corrupt).length, `${clean} / ${corrupt}`);
        for (const text of [answer, wrongAnswer]) {
          assert.equal(ids(text).length, 1, text);
          assert.deepEqual(ids(clean + text), [...ids(clean), ...ids(text)]);
        }
      }
    });

    it(`${name} is the same for the same seed, and varied`, () => {
      assert.deepEqual(task({ count: 20, seed: 3 }), task({ count: 20, seed: 3 }));
      assert.notDeepEqual(task({ count: 20, seed: 3 }), task({ count: 20, seed: 4 }));
      const prompts = task({ count: 300, seed: 5 });
      assert.ok(new Set(prompts.map(({ clean }) => clean)).size > 60);
      assert.ok(new Set(prompts.map(({ answer }) => answer)).size > 1);
    });

    it(`${name} refuses counts and splits that are none`, () => {
      assert.throws(() => task({ count: 0 }), /count from 1 on; 0 came/);
      assert.throws(() => task({ split: "test" as "train" }), /"heldOut" or "train"; "test" came/);
    });
  }

  it("ioi follows the world's grammar, in both orders and in many templates", () => {
    const prompts = ioi({ count: 500, seed: 2 });
    for (const { clean, answer, indirectObject, subject, order } of prompts) {
      assert.ok(tinyWorld.isInGrammar(`${clean}${answer}.`), `${clean}${answer}.`);
      assert.equal(answer, ` ${indirectObject}`);
      const words = clean.match(/\p{L}+/gu)!;
      assert.equal(words.filter((word) => word === subject).length, 2);
      assert.equal(words.filter((word) => word === indirectObject).length, 1);
      assert.equal(words.indexOf(indirectObject) < words.indexOf(subject), order === "ABBA");
    }
    assert.equal(new Set(prompts.map(({ order }) => order)).size, 2);
    assert.ok(new Set(prompts.map(({ template }) => template)).size > 100);
    assert.ok(prompts.some(({ template }) => template.includes("distractor")));
    assert.ok(ioi({ count: 50, order: "ABBA" }).every(({ order }) => order === "ABBA"));
  });

  it("ioi's corruptions change who gives, or all the names", () => {
    for (const { clean, corrupt, indirectObject, subject } of ioi({ count: 50 })) {
      const last = clean.lastIndexOf(subject);
      assert.equal(corrupt, clean.slice(0, last) + indirectObject + clean.slice(last + subject.length));
    }
    for (const { corrupt, indirectObject, subject } of ioi({ count: 50, corruption: "abc" })) {
      const words = corrupt.match(/\p{L}+/gu)!;
      assert.ok(!words.includes(indirectObject) && !words.includes(subject));
      const people = words.filter((word) => tinyWorld.names.includes(word));
      assert.equal(new Set(people).size, people.length);
    }
  });

  it("keeps what it holds out from the training text, and finds there what it does not", () => {
    const pairs = new Set(
      [...seen].flatMap((text) => {
        const { form, slots } = tinyWorld.parse(text)[0]!;
        return form?.startsWith("ioi/sentence") ? [[slots.X, slots.Y].sort().join()] : [];
      }),
    );
    for (const { indirectObject, subject } of ioi({ count: 200 })) {
      assert.ok(!pairs.has([indirectObject, subject].sort().join()));
    }
    const count = (prompts: Prompt[]): number =>
      prompts.filter(({ clean, answer }) => seen.has(`${clean}${answer}.`)).length;
    assert.equal(count(facts({ count: 300 })), 0);
    assert.ok(count(facts({ count: 300, split: "train" })) > 250);
    const agreement = subjectVerbAgreement({ count: 300 }).map(({ clean }) => clean);
    const beginnings = [...seen].join("\n");
    assert.ok(!agreement.some((clean) => beginnings.includes(`${clean} `)));
    for (const { clean } of greaterThan({ count: 300 })) assert.ok(!beginnings.includes(clean));
  });

  it("greater-than divides all years into those above the beginning and the others", () => {
    for (const { clean, corrupt, begin, answers, wrongAnswers } of greaterThan({ count: 200, seed: 1 })) {
      assert.deepEqual(
        [...wrongAnswers, ...answers].map(Number),
        Array.from({ length: 100 }, (_, i) => i),
      );
      assert.ok(
        answers.every((answer) => Number(answer) > begin) &&
          wrongAnswers.every((answer) => Number(answer) <= begin),
      );
      assert.equal(ids(clean).length, ids(corrupt).length);
      for (const answer of [...answers, ...wrongAnswers]) {
        assert.deepEqual(ids(clean + answer), [...ids(clean), ids(answer)[0]!]);
      }
      assert.ok(tinyWorld.isInGrammar(`${clean}${answers[0]}.`));
    }
  });

  it("induction repeats random tokens, and its corruption does not", () => {
    for (const { clean, corrupt, repeatStart, answer } of induction({
      vocabulary: 1000,
      length: 30,
      count: 20,
      prepend: 7,
    })) {
      assert.equal(clean.length, 61);
      assert.equal(repeatStart, 31);
      assert.deepEqual(clean.slice(1, 31), clean.slice(31));
      assert.equal(new Set(clean.slice(1, 31)).size, 30);
      assert.deepEqual(corrupt.slice(31), clean.slice(31));
      assert.equal(corrupt.slice(1, 31).filter((id) => clean.includes(id)).length, 0);
      assert.equal(answer, clean.at(-1));
      assert.equal(clean[0], 7);
    }
    assert.ok(
      induction({ vocabulary: [5, 9], length: 8 }).every(({ clean }) =>
        clean.every((id) => id === 5 || id === 9),
      ),
    );
    assert.throws(() => induction({ vocabulary: 1 }), /at least 2 tokens; 1 came/);
    assert.throws(
      () => induction({ vocabulary: 9, length: 0 }),
      /length is a whole number from 1 on; 0 came/,
    );
  });

  it("pronouns carry the planted rate, and a person's name overrides it", () => {
    for (const { answer, sheRate } of genderedPronouns({ count: 100 }))
      assert.equal(answer, sheRate > 0.5 ? " she" : " he");
    const named = genderedPronouns({ count: 300, named: true });
    assert.ok(named.some(({ answer, sheRate }) => (answer === " she") !== sheRate > 0.5));
    for (const { clean, answer } of named) {
      const name = clean.match(/\p{L}+/gu)!.find((word) => tinyWorld.names.includes(word))!;
      assert.equal(answer, tinyWorld.isWomansName(name) ? " she" : " he");
    }
  });
});
