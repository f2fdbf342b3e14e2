import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import type { Browser, Locator, Page } from "playwright-core";
import type { Json } from "../../kernel/protocol/message.js";
import { launchBrowser } from "../browser.js";
import { type Lab, startLab } from "../lab.js";
import { scratchFolder } from "../scratch.js";
import { type ExecutedNotebook, execute, savedWidgets, skipWithoutJupyter, tutorial } from "./notebooks.js";

const path = tutorial("01-first-look.ipynb");

/** What a cell's value is shown by. */
const text = ["text/plain"];
const html = ["text/html", "text/plain"];
const chart = ["application/vnd.vegalite.v5+json", "image/png", "image/svg+xml", "text/plain"];
const widget = ["application/vnd.jupyter.widget-view+json", "text/html", "text/plain"];

describe("the first tutorial, run headless", () => {
  let done: ExecutedNotebook;

  before(function () {
    skipWithoutJupyter(this);
    done = execute(path);
  });

  it("shows one value a cell, in the forms that it has, and no progress lines", () => {
    assert.deepEqual(
      done.cells.map(({ outputs }) =>
        outputs!.map(({ output_type, data = {} }) => [output_type, Object.keys(data).sort()]),
      ),
      [text, html, text, text, widget, chart, text, chart, widget, chart].map((kinds) => [
        ["execute_result", kinds],
      ]),
    );
  });

  it("takes less than 900 MB", function () {
    if (done.megabytes === undefined) this.skip();
    assert.ok(done.megabytes < 900, `${done.megabytes} MB`);
  });

  it("saves its widgets with what they show", () => {
    const stateOf = (name: string): Json => savedWidgets(done.metadata)(name)[0]!;
    const { view } = stateOf("ActivationTableModel") as { view: Json };
    assert.equal(view.point, "blocks.1.attn.hook_pattern");
    const { result } = stateOf("SteeringControlsModel") as { result: Json };
    assert.equal(result.status, "done");
    assert.ok((result.steered as string[]).length > 0);
    assert.ok((result.next as Json[]).length >= 10);
  });

  it("finds a use for some head: the loss rises without it", () => {
    const { data } = done.cells[7]!.outputs![0]!;
    const spec = data!["application/vnd.vegalite.v5+json"] as { data: { values: { value: number }[] } };
    const rises = spec.data.values.map(({ value }) => value);
    assert.ok(Math.max(...rises) > 0.01, String(rises));
  });
});

describe("the first tutorial, in JupyterLab", () => {
  const scratch = scratchFolder();
  let browser: Browser;
  let lab: Lab | undefined;
  let page: Page;

  before(async function () {
    skipWithoutJupyter(this);
    browser = await launchBrowser(this);
  });
  after(() => browser?.close());
  beforeEach(async () => {
    copyFileSync(path, scratch("tutorial.ipynb"));
    lab = await startLab(scratch());
    page = await browser.newPage({ viewport: { width: 1300, height: 950 } });
    await lab.open(page, "tutorial.ipynb");
    for (const name of ["Run", "Run All Cells"])
      await page.getByRole("menuitem", { name, exact: true }).click();
  });
  afterEach(async () => {
    await page?.close();
    await lab?.close();
  });

  /** How many colours a canvas holds. */
  const colours = (canvas: Locator): Promise<number> =>
    canvas.evaluate((node: HTMLCanvasElement) => {
      const { data } = node.getContext("2d")!.getImageData(0, 0, node.width, node.height);
      return new Set(new Uint32Array(data.buffer)).size;
    });

  const content =
    (locator: Locator): (() => Promise<string>) =>
    async () =>
      (await locator.textContent()) ?? "";

  /** Waits until something has changed from what it was; gives what it has become. */
  async function changed(read: () => Promise<string>, before: string): Promise<string> {
    for (;;) {
      const now = await read();
      if (now !== before) return now;
      await page.waitForTimeout(30);
    }
  }

  it("draws the table, and the keyboard switches its head", async () => {
    const grid = page.locator(".tslens-table").getByRole("grid");
    await grid.waitFor();
    await grid.scrollIntoViewIfNeeded();
    assert.equal(await grid.getAttribute("aria-rowcount"), await grid.getAttribute("aria-colcount"));
    assert.match((await grid.getAttribute("aria-label"))!, /blocks\.1\.attn\.hook_pattern · head 0/);
    await grid.focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    assert.ok((await colours(grid.locator("canvas"))) > 10);
    const cell = content(grid.getByRole("gridcell"));
    const first = await changed(cell, "");
    await page.keyboard.press("]");
    const second = await changed(cell, first);
    assert.match((await grid.getAttribute("aria-label"))!, /head 1/);
    const [place, value] = first.split(": ");
    assert.equal(second.split(": ")[0], place, "the same cell");
    assert.notEqual(second.split(": ")[1], value);
    await page.keyboard.press("[");
    assert.equal(await changed(cell, second), first);
  });

  it("draws its charts", async () => {
    const charts = page.locator(".jp-RenderedVegaCommon5");
    for (const i of [0, 1, 2]) {
      const canvas = charts.nth(i).locator("canvas");
      await canvas.waitFor();
      await canvas.scrollIntoViewIfNeeded();
      assert.ok((await colours(canvas)) > 10, `chart ${i}`);
    }
  });

  it("steers anew when the slider is dragged or moved by keys", async () => {
    const controls = page.locator(".tslens-steering");
    await controls.waitFor();
    const slider = controls.locator("input[type=range]");
    await slider.scrollIntoViewIfNeeded();
    const textOf = (side: "steered" | "unsteered"): Promise<string> =>
      content(controls.locator(`.${side} .tslens-text`))();
    /** The texts, when all of those for a coefficient are there. */
    const texts = async (coefficient: string): Promise<[unsteered: string, steered: string]> => {
      // The whole number: "0 ×" stands in "−10 ×" too.
      const heading = new RegExp(`^${coefficient.replace("+", "\\+")} × direction`);
      await controls.locator(".steered h4").getByText(heading).waitFor();
      await controls
        .getByRole("status")
        .getByText(/^\d+ tokens$/)
        .waitFor();
      return [await textOf("unsteered"), await textOf("steered")];
    };
    const [unsteered, pushed] = await texts("+2");
    assert.match(unsteered, /^Review of the inn/);
    assert.notEqual(pushed, unsteered);

    const { x, y, width, height } = (await slider.boundingBox())!;
    await page.mouse.move(x + width * 0.6, y + height / 2);
    await page.mouse.down();
    for (const place of [0.5, 0.3, 0.1, 0]) await page.mouse.move(x + width * place, y + height / 2);
    await page.mouse.up();
    const [stillUnsteered, pulled] = await texts("−10");
    assert.equal(stillUnsteered, unsteered);
    assert.notEqual(pulled, pushed);

    await slider.focus();
    for (let i = 0; i < 20; i++) await page.keyboard.press("ArrowRight");
    const [without, same] = await texts("0");
    assert.deepEqual([without, same], [unsteered, unsteered]);
    assert.equal(await controls.locator("ins").count(), 0);
    assert.equal(await page.getByText(/^generating/).count(), 0);
  });
});
