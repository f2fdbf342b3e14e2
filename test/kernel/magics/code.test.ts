import assert from "node:assert/strict";
import { engineMagics } from "../../../kernel/magics/engine/index.js";
import { Magics } from "../../../kernel/magics/registry.js";
import { kernelOfSuite } from "../client.js";
import { asked, services, shownText } from "./magics.js";

describe("--show-code", () => {
  const magics = new Magics();
  magics.register(...engineMagics);

  async function code(use: "line" | "cell", name: string, line: string, body = ""): Promise<string> {
    return shownText(await magics.run(use, name, `--show-code ${line}`, body, services));
  }

  it("gives the TypeScript of the very call, with the options that are not the default", async () => {
    assert.equal(
      await code("line", "lens", "--top-k 3 The cat's"),
      'import { logitLens } from "tslens";\nawait logitLens(model, "The cat\'s", { topK: 3 });',
    );
    assert.match(await code("line", "tokens", "a b"), /^tokenTable\(model, "a b"\);$/m);
    assert.match(await code("line", "model", "gpt2"), /const model = await loadModel\("gpt2"\);/);
    assert.match(
      await code("line", "attn", "--layer 2 --head 1 a"),
      /activationTable\(cache, { point: "blocks\.2\.attn\.hook_pattern", head: 1 }\)/,
    );
    assert.match(
      await code("cell", "trace", "--names mlp", "two\nlines\n"),
      /runWithCache\("two\\nlines", { names: \(name\) => name\.includes\("mlp"\) }\)/,
    );
    assert.match(
      await code("line", "steer", '--token " sun" The sky'),
      /prompt: "The sky", direction: {"kind":"unembedding","values":{"token":" sun"}}, coefficient: 2/,
    );
    assert.match(
      await code("cell", "probe", "", "1 good\n0 bad"),
      /probe\(model, \["good","bad"\], { labels: \[1,0\] }\)/,
    );
  });

  it("is an option in the help and completion of magics that look into models", () => {
    assert.match(magics.inspect("%lens", 2)!, /`--show-code`: show the TypeScript/);
    const { matches } = magics.complete("%lens --", 8)!;
    assert.deepEqual(
      matches.map(({ text }) => text),
      ["--top-k", "--show-code"],
    );
  });

  it("stands in the help as the code of the example", () => {
    for (const magic of engineMagics)
      assert.match(magics.inspect(`%${magic.name} `, 2)!, /```ts\n(import|model;)/);
  });
});

describe("%plot and %probe", () => {
  const kernel = kernelOfSuite();
  const { value, failure, complete } = asked(kernel);

  async function textOfChart(line: string): Promise<string> {
    const data = await value(line);
    assert.ok(data["application/vnd.vegalite.v5+json"]);
    assert.match(String(data["image/svg+xml"]), /^<svg/);
    return JSON.stringify(data["application/vnd.vegalite.v5+json"]);
  }

  before(async () => {
    await kernel().run(`
      import { barChart, tensor } from "tslens";
      const losses = [3, 2, 1.5];
      const table = tensor([1, 2, 3, 4], [2, 2]);
      const result = { values: table, plot: () => barChart(losses, { title: "its own" }) };
      const words = ["a", "b"];`);
  });

  it("draw lists, tables and results by what they are", async () => {
    assert.match(await textOfChart("%plot losses"), /"line"/);
    assert.match(await textOfChart('%plot losses --kind bar --title "Two words"'), /Two words.*"bar"/);
    assert.match(await textOfChart("%plot table"), /"rect"/);
    assert.match(await textOfChart("%plot result.values"), /"rect"/);
    assert.match(await textOfChart("%plot result"), /its own/);
  });

  it("refuse what cannot be drawn, and names that nobody declared, with the nearest", async () => {
    assert.match(await failure("%plot words"), /words cannot be drawn: a list of numbers makes a line/);
    assert.match(await failure("%plot losses --kind heatmap"), /as a heatmap chart: a table of numbers/);
    assert.match(await failure("%plot lossse"), /no variable lossse\. The nearest are losses/);
    assert.match(await failure("%plot result.none"), /result\.none is undefined/);
    assert.match(await failure("%plot losses --kind pie"), /one of line, bar, heatmap, not "pie"/);
  });

  it("complete variables", async () => {
    assert.deepEqual(await complete("%plot lo"), ["losses"]);
  });
});
