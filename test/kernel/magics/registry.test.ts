import assert from "node:assert/strict";
import { builtinMagics } from "../../../kernel/magics/builtin/index.js";
import { defineMagic } from "../../../kernel/magics/magic.js";
import { Magics } from "../../../kernel/magics/registry.js";
import { blankMagics, rewriteLines } from "../../../kernel/magics/source.js";
import { kernelOfSuite, ofType, textOf } from "../client.js";
import { services } from "./magics.js";

const lens = defineMagic({
  name: "lens",
  kind: "both",
  summary: "Reads the residual stream.",
  usage: "<text>",
  options: { at: { type: "string", choices: ["resid_pre", "mlp_out"], help: "where to read" } },
  example: '%lens "The" --at mlp_out',
  typescript: 'await logitLens(model, "The", { at: "mlp_out" })',
  run: ({ options, words }) => [options.at, ...words],
  complete: () => ["tiny-world"],
});
describe("magics", () => {
  function magics(): Magics {
    const all = new Magics();
    all.register(lens, ...builtinMagics);
    return all;
  }

  it("turn into calls on their own lines, so that line numbers stay", () => {
    const code = "const a = 1;\n%lens x\na % 2\n  %not\n";
    const lines = rewriteLines(code, () => undefined).split("\n");
    assert.equal(lines.length, 5);
    assert.match(lines[1]!, /^await .*"run", "lens", "x"/);
    assert.deepEqual([lines[0], lines[2], lines[3]], ["const a = 1;", "a % 2", "  %not"]);
  });

  it("give their value to a variable, declared or not", () => {
    const code = "const found = %lens x\nfound = %lens y\nobject.found = %lens z\na = b\n% c";
    const lines = rewriteLines(code, (name) => (name === "time" ? "timed" : undefined)).split("\n");
    assert.match(lines[0]!, /^const found = await .*"run", "lens", "x"/);
    assert.match(lines[1]!, /^found = await .*"run", "lens", "y"/);
    assert.deepEqual(lines.slice(2), ["object.found = %lens z", "a = b", "% c"]);
    const refused = rewriteLines("const x = %time f()", () => "timed");
    assert.match(refused, /^throw new SyntaxError\("%time has no value to keep.* %time const x = f\(\)"\);$/);
    assert.equal(blankMagics("const found = %lens x\nfound"), "const found = 0      \nfound");
  });

  it("are none inside comments and template strings", () => {
    const code = "const t = `\n%lens x\n`;\n/*\n%lens y\n*/\n// `\n%lens z";
    const lines = rewriteLines(code, () => undefined).split("\n");
    assert.deepEqual([lines[1], lines[4]], ["%lens x", "%lens y"]);
    assert.match(lines[7]!, /^await /);
  });

  it("are blank to the language service, and nothing moves", () => {
    assert.equal(blankMagics("%lens x\nlet a"), "       \nlet a");
    assert.equal(blankMagics("%%html\n<b>"), "      \n   ");
  });

  it("run with parsed options, as a line and as a cell", async () => {
    const value = await magics().run("line", "lens", '"The" --at mlp_out', "", services);
    assert.deepEqual(value, ["mlp_out", "The"]);
    await assert.rejects(magics().run("line", "lens", "--att mlp_out", "", services), /Did you mean --at\?/);
  });

  it("with a wrong name are refused with the nearest", async () => {
    await assert.rejects(
      magics().run("line", "lense", "", "", services),
      /no magic %lense\. The nearest are %lens/,
    );
    await assert.rejects(magics().run("line", "html", "", "", services), /two percent signs/);
    await assert.rejects(magics().run("cell", "env", "", "", services), /one percent sign/);
    assert.throws(() => magics().register(lens), /already/);
  });

  it("complete their names, options, choices and words", () => {
    const at = (code: string): string[] =>
      magics()
        .complete(code, code.length)!
        .matches.map(({ text }) => text);
    assert.deepEqual(at("%le"), ["lens"]);
    assert.deepEqual(at("%lens --"), ["--at"]);
    assert.deepEqual(at("%lens --at "), ["resid_pre", "mlp_out"]);
    assert.deepEqual(at("%lens --at ml"), ["mlp_out"]);
    assert.deepEqual(at("%lens tiny"), ["tiny-world"]);
    assert.deepEqual(at("const found = %le"), ["lens"]);
    assert.deepEqual(at("found = %lens --at ml"), ["mlp_out"]);
    assert.equal(magics().complete("a % le", 6), undefined);
  });

  it("have help with their options, an example and the TypeScript that it stands for", () => {
    for (const magic of [lens, ...builtinMagics]) {
      const help = magics().inspect(`%${magic.name} `, 2)!;
      assert.ok(
        help.includes(magic.summary) &&
          help.includes(magic.example) &&
          help.includes(String(magic.typescript)),
        magic.name,
      );
    }
    assert.match(magics().inspect("%lens", 2)!, /`--at resid_pre\|mlp_out`: where to read/);
  });

  it("stay remembered between calls", () => {
    const { session } = magics();
    session.set("model", { id: "tiny-world" });
    assert.deepEqual(session.get("model"), { id: "tiny-world" });
  });
});

describe("magics in a notebook", () => {
  const kernel = kernelOfSuite();

  it("%lsmagic lists them, %name? explains one", async () => {
    assert.match(String(await kernel().valueOf("%lsmagic")), /%time <code> +Says how long/);
    assert.match(String(await kernel().valueOf("%env?")), /Lists environment variables/);
    assert.match(String(await kernel().valueOf("%%html?")), /Shows the cell as text\/html/);
  });

  it("%time declares what its line declares", async () => {
    const { published } = await kernel().run("%time const timed = [1, 2].map((x) => x * 2)\ntimed");
    assert.match(textOf(published), /^Time: [\d.]+ ms\n$/);
    assert.deepEqual(ofType(published, "execute_result")[0]!.content.data, { "text/plain": "[ 2, 4 ]" });
  });

  it("%%time gives the value of its cell and the line of its error", async () => {
    assert.equal(await kernel().valueOf("%%time\nconst inner = 20;\ninner + 1"), "21");
    assert.equal(await kernel().valueOf("inner"), "20");
    const { reply } = await kernel().run('%%time\n\nthrow new Error("third line")');
    assert.match((reply.traceback as string[]).join("\n"), /cell-\d+\.ts:3:7/);
  });

  it("%env sets, shows, and hides secrets in its list", async () => {
    await kernel().run("%env TSLENS_TEST_TOKEN=abc=def");
    assert.equal(await kernel().valueOf("%env TSLENS_TEST_TOKEN"), "'abc=def'");
    const list = textOf((await kernel().run("%env")).published);
    assert.match(list, /TSLENS_TEST_TOKEN=…/);
    assert.doesNotMatch(list, /abc=def/);
  });

  it("%cd changes the folder and imports still work", async () => {
    assert.equal(textOf((await kernel().run("%cd /")).published), "/\n");
    assert.equal(await kernel().valueOf('import { sep } from "node:path"; sep.length'), "1");
  });

  it("%who lists variables with their kinds", async () => {
    await kernel().run("const listed = new Map([[1, 2]]); class Listed {}");
    const list = String(await kernel().valueOf("%who"));
    assert.match(list, /^listed: Map \(1\)$/m);
    assert.match(list, /^Listed: class$/m);
  });

  it("%%html and %%markdown show their cell", async () => {
    const { published } = await kernel().run("%%markdown\n# Title");
    const data = ofType(published, "execute_result")[0]!.content.data;
    assert.deepEqual(data, { "text/plain": "# Title", "text/markdown": "# Title" });
  });

  it("with an unknown name fail with the line of the cell", async () => {
    const { reply } = await kernel().run("const a = 1;\n%lense x");
    assert.match(String(reply.evalue), /no magic %lense/);
    assert.match((reply.traceback as string[]).join("\n"), /%lense x/);
  });
});
