import assert from "node:assert/strict";
import { parseLine, splitWords, UsageError } from "../../../kernel/magics/options.js";

const specs = {
  topK: { type: "integer", default: 5, short: "k", help: "how many" },
  at: { type: "string", choices: ["resid_pre", "resid_post", "mlp_out"], help: "where" },
  scale: { type: "number", help: "how much" },
  plot: { type: "boolean", default: true, help: "whether to draw" },
} as const;
const parse = (line: string) => parseLine("lens", specs, line);

describe("a magic's line", () => {
  it("has options, anywhere among its words", () => {
    const { options, words } = parse('"The Eiffel Tower" --top-k 3 --at=mlp_out is --scale -0.5 --no-plot');
    assert.deepEqual(options, { topK: 3, at: "mlp_out", scale: -0.5, plot: false });
    assert.deepEqual(words, ["The Eiffel Tower", "is"]);
  });

  it("has defaults, short options, and words after --", () => {
    assert.deepEqual(parse("").options, { topK: 5, at: undefined, scale: undefined, plot: true });
    assert.equal(parse("-k 7").options.topK, 7);
    assert.deepEqual(parse("-- --top-k 3").words, ["--top-k", "3"]);
    assert.deepEqual(parse("1 - 2 -5").words, ["1", "-", "2", "-5"]);
  });

  it("keeps apostrophes, and quotes around whole words only", () => {
    const texts = (line: string): string[] => splitWords(line).map(({ text }) => text);
    assert.deepEqual(texts("When John's and Mary's mother"), ["When", "John's", "and", "Mary's", "mother"]);
    assert.deepEqual(texts(`'a b' "c \\"d\\"" e`), ["a b", 'c "d"', "e"]);
    assert.deepEqual(texts('--text="two words"'), ["--text=two words"]);
    assert.throws(() => texts('"open'), UsageError);
  });

  it("is refused with the bad option and the nearest right one", () => {
    assert.throws(() => parse("--tpo-k 3"), /%lens has no option --tpo-k\. Did you mean --top-k\?/);
    assert.throws(
      () => parse("--at resid_pst"),
      /one of resid_pre, resid_post, mlp_out, not "resid_pst".*resid_post\?/,
    );
    assert.throws(() => parse("--top-k many"), /--top-k of %lens needs an integer, not "many"/);
    assert.throws(() => parse("--top-k 1.5"), /needs an integer/);
    assert.throws(() => parse("--scale"), /--scale of %lens needs a value: a number/);
    assert.throws(() => parse("--plot=maybe"), /takes true or false, not "maybe"/);
    assert.throws(() => parseLine("who", {}, "--all"), /%who has no option --all\. It has no options\./);
  });
});
