import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import {
  createSteeringControls,
  type SteeringControls,
  type SteeringControlsOptions,
  type SteeringEngine,
  type SteeringRequest,
} from "../../widgets/steering-controls/model.js";
import type { SteeringControlsState } from "../../widgets/steering-controls/state.js";
import { MemoryHost, type MemoryWidget } from "./host.js";
import { assertLabelled, assertLeavesNothing, contentOf, type PageOptions, widgetPages } from "./page.js";
import { SteeringOffer } from "./steering-source.js";

const words = [" the", " city", " of", " <img src=x onerror=window.attacked=true>", " and", " rain"];

/** Continues every prompt with the same words, of which steering replaces the last; refuses unknown tokens. */
class WordEngine extends SteeringOffer implements SteeringEngine {
  readonly requests: SteeringRequest[] = [];
  /** Awaited before each token. */
  pause: () => Promise<void> = () => new Promise((resolve) => setTimeout(resolve, 2));

  async steer(
    request: SteeringRequest,
    { onNext, onTokens, signal }: Parameters<SteeringEngine["steer"]>[1],
  ): Promise<void> {
    this.requests.push(request);
    if (request.direction.kind === "unembedding" && request.direction.values.token !== " sun")
      throw new RangeError(
        `${JSON.stringify(request.direction.values.token)} is not one token of this model.`,
      );
    onNext(
      words.map((token, i) => ({
        token,
        unsteered: 0.5 / (i + 1),
        steered: 0.1 + (i === 5 ? request.coefficient / 20 : 0),
      })),
    );
    for (let i = 0; i < request.maxNewTokens; i++) {
      await this.pause();
      signal.throwIfAborted();
      const last = i === request.maxNewTokens - 1;
      onTokens({ unsteered: words[i % 6]!, steered: last ? ` ×${request.coefficient}` : words[i % 6]! });
    }
  }
}

describe("widgets/steering-controls/view", () => {
  const openWidget = widgetPages();
  let page: Page;
  let engine: WordEngine;
  let controls: SteeringControls;

  async function open(
    options: SteeringControlsOptions = {},
    pageOptions: PageOptions = {},
    pause?: () => Promise<void>,
  ): Promise<void> {
    engine = new WordEngine();
    if (pause) engine.pause = pause;
    controls = createSteeringControls(new MemoryHost(), engine, {
      prompt: "London is",
      coefficient: 2,
      maxNewTokens: 6,
      ...options,
    });
    if (!pause) await controls.settled();
    page = await openWidget(
      "steering-controls",
      controls.handle as MemoryWidget<SteeringControlsState>,
      pageOptions,
    );
  }
  const text = (side: "steered" | "unsteered"): Promise<string> =>
    contentOf(page.locator(`.tslens-card.${side} .tslens-text`));
  const waitFor = (words: string) =>
    page.waitForFunction(
      (expected) =>
        document.querySelector(".tslens-card.steered .tslens-text")?.textContent?.includes(expected),
      words,
    );

  it("shows both continuations with the changed tokens marked by more than colour", async () => {
    await open();
    assert.equal(await text("unsteered"), `London is${words.join("")}`);
    const inserted = page.locator(".tslens-card.steered ins");
    assert.deepEqual(await inserted.allTextContents(), [" ×2"]);
    assert.deepEqual(await page.locator(".tslens-card.unsteered del").allTextContents(), [" rain"]);
    const [weight, line] = await inserted.evaluate((node) => [
      getComputedStyle(node).fontWeight,
      getComputedStyle(node).textDecorationLine,
    ]);
    assert.deepEqual([weight, line], ["700", "underline"]);
  });

  it("shows the next token's probabilities before and after, each side in its own order", async () => {
    await open({ coefficient: 4 });
    const rows = (side: string) => page.locator(`.tslens-card.${side} tr`).allTextContents();
    assert.match((await rows("unsteered"))[0]!, /·the50\.0 %/);
    assert.match((await rows("steered"))[0]!, /·rain30\.0 %▲/);
  });

  it("steers anew while the slider is dragged, and ends at the last value", async () => {
    await open();
    const box = (await page.locator("input[type=range]").boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.6, box.y + box.height / 2);
    await page.mouse.down();
    for (let i = 0; i <= 20; i++)
      await page.mouse.move(box.x + box.width * (0.6 + 0.015 * i), box.y + box.height / 2);
    await page.mouse.up();
    const value = Number(await page.locator("input[type=range]").inputValue());
    assert.ok(value > 6);
    await waitFor(` ×${value}`);
    await controls.settled();
    assert.equal(engine.requests.at(-1)!.coefficient, value);
    assert.match(
      await contentOf(page.locator(".tslens-card.steered h4")),
      new RegExp(`\\+${value} × direction`),
    );
  });

  it("moves the slider by the arrow keys, which the notebook does not see", async () => {
    await open();
    await page.evaluate(() => {
      document.body.addEventListener("keydown", () => Object.assign(window, { leaked: true }));
    });
    await page.locator("input[type=range]").focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await waitFor(" ×3");
    assert.equal(await page.evaluate(() => (window as { leaked?: boolean }).leaked), undefined);
  });

  it("streams token by token and can be stopped", async () => {
    let go = (): void => {};
    await open({}, {}, () => new Promise((resolve) => (go = resolve)));
    for (const expected of ["London is the", "London is the city"]) {
      await page.waitForTimeout(20);
      go();
      await page.waitForFunction(
        (prefix) => document.querySelector(".tslens-card.steered .tslens-text")?.textContent === prefix,
        expected,
      );
    }
    assert.match(await contentOf(page.getByRole("status")), /2 of 6 tokens/);
    await page.getByRole("button", { name: "Stop" }).click();
    go();
    await page.waitForFunction(
      () => document.querySelector(".tslens-status")?.textContent === "stopped after 2 tokens",
    );
  });

  it("builds the fields of a direction from what the kernel offers, and shows the engine's errors as text", async () => {
    await open();
    await page.getByLabel("Direction").selectOption({ label: "unembedding vector" });
    await page.waitForFunction(() =>
      document.querySelector(".tslens-error")?.textContent?.includes("“token” is empty"),
    );
    await page.getByLabel("token", { exact: true }).fill(" <b>sum</b>");
    await page.waitForFunction(
      () =>
        document.querySelector(".tslens-error")?.textContent ===
        '" <b>sum</b>" is not one token of this model.',
    );
    await page.getByLabel("token", { exact: true }).fill(" sun");
    await waitFor(" ×2");
    assert.equal(await contentOf(page.locator(".tslens-error")), "");
  });

  it("shows script in tokens as text and runs nothing", async () => {
    await open({ prompt: "<script>window.attacked = true</script>" });
    assert.match(await text("steered"), /^<script>window\.attacked = true<\/script> the city of <img src=x/);
    assert.equal(await page.locator("#out img, #out script").count(), 0);
    assert.equal(await page.evaluate(() => (window as { attacked?: boolean }).attacked), undefined);
  });

  it("shows a saved result without a kernel, and says what needs one", async () => {
    await open({}, { kernel: false, theme: "dark" });
    assert.equal(await text("steered"), `London is${words.slice(0, 5).join("")} ×2`);
    assert.ok(await page.getByLabel("Prompt", { exact: true }).isDisabled());
    assert.match(await contentOf(page.locator(".tslens-note")), /run the notebook to steer anew/);
  });

  it("labels every control, and leaves nothing behind when it is removed", async () => {
    await open();
    await assertLabelled(page);
    await assertLeavesNothing(page);
  });
});
