import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { jupyterCommand, writeNotebook } from "../lab.js";
import { scratchFolder } from "../scratch.js";
import { repository } from "../shared.js";

describe("tslens run --to html", () => {
  const scratch = scratchFolder();

  before(function () {
    if (existsSync(jupyterCommand) || process.env.CI) return;
    console.log("      skipped: there is no Python environment in .python; npm run setup makes it");
    this.skip();
  });

  /** The page of a notebook of code cells. */
  function page(...sources: string[]): string {
    writeNotebook(scratch("n.ipynb"), sources);
    const cli = join(repository, "dist", "kernel", "cli.js");
    const args = [cli, "run", scratch("n.ipynb"), "--to", "html"];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    return readFileSync(scratch("n.html"), "utf8");
  }

  const scripts = (html: string): number => [...html.matchAll(/<script\b/gi)].length;

  it("shows the pictures of charts and widgets, and texts of the model as text", () => {
    const hostile = JSON.stringify("Mary<script>window.attacked = 1</script><svg onload=attack()>");
    const html = page(
      'import { heatmap, loadModel, logitLens, tokenTable } from "tslens";\n' +
        'import { activationTable, steeringControls } from "tslens/widgets";\n' +
        'const model = await loadModel("tiny-world");\n' +
        `const text = ${hostile};\ntokenTable(model, text)`,
      "await activationTable((await model.runWithCache(text)).cache)",
      'steeringControls(model, { prompt: text, towards: "<script>", awayFrom: "bad", coefficient: 1, maxNewTokens: 3 })',
      "heatmap([[1, 2]], { title: text, xLabels: [text, text] })",
    );
    assert.doesNotMatch(html, /application\/vnd\.jupyter\.widget/);
    assert.equal(scripts(html), scripts(page("1")), "the page's own scripts alone");
    assert.doesNotMatch(html, /<svg onload/i);
    assert.match(html, /hook_embed: \d+ pos × \d+ dModel/);
    assert.match(html, /<th scope="row"[^>]*>steered<\/th>/);
    const [, picture] = /<img[^>]*src="data:image\/svg\+xml;base64,([^"]+)"/.exec(html)!;
    assert.match(Buffer.from(picture!, "base64").toString(), /&lt;script&gt;window\.attacked/);
  });
});
