import assert from "node:assert/strict";
import { labOfSuite } from "../lab-page.js";

const imports =
  'import { Accordion, Button, Dropdown, HBox, HTML, IntSlider, interact, jslink, Label, Output, Play, Tab, Text, VBox } from "tslens/jupyter-widgets";';

const controls = `const slider = new IntSlider({ value: 3, max: 20, description: "steps" });
const button = new Button({ description: "Add" });
const text = new Text({ value: "typed", description: "text" });
const menu = new Dropdown({ options: { first: 0, last: 11 }, description: "layer" });
let clicks = 0;
button.onClick(() => { clicks++; slider.value += 1; });
new VBox([new HBox([slider, button]), text, menu])`;

const pages = `const output = new Output();
const tab = new Tab([new Label({ value: "the first page" }), new VBox([new HTML({ value: "<b id='second'>the second page</b>" }), output])], { titles: ["one", "two"] });
tab`;

describe("core widgets in JupyterLab", () => {
  const notebook = labOfSuite();
  const { cell, output, run, screenshot } = notebook;
  /** Opens a notebook; the first cell, 0, has the imports. */
  const open = (...sources: string[]): Promise<void> => notebook.open(imports, ...sources);

  /** Drags the handle of the first slider in a cell's output to a share of its track. */
  async function drag(i: number, share: number): Promise<void> {
    const handle = output(i).locator(".noUi-handle").first();
    const track = (await output(i).locator(".noUi-base").first().boundingBox())!;
    const from = (await handle.boundingBox())!;
    await notebook.page.mouse.move(from.x + from.width / 2, from.y + from.height / 2);
    await notebook.page.mouse.down();
    await notebook.page.mouse.move(track.x + track.width * share, from.y + from.height / 2, { steps: 5 });
    await notebook.page.mouse.up();
  }

  it("stand in boxes, and what a reader does to them reaches the kernel", async () => {
    await open(controls, "[slider.value, clicks, text.value, menu.value, menu.label]");
    await run(0);
    await run(1);
    await output(1).locator(".widget-hbox .widget-slider").waitFor();
    await drag(1, 0.5);
    await output(1).locator(".widget-readout", { hasText: /^10$/ }).waitFor();
    await output(1).locator("button", { hasText: "Add" }).click();
    // The kernel's answer comes back to the slider.
    await output(1).locator(".widget-readout", { hasText: /^11$/ }).waitFor();
    await output(1).locator("input[type=text]").fill("from a reader");
    await output(1).locator("select").selectOption("last");
    await run(2);
    await output(2).getByText("[ 11, 1, 'from a reader', 11, 'last' ]", { exact: true }).waitFor();
    await screenshot("controls");
  });

  it("redraw what interact shows, with its errors", async () => {
    await open(
      `await interact((n: number, word: string) => {
  if (n > 15) throw new RangeError("too many");
  console.log(word.repeat(n));
}, { n: [0, 20], word: "ab" });`,
    );
    await run(0);
    await run(1);
    const shown = cell(1).locator(".widget-output");
    await shown.getByText("ab".repeat(10), { exact: true }).waitFor();
    await drag(1, 0.25);
    await shown.getByText("ab".repeat(5), { exact: true }).waitFor();
    assert.equal(
      await shown.locator(".jp-OutputArea-child").count(),
      1,
      "the new text takes the old one's place",
    );
    await cell(1).locator("input[type=text]").fill("xyz");
    await shown.getByText("xyz".repeat(5), { exact: true }).waitFor();
    await drag(1, 1);
    await shown.getByText("RangeError: too many").first().waitFor();
    await screenshot("interact");
    await drag(1, 0.1);
    await shown.getByText("xyzxyz", { exact: true }).waitFor();
  });

  it("show pages, and in an Output what a function writes and draws", async () => {
    await open(
      pages,
      `import { display, svg } from "tslens/widgets";
await output.capture(async () => {
  console.log("written inside");
  await display(svg\`<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><rect width="40" height="20" fill="teal"/></svg>\`);
});
console.log("written outside");`,
    );
    await run(0);
    await run(1);
    await run(2);
    await output(1).getByText("the first page").waitFor();
    assert.equal(await notebook.page.locator("#second").isVisible(), false);
    await output(1).locator(".lm-TabBar-tab", { hasText: "two" }).click();
    await notebook.page.locator("#second").waitFor();
    const inside = cell(1).locator(".widget-output");
    await inside.getByText("written inside", { exact: true }).waitFor();
    await inside.locator(".jp-RenderedSVG").waitFor();
    assert.equal((await output(2).innerText()).trim(), "written outside");
    await screenshot("pages");
  });

  it("are linked in the browser without the kernel", async () => {
    await open(
      `const play = new Play({ max: 5, interval: 20 });
const counter = new IntSlider({ max: 5 });
jslink([play, "value"], [counter, "value"]);
new HBox([play, counter])`,
      "counter.value",
    );
    await run(0);
    await run(1);
    await output(1).locator(".jupyter-widgets.widget-play button").first().click();
    await output(1).locator(".widget-readout", { hasText: /^5$/ }).waitFor();
    await run(2);
    await output(2).getByText("5", { exact: true }).waitFor();
  });

  it("are there again after the page is loaded anew", async () => {
    await open(controls);
    await run(0);
    await run(1);
    await output(1).locator("button", { hasText: "Add" }).click();
    await output(1).locator(".widget-readout", { hasText: /^4$/ }).waitFor();
    await notebook.page.keyboard.press("Control+s");
    await notebook.page.getByText("Saving completed").waitFor();
    await notebook.page.reload();
    await output(1).locator(".widget-readout", { hasText: /^4$/ }).waitFor();
    await output(1).locator("button", { hasText: "Add" }).click();
    await output(1).locator(".widget-readout", { hasText: /^5$/ }).waitFor();
  });
});
