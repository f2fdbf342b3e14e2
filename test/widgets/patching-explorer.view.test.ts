import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import {
  createPatchingExplorer,
  type PatchingExplorer,
  type PatchingExplorerOptions,
} from "../../widgets/patching-explorer/model.js";
import type { PatchingExplorerState } from "../../widgets/patching-explorer/state.js";
import { MemoryHost, type MemoryWidget } from "./host.js";
import { assertLabelled, assertLeavesNothing, contentOf, type PageOptions, widgetPages } from "./page.js";
import { hostile, WordPatching } from "./patching-source.js";

/** The relative luminance of a colour in CSS, as WCAG defines it. */
function luminance(colour: string): number {
  const [red, green, blue] = [...colour.matchAll(/[\d.]+/g)].slice(0, 3).map(([part]) => {
    const channel = Number(part) / 255;
    return channel <= 0.03928 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

describe("widgets/patching-explorer/view", () => {
  const openWidget = widgetPages();
  let page: Page;
  let engine: WordPatching;
  let explorer: PatchingExplorer;

  async function open(
    options: Partial<PatchingExplorerOptions> = {},
    pageOptions: PageOptions = {},
    change: Partial<WordPatching> = {},
  ): Promise<void> {
    engine = Object.assign(new WordPatching(), change);
    explorer = createPatchingExplorer(new MemoryHost(), engine, {
      clean: "The nurse said that",
      corrupt: "The miner said that",
      answer: " she",
      wrongAnswer: " he",
      ...options,
    });
    if (!engine.waits) await explorer.settled();
    page = await openWidget(
      "patching-explorer",
      explorer.handle as MemoryWidget<PatchingExplorerState>,
      pageOptions,
    );
  }
  const cell = (row: number, col: number) =>
    page.locator(".tslens-map tbody tr").nth(row).getByRole("gridcell").nth(col);
  const setting = (caption: string) =>
    page.locator(".tslens-field", { hasText: new RegExp(`^${caption}`) }).locator("select");
  const heading = () => page.locator(".tslens-card h4");
  const reads = (text: string | RegExp) => heading().getByText(text).waitFor();
  const tokens = () => page.locator(".tslens-next tbody tr").allTextContents();

  it("draws layers upwards with values in the cells, named rows and columns, and what 0 and 1 mean", async () => {
    await open();
    assert.deepEqual(await page.locator(".tslens-map tbody th").allTextContents(), ["2", "1", "0"]);
    assert.deepEqual(await page.locator(".tslens-map thead th[scope]").allTextContents(), [
      "0 The",
      "1 ·nurse",
      "2 ·said",
      "3 ·that",
    ]);
    assert.deepEqual(
      await page.locator(".tslens-map tbody tr").first().getByRole("gridcell").allTextContents(),
      ["0", "0.10", "0.20", "0.30"],
    );
    assert.match(
      await contentOf(page.locator(".tslens-legend")),
      /−0\.300.*0\.300.*0 is the corrupt run, 1 the clean run/,
    );
    assert.match(
      (await cell(0, 3).getAttribute("title"))!,
      /layer 2, position 3 “·that”: 0\.300 of the difference, metric −0\.400/,
    );
  });

  it("marks which tokens differ by more than colour", async () => {
    await open();
    const marks = page.locator(".tslens-pairs mark");
    assert.deepEqual(await marks.allTextContents(), ["·nurse", "·miner"]);
    assert.equal(
      await marks.first().evaluate((node) => getComputedStyle(node).textDecorationLine),
      "underline",
    );
  });

  it("shows clean, corrupt and patched side by side for the strongest cell, and for one that is clicked", async () => {
    await open();
    await reads("Next token with layer 2, position 3 “·that” patched");
    assert.deepEqual((await tokens()).slice(0, 2), ["·she75.0 %25.0 %40.0 %", "·he15.0 %65.0 %50.0 %"]);
    await cell(0, 1).click();
    await reads("Next token with layer 2, position 1 “·nurse” patched");
    assert.ok((await tokens()).includes("·she75.0 %25.0 %30.0 %"));
    assert.equal(await cell(0, 1).getAttribute("aria-selected"), "true");
    assert.equal(explorer.handle.get("selected"), 9);
  });

  it("is walked through by keys that the notebook does not see, and Enter chooses", async () => {
    await open();
    await page.evaluate(() => {
      document.body.addEventListener("keydown", ({ key }) => {
        if (key !== "Control") Object.assign(window, { leaked: true });
      });
    });
    await cell(0, 3).focus();
    for (const key of ["ArrowLeft", "ArrowDown"]) await page.keyboard.press(key);
    assert.match(await contentOf(page.locator(".tslens-readout")), /^layer 1, position 2 “·said”: 0/);
    assert.equal(explorer.handle.get("selected"), 11, "looking is not choosing");
    await page.keyboard.press("Enter");
    await reads("Next token with layer 1, position 2 “·said” patched");
    for (const key of ["Control+Home", "ArrowUp", "ArrowLeft", "End", " "]) await page.keyboard.press(key);
    await reads("Next token with layer 2, position 3 “·that” patched");
    assert.equal(await page.evaluate(() => (window as { leaked?: boolean }).leaked), undefined);
    assert.equal(await page.locator('.tslens-map td[tabindex="0"]').count(), 1, "one stop for the Tab key");
  });

  it("patches anew when a prompt is edited; what does not correspond is explained, and the map stays", async () => {
    await open();
    await page.getByLabel("Corrupt prompt").fill("The old miner said that");
    const error = page.getByRole("alert");
    await error.getByText(/4 tokens and its corrupt prompt 5/).waitFor();
    assert.match(await contentOf(page.locator(".tslens-pairs caption")), /4 tokens .* 5 in the corrupt one/);
    assert.equal(await page.getByRole("gridcell").count(), 12);
    assert.equal(await page.getByLabel("Corrupt prompt").inputValue(), "The old miner said that");
    assert.match(await contentOf(page.getByRole("status")), /map is of the last choices/);
    await page.getByLabel("Corrupt prompt").fill("The judge said that");
    await page.locator(".tslens-pairs mark", { hasText: "·judge" }).waitFor();
    await page.waitForFunction(() => document.querySelector(".tslens-error")?.textContent === "");
    assert.equal(engine.asked.at(-1)!.choices.corrupt, "The judge said that");
  });

  it("patches other things over other maps, by other metrics, in the other direction", async () => {
    await open();
    await setting("Map").selectOption({ label: "layer × head × position" });
    await page.locator(".tslens-map th", { hasText: "2.1" }).waitFor();
    assert.equal(await page.getByRole("gridcell").count(), 24);
    await setting("Patch").selectOption("z");
    await page.waitForFunction(() => document.querySelectorAll(".tslens-map td[role]").length === 6);
    assert.equal(await setting("Map").inputValue(), "layer,head");
    await setting("Direction").selectOption({ label: "corrupt into clean" });
    await page.locator(".tslens-next th", { hasText: "clean, patched" }).waitFor();
    assert.match(await contentOf(page.locator(".tslens-legend")), /0 is the clean run, 1 the corrupt run/);
    await setting("Metric").selectOption({ label: "log probability" });
    await page.getByLabel("Wrong answer").waitFor({ state: "hidden" });
    await page.getByLabel("Answer", { exact: true }).fill(" they");
    await page.keyboard.press("Tab");
    await page.waitForTimeout(50);
    await explorer.settled();
    const { choices } = engine.asked.at(-1)!;
    assert.deepEqual(
      [choices.metric, choices.answer, choices.direction, choices.at],
      ["logProb", " they", "noising", "z"],
    );
  });

  it("shows how far a sweep is, and stops it", async () => {
    await open({}, {}, { waits: true });
    engine.asked[0]!.progress(5);
    await page.getByRole("status").getByText("5 of 12 cells").waitFor();
    assert.equal(await page.getByRole("progressbar").getAttribute("value"), "5");
    await page.getByRole("button", { name: "Stop" }).click();
    await page.waitForFunction(
      () => document.querySelector<HTMLButtonElement>("button")!.textContent === "Run again",
    );
    const metric = new Float32Array(12).fill(Number.NaN);
    metric[3] = 0;
    engine.asked[0]!.finish({ metric, notes: ["Ended after 1 of 12 cells; the others are NaN"] });
    await page.getByText(/Ended after 1 of 12 cells/).waitFor();
    await page.getByRole("status").getByText("stopped after 5 of 12 cells").waitFor();
    assert.equal(await page.locator(".tslens-map td.unknown").count(), 11);
    await page.getByRole("button", { name: "Run again" }).click();
    await page.getByRole("status").getByText("running the model …").waitFor();
    engine.asked[1]!.finish();
  });

  it("asks the kernel for cells that are not there yet", async () => {
    await open({}, {}, { keeps: false });
    await cell(2, 0).click();
    await reads("layer 0, position 0");
    await page.locator(".tslens-next").waitFor();
    await page.waitForFunction(() => document.querySelector(".tslens-next")?.textContent?.includes("50.0 %"));
    assert.deepEqual(engine.cells.at(-1), [0, 0]);
  });

  it("shows script in prompts and tokens as text and runs nothing", async () => {
    await open({ clean: `The${hostile} nurse`, corrupt: `The${hostile} miner` });
    assert.ok((await tokens()).some((text) => text.startsWith("·<img src=x onerror=window.attacked=true>")));
    assert.equal(await page.locator("#out img, #out script").count(), 0);
    assert.equal(await page.evaluate(() => (window as { attacked?: boolean }).attacked), undefined);
  });

  it("lets cells of a saved sweep be looked at without a kernel, and says what needs one", async () => {
    await open({}, { kernel: false, theme: "dark" });
    for (const control of await page.locator("select, textarea, input, button").all())
      assert.ok(await control.isDisabled());
    await cell(0, 1).click();
    await reads("Next token with layer 2, position 1 “·nurse” patched");
    assert.match(
      await contentOf(page.locator(".tslens-note").last()),
      /Saved sweep: .* run the notebook to patch anew/,
    );
  });

  it("has readable numbers on every colour, light and dark", async () => {
    for (const theme of ["light", "dark"] as const) {
      await open({}, { theme });
      const colours = await page
        .locator(".tslens-map td[role]")
        .evaluateAll((cells) =>
          cells.map((one) => [getComputedStyle(one).color, getComputedStyle(one).backgroundColor]),
        );
      const contrasts = colours.map((pair) => {
        const [a, b] = pair.map(luminance) as [number, number];
        return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      });
      assert.ok(Math.min(...contrasts) >= 4.5, `${theme}: ${Math.min(...contrasts)}`);
      if (theme === "light") await page.close();
    }
  });

  it("labels every control, and leaves nothing behind when it is removed", async () => {
    await open();
    await assertLabelled(page);
    await assertLeavesNothing(page);
  });
});
