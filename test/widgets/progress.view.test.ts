import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { progressFallback } from "../../widgets/progress/fallback.js";
import { createProgress } from "../../widgets/progress/model.js";
import { type ProgressState, progressDefaults } from "../../widgets/progress/state.js";
import { MemoryHost, type MemoryWidget } from "./host.js";
import { contentOf, type PageOptions, widgetPages } from "./page.js";

const training: ProgressState = {
  ...progressDefaults,
  task: "training <img src=x onerror=window.attacked=true>",
  done: 50,
  total: 200,
  seconds: 10,
  rate: 5,
  values: { loss: "2.5" },
  curve: {
    name: "loss",
    points: [
      [0, 5],
      [25, 3],
      [50, 2.5],
    ],
  },
};

describe("widgets/progress/view", () => {
  const openWidget = widgetPages();
  let page: Page;
  let handle: MemoryWidget<ProgressState>;
  let heard: string[];

  async function open(state: ProgressState = training, options: PageOptions = {}): Promise<void> {
    heard = [];
    handle = createProgress(new MemoryHost(), state, {
      onShown: () => heard.push("shown"),
      onStop: () => heard.push("stop"),
    }) as MemoryWidget<ProgressState>;
    page = await openWidget("progress", handle, options);
  }
  const bar = () => page.getByRole("progressbar");
  const button = () => page.getByRole("button");

  it("shows how far, how fast and how long still, in words and for screen readers", async () => {
    await open();
    assert.match(await contentOf(page.locator(".parts")), /50\/200 {2}5\/s {2}30 s left {2}loss 2\.5/);
    assert.equal(await bar().getAttribute("aria-valuenow"), "50");
    assert.equal(await bar().getAttribute("aria-valuemax"), "200");
    assert.equal(await page.evaluate(() => "attacked" in window), false);
    const fill = await page.locator(".track i").boundingBox();
    const whole = await bar().boundingBox();
    assert.ok(Math.abs(fill!.width / whole!.width - 0.25) < 0.01);
    assert.deepEqual(heard, ["shown"]);
  });

  it("follows the work, and draws its curve", async () => {
    await open();
    const picture = page.getByRole("img", { name: /^loss from 5 to 2\.5/ });
    assert.equal(await picture.count(), 1);
    const curve = { name: "loss", points: [...training.curve!.points, [100, 2] as const] };
    handle.set({ done: 100, curve });
    await page.waitForFunction(() => document.querySelector(".parts")?.textContent?.startsWith("100/200"));
    assert.equal(await page.getByRole("img", { name: /^loss from 5 to 2,/ }).count(), 1);
    assert.equal((await page.locator("polyline").getAttribute("points"))!.split(" ").length, 4);
  });

  it("stops the work by mouse or key, once", async () => {
    await open();
    await button().focus();
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.querySelector("button")?.textContent === "Stopping…");
    assert.ok(await button().isDisabled());
    assert.deepEqual(heard, ["shown", "stop"]);
  });

  it("has no end where none is known, and no button when the work is over", async () => {
    await open({ ...training, total: null, curve: null });
    assert.equal(await bar().getAttribute("aria-valuenow"), null);
    assert.match((await page.locator(".track").getAttribute("class"))!, /endless/);
    assert.equal(await page.locator("svg").isVisible(), false);
    handle.set({ status: "ended" });
    await page.waitForFunction(() => document.querySelector("button")?.hidden);
    assert.doesNotMatch((await page.locator(".track").getAttribute("class"))!, /endless/);
  });

  it("can be read on a dark page, and without a kernel", async () => {
    await open(training, { theme: "dark", kernel: false });
    assert.equal(await page.locator(".tslens").getAttribute("data-theme"), "dark");
    assert.ok(await button().isDisabled());
  });
});

describe("a progress bar where no widget runs", () => {
  it("is a line of text, with the curve where there is one, escaped", () => {
    const bundle = progressFallback(training);
    assert.match(String(bundle["text/plain"]), /^training .* ██████░+ {2}50\/200/);
    const html = String(bundle["text/html"]);
    assert.match(html, /<polyline points="[\d., ]+"/);
    assert.ok(!html.includes("<img"));
    assert.deepEqual(Object.keys(progressFallback({ ...training, curve: null })), ["text/plain"]);
  });
});
