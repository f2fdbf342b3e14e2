import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../browser.js";
import { jupyterCommand, type Lab, startLab, writeNotebook } from "../lab.js";
import { scratchFolder } from "../scratch.js";
import { errorsOf, openExported, skipWithoutJupyter, toHtml } from "./notebooks.js";

const setting = `import { loadModel } from "tslens";
import { ioi } from "tslens/tasks";
import { acdcAnimation } from "tslens/widgets";
const model = await loadModel("tiny-world");
const prompts = ioi({ count: 16 });`;
/** A search, with an option more. */
const search = (more = ""): string => `const began = performance.now();
const run = await acdcAnimation(model, {
  clean: prompts.map((prompt) => prompt.clean),
  corrupt: prompts.map((prompt) => prompt.corrupt),
  threshold: 0.01,
  title: "IOI",${more}
});
const circuit = await run.show();`;
/** Gives a reader the time to press a button, however fast the search is. */
const slowly =
  "onStep: ({ index }) => index < 60 ? new Promise<void>((done) => setTimeout(done, 50)) : undefined";
const time = "[circuit.edges.length, circuit.keptEdges.length, (performance.now() - began) / 1000].join()";

const textIn = async (page: Page, selector: string): Promise<string> =>
  (await page.locator(selector).first().textContent()) ?? "";

/** Waits until an element's text is as expected, and gives it. */
async function becomes(page: Page, selector: string, pattern: RegExp): Promise<string> {
  await page.waitForFunction(
    ([where, source]) => new RegExp(source!).test(document.querySelector(where!)?.textContent ?? ""),
    [selector, pattern.source] as const,
  );
  return textIn(page, selector);
}

const stepIn = (sentence: string): number => Number(/^Step (\d+) of 1519/.exec(sentence)?.[1]);

describe("the pruning animation, in JupyterLab", function () {
  this.timeout(180_000);
  const scratch = scratchFolder("suite");
  let browser: Browser;
  let lab: Lab | undefined;
  let page: Page;
  let errors: string[];
  const button = (name: string) => page.locator(".tslens-acdc").getByRole("button", { name, exact: true });

  before(async function () {
    skipWithoutJupyter(this);
    browser = await launchBrowser(this);
    writeNotebook(scratch("acdc.ipynb"), [setting, search(slowly), time]);
    lab = await startLab(scratch());
    page = await browser.newPage({ viewport: { width: 1300, height: 1150 } });
    errors = errorsOf(page);
    await lab.open(page, "acdc.ipynb");
    for (const name of ["Run", "Run All Cells"])
      await page.getByRole("menuitem", { name, exact: true }).click();
  });
  after(async () => {
    await browser?.close();
    await lab?.close();
  });
  afterEach(() => assert.deepEqual(errors, []));

  it("runs live on tiny-world's indirect objects: pauses, steps and goes on to the end", async () => {
    await button("Pause the search").click();
    await becomes(page, ".tslens-state", /search paused/);
    await page.waitForTimeout(800); // the step that was being made
    const paused = stepIn(await textIn(page, ".tslens-said"));
    assert.ok(paused < 1519, String(paused));
    await page.waitForTimeout(800);
    assert.equal(stepIn(await textIn(page, ".tslens-said")) || 0, paused || 0);
    await button("Let the search make one step").click();
    await becomes(page, ".tslens-said", new RegExp(`^Step ${paused + 1} of 1519`));
    await button("Resume the search").click();
    await becomes(page, ".tslens-state", /finished/);
    await becomes(page, ".tslens-said", /^Step 1519 of 1519/);
    const [edges, kept] = (await becomes(page, ".jp-OutputArea-executeResult pre", /1519,/)).split(",");
    assert.match(
      await textIn(page, ".tslens-figures"),
      new RegExp(`edges${kept} of ${edges!.replace("'", "")}`),
    );
  });

  it("is scrubbed, and an edge that is cut is measured by the kernel", async () => {
    await page.locator(".tslens-scrubber input").focus();
    for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowLeft");
    await becomes(page, ".tslens-said", /^Step 1516 of 1519/);
    await page.locator(".tslens-stage").focus();
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("Enter");
    await becomes(page, ".tslens-details-title", /->logits/);
    await page.keyboard.press("x");
    await becomes(page, ".tslens-cut-effect", /KL divergence [\d.]+ → [\d.]+ \(\+[\d.]+\)/);
  });

  it("is the same after the page is loaded again", async () => {
    const selectors = [".tslens-said", ".tslens-cut-effect", ".tslens-figures"];
    const before = await Promise.all(selectors.map((selector) => textIn(page, selector)));
    await page.keyboard.press("Control+s");
    await page.waitForFunction(() => !document.querySelector(".jp-mod-dirty"));
    await page.waitForTimeout(500);
    await page.reload();
    await page.locator(".tslens-acdc").waitFor();
    await becomes(page, ".tslens-said", /^Step 1516 of 1519/);
    const after = await Promise.all(selectors.map((selector) => textIn(page, selector)));
    assert.deepEqual(after, before);
    await button("Play").click();
    await becomes(page, ".tslens-said", /^Step 1519 of 1519/);
  });
});

describe("the pruning animation, exported", function () {
  this.timeout(180_000);
  const scratch = scratchFolder();
  let browser: Browser;

  before(async function () {
    skipWithoutJupyter(this);
    browser = await launchBrowser(this);
  });
  after(() => browser?.close());

  it("is replayed in a page of nbconvert without a kernel, and says how long the search took", async () => {
    writeNotebook(scratch("acdc.ipynb"), [setting, search(), time]);
    const { status, stderr } = spawnSync(jupyterCommand, ["execute", "--inplace", scratch("acdc.ipynb")], {
      encoding: "utf8",
    });
    assert.equal(status, 0, stderr);
    const html = toHtml(scratch("acdc.ipynb"));
    const [, edges, kept, seconds] = /(?:&#39;|')(\d+),(\d+),([\d.]+)(?:&#39;|')/.exec(html)!;
    console.log(
      `      ${Number(seconds).toFixed(1)} s: ${kept} of ${edges} edges kept at 0.01, 16 prompts, KL divergence`,
    );
    const { page, errors } = await openExported(browser, html);
    await page.locator(".tslens-acdc").waitFor();
    assert.match(await textIn(page, ".tslens-said"), /^Step 1519 of 1519/);
    assert.match(await textIn(page, ".tslens-figures"), new RegExp(`edges${kept} of 1519`));
    await page.locator(".tslens-acdc").getByRole("button", { name: "To the start" }).click();
    await becomes(page, ".tslens-said", /^Nothing tried yet/);
    await page.getByLabel("Speed").selectOption({ label: "1000 steps/s" });
    await page.locator(".tslens-acdc").getByRole("button", { name: "Play" }).click();
    await becomes(page, ".tslens-said", /^Step \d{3,4} of 1519/);
    await becomes(page, ".tslens-said", /^Step 1519 of 1519/);
    await page.locator(".tslens-scrubber input").focus();
    await page.keyboard.press("ArrowLeft");
    await becomes(page, ".tslens-said", /^Step 1518 of 1519/);
    assert.match(await textIn(page, ".tslens-note"), /Run the notebook to cut edges/);
    assert.deepEqual(errors, []);
  });
});
