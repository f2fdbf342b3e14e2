import assert from "node:assert/strict";
import { copyFileSync, writeFileSync } from "node:fs";
import type { Browser, Locator, Page } from "playwright-core";
import type { Json } from "../../kernel/protocol/message.js";
import { launchBrowser } from "../browser.js";
import { type Lab, startLab } from "../lab.js";
import { scratchFolder } from "../scratch.js";
import {
  type ExecutedNotebook,
  errorsOf,
  execute,
  type NotebookCell,
  openExported,
  readNotebook,
  savedWidgets,
  skipWithoutJupyter,
  toHtml,
  tutorial,
} from "./notebooks.js";

const path = tutorial("02-patching.ipynb");

describe("the tutorial on patching, run headless", function () {
  this.timeout(180_000);
  let done: ExecutedNotebook;

  before(function () {
    skipWithoutJupyter(this);
    done = execute(path);
  });

  /** The value of a cell; beside it a sweep that took longer has left its bar. */
  const shownBy = ({ outputs }: NotebookCell): Record<string, unknown> =>
    outputs!.find(({ output_type }) => output_type === "execute_result")!.data!;
  const plain = (wanted: string): string => {
    const cell = done.cells.find(({ source }) => [source].flat().join("").includes(wanted))!;
    return [shownBy(cell)["text/plain"]].flat().join("");
  };
  /** The number behind a name in a value that is shown. */
  const figure = (text: string, name: string): number =>
    Number(new RegExp(`${name}: '?\\+?(-?[\\d.]+)`).exec(text)![1]);
  /** The numbers of a row of a heat map. */
  const row = (text: string, name: string): number[] =>
    new RegExp(`^ {0,4}${name} +(.*)$`, "m").exec(text)![1]!.trim().split(/ +/).map(Number);

  it("shows one value a cell, and no errors", () => {
    assert.equal(done.cells.length, 22);
    for (const { outputs, source } of done.cells) {
      const kinds = outputs!.map(({ output_type }) => output_type).filter((kind) => kind !== "display_data");
      assert.deepEqual(kinds, ["execute_result"], [source].flat().join(""));
    }
  });

  it("fits into the 2 GB of Binder", function () {
    if (done.megabytes === undefined) this.skip();
    assert.ok(done.megabytes < 1700, `${done.megabytes} MB`);
  });

  it("finds what its text says of the bias: where it is, and what it costs to take it away", () => {
    const [, clean, corrupt] = row(plain("...nurse, at"), "3");
    assert.ok(clean! > 0.8 && corrupt! < 0.05);
    assert.match(plain("heads.table(3)"), /^layer.*\n3 +7 +0\.[78]\d*.*\n3 +6 +0\.1/);
    assert.ok(figure(plain("share: 1"), "share") > 0.8);
    const cut = plain("projected: await bias");
    assert.ok(figure(cut, "projected") < 0.25 * figure(cut, "before"));
    const losses = plain("ablatedRise");
    assert.ok(figure(losses, "ablatedRise") < 1 && figure(losses, "projectedRise") < 0.25);
    const lead = (task: string, run: string): number => {
      const [, line] = new RegExp(`task: '${task}',([^}]*)`).exec(plain("const judge"))!;
      return figure(line!, run);
    };
    assert.ok(lead("verdict of a review", "ablated") < 0.6 * lead("verdict of a review", "whole"));
    assert.ok(lead("verdict of a review", "projected") > 0.9 * lead("verdict of a review", "whole"));
    assert.ok(
      lead("pronouns of named people", "projected") < 0.7 * lead("pronouns of named people", "whole"),
    );
  });

  it("finds what its text says of causal tracing", () => {
    assert.ok(row(plain("await causalTracing(model, nurse.corrupt, { ...miner"), "0")[1]! > 0.85);
    assert.ok(figure(plain("blurred: streams"), "blurred") < 0.55);
  });

  it("finds what its text says of indirect objects", () => {
    const whole = row(plain("...all, at:"), "0");
    const [throughMlps, direct] = [plain('through: "mlps"'), plain('through: "none"')].map((text) =>
      row(text, "0"),
    );
    assert.ok(whole[1]! > 0.65 && whole[4]! > 0.1 && whole[5]! > 0.1);
    assert.ok(throughMlps![1]! < 0.35);
    assert.ok(direct!.every((value) => Math.abs(value - 1) < 0.01));
    assert.ok(figure(plain("const looks"), "giver") > 0.7);
    assert.ok(row(plain('corruption: "abc"'), "2")[6]! > 0.03);
  });

  it("is what the file shows", () => {
    const texts = (cells: ExecutedNotebook["cells"]): string[] =>
      cells.map((cell) => Object.keys(shownBy(cell)).sort().join());
    const saved = readNotebook(path).cells.filter(({ cell_type }) => cell_type === "code");
    assert.deepEqual(texts(saved), texts(done.cells));
  });

  it("saves its explorers with their maps and what each cell does", () => {
    const explorers = savedWidgets(done.metadata)("PatchingExplorerModel");
    assert.deepEqual(
      explorers.map(({ run }) => (run as Json).status),
      ["done", "done"],
    );
    for (const { result } of explorers) assert.ok(((result as Json).next as Json).tokens);
  });
});

/** Scrolls a notebook, which draws only the cells in sight, from its top until something is seen. */
async function scrollTo(page: Page, wanted: Locator): Promise<void> {
  const outer = page.locator(".jp-WindowedPanel-outer");
  for (let top = 0; ; top += 500) {
    await outer.evaluate((node, y) => node.scrollTo(0, y), top);
    await page.waitForTimeout(100);
    if (await wanted.isVisible()) return wanted.scrollIntoViewIfNeeded();
    assert.ok(top < 30_000, "it is nowhere in the notebook");
  }
}

describe("the tutorial on patching, before a reader", function () {
  this.timeout(240_000);
  const scratch = scratchFolder();
  let browser: Browser;
  let lab: Lab | undefined;
  let page: Page | undefined;

  before(async function () {
    skipWithoutJupyter(this);
    browser = await launchBrowser(this);
  });
  after(() => browser?.close());
  afterEach(async function () {
    if (this.currentTest?.state === "failed" && process.env.SCREENSHOTS)
      await page?.screenshot({ path: `${process.env.SCREENSHOTS}/failed.png` });
    await page?.close();
    await lab?.close();
    page = lab = undefined;
  });

  const screenshot = async (locator: Locator, name: string): Promise<void> => {
    if (process.env.SCREENSHOTS) await locator.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png` });
  };

  it("runs in JupyterLab, where the explorer patches anew and is the same after a reload", async () => {
    const { cells, ...notebook } = readNotebook(path);
    const fresh = cells.map((cell) =>
      cell.outputs ? { ...cell, outputs: [], execution_count: null } : cell,
    );
    writeFileSync(scratch("patching.ipynb"), JSON.stringify({ ...notebook, cells: fresh }));
    lab = await startLab(scratch());
    page = await browser.newPage({ viewport: { width: 1300, height: 1150 } });
    const errors = errorsOf(page);
    await lab.open(page, "patching.ipynb");
    for (const name of ["Run", "Run All Cells"])
      await page.getByRole("menuitem", { name, exact: true }).click();
    const explorer = page.locator(".tslens-patching").first();
    await page.locator(".jp-Notebook .jp-InputPrompt", { hasText: "[22]:" }).waitFor({ timeout: 120_000 });
    assert.equal(
      await page
        .locator(".jp-OutputArea-output[data-mime-type*=stderr], .jp-RenderedText[data-mime-type*=error]")
        .count(),
      0,
    );

    await scrollTo(page, explorer);
    await explorer.getByRole("status").getByText("16 cells patched").waitFor();
    await explorer.getByLabel("Corrupt prompt").fill("The old miner said that");
    await explorer
      .getByRole("alert")
      .getByText(/4 tokens and its corrupt prompt 8/)
      .waitFor();
    assert.equal(await explorer.getByRole("gridcell").count(), 16);
    await explorer.getByLabel("Corrupt prompt").fill("The sailor said that");
    await explorer.locator(".tslens-pairs mark", { hasText: "·sailor" }).waitFor();
    await explorer
      .locator(".tslens-field", { hasText: /^Patch/ })
      .locator("select")
      .selectOption("z");
    await explorer.locator(".tslens-field", { hasText: /^Map/ }).locator("select").selectOption("layer,head");
    await explorer.getByRole("status").getByText("32 cells patched").waitFor();
    const heading = explorer.locator(".tslens-card h4");
    await heading.getByText("Next token with layer 3, head 7 patched").waitFor();
    await explorer.locator('.tslens-map td[tabindex="0"]').focus();
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("Enter");
    await heading.getByText("Next token with layer 3, head 6 patched").waitFor();
    const tokens = await explorer.locator(".tslens-next tbody tr").allTextContents();
    assert.match(tokens.join(), /·she.*·he|·he.*·she/);
    const map = await explorer.getByRole("gridcell").allTextContents();

    await page.keyboard.press("Control+s");
    await page.waitForFunction(() => !document.querySelector(".jp-mod-dirty"));
    await page.waitForTimeout(500);
    await page.reload();
    await page.locator(".jp-Notebook .jp-Cell").first().waitFor();
    await scrollTo(page, explorer);
    await heading.getByText("Next token with layer 3, head 6 patched").waitFor();
    assert.deepEqual(await explorer.getByRole("gridcell").allTextContents(), map);
    assert.deepEqual(await explorer.locator(".tslens-next tbody tr").allTextContents(), tokens);
    await explorer.getByRole("gridcell").nth(7).click();
    await heading.getByText("Next token with layer 3, head 7 patched").waitFor();
    await screenshot(explorer, "explorer");
    assert.deepEqual(errors, []);
  });

  it("keeps its explorers as a page without a kernel, whose cells can still be looked at", async () => {
    copyFileSync(path, scratch("page.ipynb"));
    const exported = await openExported(browser, toHtml(scratch("page.ipynb")));
    page = exported.page;
    const explorer = page.locator(".tslens-patching").first();
    const heading = explorer.locator(".tslens-card h4");
    await heading.getByText("Next token with layer 3, position 1 “·nurse” patched").waitFor();
    await explorer.getByRole("gridcell").nth(3).click();
    await heading.getByText("Next token with layer 3, position 3 “·that” patched").waitFor();
    assert.ok(await explorer.getByLabel("Clean prompt").isDisabled());
    await screenshot(explorer, "explorer-exported");
    assert.deepEqual(exported.errors, []);
  });
});
