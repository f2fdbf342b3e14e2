import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { decodeEdges, encodeEdges, placesOf } from "../../widgets/acdc-animation/graph.js";
import { curveOf, layoutOf, pointOf } from "../../widgets/acdc-animation/layout.js";
import {
  type AcdcAnimation,
  type AcdcAnimationOptions,
  type AnimationSource,
  createAcdcAnimation,
} from "../../widgets/acdc-animation/model.js";
import type { AcdcAnimationState } from "../../widgets/acdc-animation/state.js";
import { circuitSource, SteppedSearch } from "./circuit-source.js";
import { MemoryHost, type MemoryWidget } from "./host.js";
import { assertLabelled, assertLeavesNothing, contentOf, type PageOptions, widgetPages } from "./page.js";

/** The metric grows with every edge that is cut. */
const measure = async (cut: Uint8Array): Promise<number> => cut.reduce((sum, one) => sum + one, 0);

/** Scores of edges, none like another. */
function ranking(): AnimationSource {
  const { nodes, edges, steps } = circuitSource();
  const scores = edges.map((_, i) => (i % 2 ? 1 : -1) * (0.01 + i / 10));
  const log = steps.map((_, i) => ({
    edge: i,
    before: i % 9 === 0 ? i : Number.NaN,
    after: null,
    kept: false,
  }));
  return {
    kind: "ranking",
    nodes,
    edges,
    scores,
    log,
    total: log.length,
    metricName: "logit difference",
    smallerIsBetter: false,
    measure,
  };
}

describe("widgets/acdc-animation/view", () => {
  const openWidget = widgetPages();
  let page: Page;
  let animation: AcdcAnimation;

  const state = (): AcdcAnimationState => (animation.handle as MemoryWidget<AcdcAnimationState>).state;

  async function open(
    source: AnimationSource,
    options: AcdcAnimationOptions = {},
    pageOptions: PageOptions = {},
    saved: Partial<AcdcAnimationState> = {},
  ): Promise<void> {
    animation = createAcdcAnimation(new MemoryHost(), source, options);
    const widget = animation.handle as MemoryWidget<AcdcAnimationState>;
    Object.assign(widget.state, saved);
    page = await openWidget("acdc-animation", widget, pageOptions);
    await page.locator(".tslens-stage canvas").first().waitFor();
  }
  const whole = (more: Partial<AnimationSource> = {}) => circuitSource({ done: true }, { measure, ...more });
  const button = (name: string | RegExp) => page.getByRole("button", { name });
  const said = () => contentOf(page.locator(".tslens-said"));
  const figure = async (caption: string): Promise<string> =>
    contentOf(page.locator(".tslens-figures > div", { hasText: caption }).locator("b"));
  /** Waits until an element's text is as expected. */
  const becomes = (selector: string, pattern: RegExp): Promise<unknown> =>
    page.waitForFunction(
      ([where, source]) => new RegExp(source!).test(document.querySelector(where!)?.textContent ?? ""),
      [selector, pattern.source] as const,
    );
  const slider = () => page.locator(".tslens-scrubber input");

  /** Where the middle of an edge is on the page. */
  async function middleOf(edge: number, part = 0.5): Promise<{ x: number; y: number }> {
    const box = (await page.locator(".tslens-stage").boundingBox())!;
    const { nodes, edges } = circuitSource();
    const places = placesOf(nodes);
    const curve = curveOf(
      layoutOf(places, Math.floor(box.width)),
      places.places,
      decodeEdges(encodeEdges(nodes, edges)),
      edge,
    );
    const [x, y] = pointOf(curve, part);
    return { x: box.x + x, y: box.y + y };
  }
  const edgeNumber = (from: string, to: string): number =>
    circuitSource().edges.findIndex((edge) => edge.from === from && edge.to === to);
  async function dragOut(edge: number, away: number): Promise<void> {
    const { x, y } = await middleOf(edge);
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x, y - away / 2);
    await page.mouse.move(x, y - away);
    await page.mouse.up();
  }

  it("shows a search at its end, and goes back and forth by steps", async () => {
    const source = whole();
    await open(source);
    const kept = source.steps.filter((step) => step.kept).length;
    assert.equal(await figure("edges"), `${kept} of ${source.total}`);
    assert.match(await said(), new RegExp(`^Step ${source.total} of ${source.total}: `));
    await button("One step back").click();
    await becomes(".tslens-said", new RegExp(`^Step ${source.total - 1} of`));
    await button("To the start").click();
    await becomes(".tslens-said", /^Nothing tried yet/);
    assert.equal(await figure("edges"), `${source.total} of ${source.total}`);
    assert.ok(await button("One step back").isDisabled());
    await button("One step forward").click();
    await becomes(
      ".tslens-said",
      /^Step 1 of 46: m1->logits kept: KL divergence 0 → 0\.5000 \(\+0\.500; the limit is \+0\.0100\)/,
    );
    await button("One step forward").click();
    await becomes(".tslens-said", /^Step 2 of 46: a1\.h1->logits removed, as it led nowhere any more/);
    await becomes(".tslens-figures", /edges45 of 46/);
    await button("To the end").click();
    await becomes(".tslens-said", /^Step 46 of 46/);
    assert.equal(state().position, -1);
  });

  it("replays at the chosen speed, pauses where it is, and remembers both", async () => {
    await open(whole());
    await page.getByLabel("Speed").selectOption({ label: "3 steps/s" });
    await button("Play").click();
    await becomes(".tslens-said", /^Step [1-9] of/);
    await button("Pause").click();
    await button("Play").waitFor();
    const step = await said();
    await page.waitForTimeout(500);
    assert.equal(await said(), step);
    assert.equal(state().position, Number(/Step (\d+)/.exec(step)![1]));
    assert.equal(state().speed, 3);
    await page.getByLabel("Speed").selectOption({ label: "300 steps/s" });
    await button("Play").click();
    await becomes(".tslens-said", /^Step 46 of 46/);
    assert.equal(await button("Play").count(), 1, "the end pauses");
  });

  it("is scrubbed by the slider and by both charts, which follow", async () => {
    await open(whole());
    await slider().focus();
    for (let i = 0; i < 6; i++) await page.keyboard.press("ArrowLeft");
    await becomes(".tslens-said", /^Step 40 of 46/);
    assert.equal(await slider().getAttribute("aria-valuetext"), "step 40 of 46");
    for (const [chart, part, step] of [
      [0, 0.5, 23],
      [1, 0.25, 12],
    ] as const) {
      const canvas = page.locator(".tslens-chart canvas").nth(chart);
      const box = (await canvas.boundingBox())!;
      await page.mouse.click(box.x + 8 + part * (box.width - 16), box.y + 20);
      await becomes(".tslens-said", new RegExp(`^Step ${step} of`));
    }
    assert.equal(state().position, 12);
    const labels = await page
      .locator(".tslens-chart canvas")
      .evaluateAll((nodes) => nodes.map((node) => node.getAttribute("aria-label")!));
    assert.match(labels[0]!, /^KL divergence 0\.00\d+ at step 12 of 46$/);
    assert.match(labels[1]!, /^edges left \d+ of 46$/);
  });

  it("pauses the search itself, makes it step, lets it go on and stops it", async () => {
    const source = circuitSource();
    const search = new SteppedSearch(source.steps);
    search.pause = () => new Promise((done) => setTimeout(done, 150));
    await open({ ...source, search: search.start });
    await becomes(".tslens-said", /^Step \d+ of/);
    await button("Pause the search").click();
    await becomes(".tslens-state", /search paused/);
    await page.waitForTimeout(400);
    const asked = search.asked;
    await page.waitForTimeout(500);
    assert.equal(search.asked, asked);
    await becomes(".tslens-said", new RegExp(`^Step ${asked} of`));
    await button("Let the search make one step").click();
    await becomes(".tslens-said", new RegExp(`^Step ${asked + 1} of`));
    assert.equal(search.asked, asked + 1);
    await button("One step back").click();
    await becomes(".tslens-said", new RegExp(`^Step ${asked} of`));
    await button("Follow the search").click();
    await button("Resume the search").click();
    await becomes(".tslens-state", /searching/);
    await button("Stop the search").click();
    await becomes(".tslens-state", /stopped/);
    assert.ok(search.asked < source.total);
    await animation.finished;
  });

  it("lets the reader look back while the search goes on, and follows it again", async () => {
    const source = circuitSource();
    const search = new SteppedSearch(source.steps);
    let allowed = 6;
    search.pause = async (index) => {
      while (index >= allowed) await new Promise((done) => setTimeout(done, 10));
    };
    await open({ ...source, search: search.start });
    await becomes(".tslens-said", /^Step 6 of/);
    await button("To the start").click();
    await becomes(".tslens-said", /^Nothing tried yet/);
    allowed = 12;
    while (search.asked <= 12) await page.waitForTimeout(20);
    await page.waitForTimeout(200);
    assert.match(await said(), /^Nothing tried yet/);
    await button("Follow the search").click();
    await becomes(".tslens-said", /^Step 12 of/);
    allowed = source.total + 1;
    await animation.finished;
    await becomes(".tslens-said", /^Step 46 of 46/);
    await becomes(".tslens-state", /finished/);
  });

  it("tells removed, kept, tested and cut edges apart by dashes and marks, not by colour alone", async () => {
    await open(whole(), { position: 10 });
    const samples = await page
      .locator(".tslens-sample")
      .evaluateAll((nodes) =>
        nodes.map((node) => [
          node.textContent!,
          node.querySelector("path")!.getAttribute("stroke-dasharray") ?? "",
          Number(node.querySelector("path")!.getAttribute("stroke-width")),
        ]),
      );
    const looks = ["not tried", "?under test", "×removed", "into queries", "×cut by you"].map((name) => {
      const found = samples.find(([text]) => text === name);
      assert.ok(found, `${name} in ${JSON.stringify(samples)}`);
      return `${found[1]}/${found[2]}`;
    });
    assert.equal(new Set(looks).size, looks.length);
  });

  it("tells what the pointer is over, an edge or a node, and what it does to the metric", async () => {
    await open(whole());
    const edge = edgeNumber("m1", "logits");
    const { x, y } = await middleOf(edge);
    await page.mouse.move(x, y);
    await becomes(".tslens-pop", /^m1->logits.*kept in step 1.*KL divergence 0 → 0\.5000 \(\+0\.500\)/);
    await becomes(".tslens-pop", /without it: KL divergence [\d.]+ → 35\.00/);
    const box = (await page.locator(".tslens-stage").boundingBox())!;
    await page.mouse.move(box.x + 5, box.y + 5);
    await page.waitForFunction(() => document.querySelector<HTMLElement>(".tslens-pop")!.hidden);
    const start = await middleOf(edge, 0);
    await page.mouse.move(start.x - 8, start.y);
    await becomes(".tslens-pop", /^m1\d+ edges in, 1 out.*without it: KL divergence [\d.]+ → 3\d\.00/);
  });

  it("cuts an edge that is dragged out and shows the metric at once; a short drag selects it", async () => {
    await open(whole());
    const edge = edgeNumber("m1", "logits");
    await dragOut(edge, 20);
    await becomes(".tslens-details-title", /^m1->logits/);
    assert.deepEqual(state().cuts, []);
    await dragOut(edge, 80);
    await becomes(".tslens-cut-effect", /^Cut by you: KL divergence [\d.]+ → 35\.00 \(\+/);
    assert.deepEqual(state().cuts, [edge]);
    assert.equal(await figure("KL divergence"), "35.00 · 0 with all");
    assert.equal(await figure("edges"), "11 of 46");
    await page.waitForFunction(
      () => (window as unknown as { model: { state: { measured: unknown } } }).model.state.measured,
    );
    assert.deepEqual(state().measured, { position: 46, cuts: [edge], metric: 35 });
    await page.locator(".tslens-cuts").getByRole("button", { name: "Put back m1->logits" }).click();
    await page.waitForFunction(() => document.querySelector<HTMLElement>(".tslens-cuts")!.hidden);
    assert.deepEqual(state().cuts, []);
  });

  it("cuts by the keyboard alone: arrows to a node, Enter to its edges, X, U puts it back", async () => {
    await open(whole());
    await page.evaluate(() => {
      document.body.addEventListener("keydown", () => Object.assign(window, { leaked: true }));
    });
    await page.locator(".tslens-stage").focus();
    await page.keyboard.press("ArrowRight");
    await becomes(".tslens-details-title", /^input/);
    await page.keyboard.press("ArrowRight");
    await becomes(".tslens-details-title", /^a0\.h|^m0/);
    await page.keyboard.press("Enter");
    await becomes(".tslens-details-title", /->/);
    await page.keyboard.press("x");
    await becomes(".tslens-cut-effect", /→ 35\.00/);
    assert.equal(state().cuts.length, 1);
    await page.keyboard.press("u");
    await page.waitForFunction(() => document.querySelector<HTMLElement>(".tslens-cuts")!.hidden);
    assert.deepEqual(state().cuts, []);
    await page.keyboard.press("Space");
    await button("Pause").waitFor();
    await page.keyboard.press("Space");
    await button("Play").waitFor();
    await page.keyboard.press("Home");
    await becomes(".tslens-said", /^Nothing tried yet/);
    await page.keyboard.press(".");
    await becomes(".tslens-said", /^Step 1 of/);
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => document.querySelector<HTMLElement>(".tslens-details")!.hidden);
    assert.equal(
      await page.evaluate(() => (window as { leaked?: boolean }).leaked),
      true,
      "Escape is the notebook's",
    );
  });

  it("cuts from the list of a node's edges, where the focus stays", async () => {
    await open(whole());
    await page.locator(".tslens-stage").focus();
    await page.keyboard.press("ArrowLeft");
    await becomes(".tslens-details-title", /^logits/);
    await button("Cut m1->logits").focus();
    await page.keyboard.press("Enter");
    await becomes(".tslens-cut-effect", /→ 35\.00/);
    const focused = await page.evaluate(() => document.activeElement?.getAttribute("aria-label"));
    assert.equal(focused, "Put back m1->logits");
  });

  it("turns a ranking by its threshold: fewer edges, a higher least score, a metric that is measured", async () => {
    await open(ranking(), { position: 40 });
    assert.equal(await figure("edges"), "6 of 46");
    await becomes(".tslens-scrubber", /Threshold: edges with \|score\| ≥ 4\.01/);
    await becomes(".tslens-figures", /logit difference40\.00/);
    await slider().focus();
    await page.keyboard.press("ArrowRight");
    await becomes(".tslens-scrubber", /≥ 4\.11/);
    await becomes(".tslens-figures", /edges5 of 46/);
    await becomes(".tslens-figures", /logit difference41\.00/);
    const box = (await slider().boundingBox())!;
    await page.mouse.click(box.x + box.width * 0.5, box.y + box.height / 2);
    await page.waitForFunction(
      () => !/edges5 of/.test(document.querySelector(".tslens-figures")!.textContent!),
    );
    const position = state().position;
    assert.ok(
      position > 30 && position < 45,
      `half of the slider is for the few strongest edges: ${position}`,
    );
    await page.getByLabel("Colour").selectOption("input");
    assert.equal(state().colour, "input");
  });

  it("is as it was when it is opened again: the step, the cuts and what they did", async () => {
    const cut = edgeNumber("m1", "logits");
    const measured = { position: 30, cuts: [cut], metric: 9.5 };
    await open(whole(), {}, { theme: "dark" }, { position: 30, cuts: [cut], measured, show_removed: true });
    assert.match(await said(), /^Step 30 of 46/);
    await becomes(".tslens-cut-effect", /→ 9\.500/);
    assert.equal(await page.locator(".tslens").getAttribute("data-theme"), "dark");
    assert.ok(await page.getByLabel("show removed edges").isChecked());
  });

  it("replays without a kernel, and says what needs one", async () => {
    const running = circuitSource();
    await open({ ...running, log: running.steps.slice(0, 20) }, {}, { kernel: false }, { status: "running" });
    assert.match(await said(), /^Step 20 of 46/);
    assert.match(await contentOf(page.locator(".tslens-state")), /stopped/);
    assert.ok(await page.locator(".tslens-buttons .stop").isHidden());
    await button("Play").click();
    await becomes(".tslens-said", /^Step \d of 46/);
    await becomes(".tslens-said", /^Step 20 of 46/);
    await slider().focus();
    await page.keyboard.press("ArrowLeft");
    await becomes(".tslens-said", /^Step 19 of 46/);
    assert.match(await contentOf(page.locator(".tslens-note")), /Run the notebook to cut edges/);
  });

  it("shows markup in titles and names as text, and says what is wrong with a damaged state", async () => {
    const script = "<img src=x onerror=window.attacked=true>";
    const edges = [{ from: "input", to: "logits" }];
    const source = circuitSource(
      {},
      { nodes: ["input", script, "logits"], edges, facts: [script], total: 1, measure },
    );
    await open(source, { title: script });
    await page.locator(".tslens-stage").focus();
    for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowRight");
    assert.equal(await page.locator("#out img").count(), 0);
    assert.equal(await page.evaluate(() => "attacked" in window), false);
    await page.close();
    await openDamaged();
    assert.match(await contentOf(page.getByRole("alert")), /cannot be drawn: .* missing/);
  });
  async function openDamaged(): Promise<void> {
    animation = createAcdcAnimation(new MemoryHost(), whole());
    const widget = animation.handle as MemoryWidget<AcdcAnimationState>;
    widget.state.edges = null;
    page = await openWidget("acdc-animation", widget);
  }

  it("plays 32,000 edges, and says how fast it draws", async function () {
    this.timeout(60_000);
    const source = circuitSource({ layers: 12, heads: 12, every: 90, done: true });
    assert.equal(source.total, 32_491);
    await open(source, { position: 0 }, { width: 1100 });
    await button("Play").click();
    const times = await page.evaluate(async () => {
      const found: number[] = [];
      let last = performance.now();
      while (found.length < 100) {
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        found.push(now - last);
        last = now;
      }
      return found.sort((a, b) => a - b);
    });
    const at = (part: number): string => times[Math.floor(part * times.length)]!.toFixed(0);
    console.log(
      `      frames of 32,491 edges: median ${at(0.5)} ms, 90% within ${at(0.9)} ms, 98% within ${at(0.98)} ms`,
    );
    await button("Pause").click();
    const box = (await slider().boundingBox())!;
    await page.mouse.click(box.x + box.width * 0.75, box.y + box.height / 2);
    await becomes(".tslens-said", /^Step 2\d{4} of 32491/);
  });

  it("labels every control, and leaves nothing behind when it is removed", async () => {
    await open(whole());
    await assertLabelled(page);
    assert.match(
      (await page.locator(".tslens-stage").getAttribute("aria-label"))!,
      /^Circuit: 12 of 46 edges, KL/,
    );
    await assertLeavesNothing(page);
  });
});
