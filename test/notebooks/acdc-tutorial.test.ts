import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Locator, Page } from "playwright-core";
import { launchBrowser } from "../browser.js";
import { type Lab, startLab } from "../lab.js";
import { scratchFolder } from "../scratch.js";
import {
  type ExecutedNotebook,
  errorsOf,
  execute,
  openExported,
  savedWidgets,
  skipWithoutJupyter,
  toHtml,
  tutorial,
} from "./notebooks.js";

const path = tutorial("03-acdc.ipynb");

describe("the tutorial on ACDC, run headless", function () {
  this.timeout(600_000);
  const scratch = scratchFolder();
  let done: ExecutedNotebook;
  let browser: Browser | undefined;

  before(function () {
    skipWithoutJupyter(this);
    done = execute(path);
  });
  after(() => browser?.close());

  /** What the cell that holds some words has shown, as text. */
  const shown = (words: string): string => {
    const cell = done.cells.find(({ source }) => [source].flat().join("").includes(words))!;
    const value = cell.outputs!.find(({ output_type }) => output_type === "execute_result")!;
    return [value.data!["text/plain"]].flat().join("");
  };
  /** The number behind a name in a value that is shown. */
  const figure = (text: string, name: string): number =>
    Number(new RegExp(`${name}: '?(-?[\\d.]+)`).exec(text)![1]);

  it("has no errors, and beside each drawing a picture for places that show no SVG", () => {
    for (const { outputs } of done.cells)
      for (const { output_type, data = {} } of outputs!) {
        assert.notEqual(output_type, "error");
        if ("image/svg+xml" in data) assert.ok("image/png" in data, Object.keys(data).join());
      }
  });

  it("fits into the 2 GB of Binder", function () {
    if (done.megabytes === undefined) this.skip();
    assert.ok(done.megabytes < 1700, `${done.megabytes} MB`);
  });

  it("finds the true edges of the compiled program", () => {
    assert.match(shown("sameAsTheTruth"), /edges: 7, sameAsTheTruth: true/);
    assert.match(shown("truth.compare(resampled)"), /^\[ 'pos->a0\.h0<q>', 'pos->a0\.h0<k>' \]$/);
    assert.equal(shown("edgeAuc(scored, trueEdges)").match(/auc: 1\b/g)!.length, 3);
  });

  it("finds what its text says of the circuit: edges, heads, and what they look at", () => {
    const facts = shown("the animation among them");
    console.log(`      ${facts}`);
    assert.match(facts, /26 of 1519 edges; 308 evaluations/);
    assert.equal(shown("into[input]++"), "{ q: 0, k: 0, v: 6 }");
    const row = (head: string): number[] =>
      new RegExp(`^${head} +(.*)$`, "m").exec(shown("places.forEach"))![1]!.trim().split(/ +/).map(Number);
    for (const head of ["a0.h1", "a0.h4", "a0.h5"]) assert.ok(row(head)[2]! > 0.5, head);
    for (const head of ["a2.h1", "a2.h4", "a2.h6"]) assert.ok(row(head)[0]! + row(head)[1]! > 0.9, head);
    assert.match(shown('scores.top("induction"'), /2\.1.*\n.*2\.6.*\n.*2\.4/);
  });

  it("judges the circuit as its text says", () => {
    const judged = shown("judged.push");
    const faithfulness = (ablation: string, metric: string): number =>
      figure(
        new RegExp(`ablation: '${ablation}',\\s*metric: '${metric}',[^}]*`).exec(judged)![0],
        "faithfulness",
      );
    assert.ok(faithfulness("resample", "KL") > 0.97);
    assert.ok(Math.abs(faithfulness("resample", "logit difference") - 0.75) < 0.06);
    for (const ablation of ["zero", "mean"])
      for (const metric of ["KL", "logit difference"]) assert.ok(faithfulness(ablation, metric) < 0.1);
    const chance = shown("bestOf100Random");
    assert.ok(figure(chance, "bestOf100Random") < 0.1 && figure(chance, "faithfulness") > 0.97);
    const other = shown("faithfulnessOnOtherPrompts");
    assert.ok(figure(other, "jaccard") >= 0.7 && figure(other, "faithfulnessOnOtherPrompts") > 0.95);
    const ranked = shown("jaccardWithAcdc");
    assert.ok(figure(ranked, "faithfulness") > 0.9 && figure(ranked, "byKl") < 0.95);
    assert.ok(figure(ranked, "jaccardWithAcdc") > 0.7);
    assert.match(shown("bySwap"), /nodes: 'input a0\.h1 a0\.h4 a0\.h5 m0 m1 m2 m3 logits'/);
  });

  it("is replayed in a page of nbconvert without a kernel", async function () {
    const states = savedWidgets(done.metadata)("AcdcAnimationModel");
    assert.deepEqual(states.map(({ kind }) => kind).sort(), ["ranking", "search"]);
    browser = await launchBrowser(this);
    writeFileSync(
      scratch("n.ipynb"),
      JSON.stringify({ cells: done.cells, metadata: done.metadata, nbformat: 4, nbformat_minor: 5 }),
    );
    const { page, errors } = await openExported(browser, toHtml(scratch("n.ipynb")));
    const [ranking, search] = [page.locator(".tslens-acdc").nth(0), page.locator(".tslens-acdc").nth(1)];
    await ranking.waitFor();
    await search.getByText(/^Step 1519 of 1519/).waitFor();
    await search.getByRole("button", { name: "To the start" }).click();
    await search.getByText("Nothing tried yet").waitFor();
    await search.getByLabel("Speed").selectOption({ label: "1000 steps/s" });
    await search.getByRole("button", { name: "Play" }).click();
    await search.getByText(/^Step 1519 of 1519/).waitFor();
    assert.deepEqual(errors, []);
  });
});

describe("the tutorial on ACDC, in JupyterLab", function () {
  this.timeout(600_000);
  const folder = mkdtempSync(join(tmpdir(), "tslens-test-")); // for all of its tests
  let browser: Browser;
  let lab: Lab | undefined;
  let page: Page;
  let errors: string[];

  before(async function () {
    skipWithoutJupyter(this);
    browser = await launchBrowser(this);
    copyFileSync(path, join(folder, "tutorial.ipynb"));
    lab = await startLab(folder);
    page = await browser.newPage({ viewport: { width: 1300, height: 1150 } });
    page.setDefaultTimeout(300_000);
    errors = errorsOf(page);
    await lab.open(page, "tutorial.ipynb");
    await page.getByRole("menuitem", { name: "Edit", exact: true }).click();
    await page.getByRole("menuitem", { name: "Clear Outputs of All Cells", exact: true }).click();
    for (const name of ["Run", "Run All Cells"])
      await page.getByRole("menuitem", { name, exact: true }).click();
  });
  after(async () => {
    await browser?.close();
    await lab?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  afterEach(() => assert.deepEqual(errors, []));

  const animation = (): Locator => page.locator(".tslens-acdc").nth(1);
  const press = (name: string): Promise<void> =>
    animation().getByRole("button", { name, exact: true }).click();
  const step = async (): Promise<number> =>
    Number(/^Step (\d+) of 1519/.exec((await animation().locator(".tslens-said").textContent())!)?.[1] ?? 0);

  it("shows the search while it runs: it is paused, makes a step, and goes on", async () => {
    await press("Pause the search");
    await animation().locator(".tslens-state").getByText("search paused").waitFor();
    await page.waitForTimeout(1000); // the step that was being made
    const paused = await step();
    assert.ok(paused < 1519, String(paused));
    await press("Let the search make one step");
    await animation()
      .getByText(new RegExp(`^Step ${paused + 1} of 1519`))
      .waitFor();
    await press("Resume the search");
    await animation()
      .getByText(/^Step 1519 of 1519/)
      .waitFor();
  });

  it("is scrubbed, and is the same after the page is loaded again", async () => {
    await animation().locator(".tslens-scrubber input").focus();
    for (let i = 0; i < 4; i++) await page.keyboard.press("ArrowLeft");
    await animation()
      .getByText(/^Step 1515 of 1519/)
      .waitFor();
    const figures = await animation().locator(".tslens-figures").textContent();
    await page.getByText("TypeScript (tslens) | Idle").waitFor(); // the cells behind it
    await page.keyboard.press("Control+s");
    await page.waitForFunction(() => !document.querySelector(".jp-mod-dirty"));
    await page.waitForTimeout(500);
    await page.reload();
    await animation()
      .getByText(/^Step 1515 of 1519/)
      .waitFor();
    assert.equal(await animation().locator(".tslens-figures").textContent(), figures);
  });
});
