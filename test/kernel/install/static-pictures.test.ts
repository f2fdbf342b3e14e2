import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { jupyterCommand, writeNotebook } from "../../lab.js";
import { skipWithoutJupyter } from "../../notebooks/notebooks.js";
import { scratchFolder } from "../../scratch.js";
import { repository } from "../../shared.js";

describe("a notebook without a kernel", () => {
  const scratch = scratchFolder("suite");
  const cells = [
    'import { heatmap, loadModel } from "tslens";\nimport { activationTable } from "tslens/widgets";\n' +
      'const model = await loadModel("tiny-world");\nheatmap([[1, 2]], { title: "a chart" })',
    '({ $schema: "https://vega.github.io/schema/vega-lite/v5.json", data: { values: [{ a: 1, b: 2 }] }, mark: "bar", ' +
      'encoding: { x: { field: "a" }, y: { field: "b" } } })',
    "%acdc ioi --count 4 --threshold 0.05",
    'await activationTable((await model.runWithCache("Mary gave the book to")).cache)',
  ];

  function call(command: string, ...args: string[]): void {
    const { status, stderr } = spawnSync(command, args, { encoding: "utf8" });
    assert.equal(status, 0, stderr);
  }
  const run = (...args: string[]): void =>
    call(process.execPath, join(repository, "dist", "kernel", "cli.js"), "run", ...args);

  before(function () {
    skipWithoutJupyter(this);
    writeNotebook(scratch("n.ipynb"), cells);
    run(scratch("n.ipynb"), "--output", "run.ipynb");
  });

  /** The files that a text names, each of them there. */
  function files(text: string, pattern: RegExp): Buffer[] {
    return [...text.matchAll(pattern)].map(([, name]) => {
      assert.ok(existsSync(scratch(name!)), name);
      return readFileSync(scratch(name!));
    });
  }

  it("has pictures of charts and circuits in Markdown, and the activation table", () => {
    call(jupyterCommand, "nbconvert", "--to", "markdown", scratch("run.ipynb"));
    const text = readFileSync(scratch("run.md"), "utf8");
    const pictures = files(text, /!\[svg\]\((.+?)\)/g);
    assert.equal(pictures.length, 3);
    for (const picture of pictures) assert.match(picture.toString(), /^<svg [\s\S]*<\/svg>\s*$/);
    assert.match(text, /<table[\s\S]*hook_embed: \d+ pos × \d+ dModel[\s\S]*<\/table>/);
    for (const code of cells) assert.ok(text.includes(code));
    const shown = cells.reduce((rest, code) => rest.replace(code, ""), text);
    assert.doesNotMatch(shown, /\$schema|_model_name|model_id/, "no specification and no state as text");
  });

  it("has pictures of charts and circuits in a page, and the activation table", () => {
    run(scratch("run.ipynb"), "--to", "html", "--output", "page.html");
    const html = readFileSync(scratch("page.html"), "utf8");
    assert.equal([...html.matchAll(/<img[^>]*src="data:image\/svg\+xml;base64,/g)].length, 3);
    assert.match(html, /<table[\s\S]*hook_embed: \d+ pos × \d+ dModel/);
  });

  it("has pictures of charts and circuits in print, without Inkscape, and the activation table", () => {
    run(scratch("run.ipynb"), "--to", "latex", "--output", "print");
    const tex = readFileSync(scratch("print.tex"), "utf8");
    const pictures = files(tex, /\\adjustimage\{.*?\}\}\{(.+?)\}/g);
    assert.equal(pictures.length, 3);
    for (const picture of pictures) assert.equal(picture.subarray(1, 4).toString(), "PNG");
    assert.match(tex, /hook\\_embed: \d+ pos × \d+ dModel/);
  });
});
