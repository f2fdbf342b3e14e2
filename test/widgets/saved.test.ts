import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { createAcdcAnimation } from "../../widgets/acdc-animation/model.js";
import { createActivationTable } from "../../widgets/activation-table/model.js";
import { createPatchingExplorer } from "../../widgets/patching-explorer/model.js";
import { createSteeringControls } from "../../widgets/steering-controls/model.js";
import { exactFloat32 } from "../../widgets/text.js";
import { launchBrowser } from "../browser.js";
import { circuitSource } from "./circuit-source.js";
import { MemoryHost, type MemoryWidget } from "./host.js";
import { buildWidgets } from "./page.js";
import { WordPatching } from "./patching-source.js";
import { ComputedSource, noise } from "./source.js";

/** A page's own HTML manager, as nbconvert and nbviewer have it, and as much of an AMD loader as the bundle needs. */
const entry = `
import { HTMLManager } from "@jupyter-widgets/html-manager";
import * as base from "@jupyter-widgets/base";
window.asked = [];
const modules = {};
window.define = (name, names, make) => {
  const module = { exports: {} };
  const given = { exports: module.exports, module, "@jupyter-widgets/base": base };
  given.require = (wanted) => given[wanted];
  modules[name] = make(...names.map((wanted) => given[wanted])) ?? module.exports;
};
window.start = async (state) => {
  const loader = async (name, version) => { window.asked.push(name + "@" + version); return modules[name]; };
  const manager = new HTMLManager({ loader });
  window.manager = manager;
  for (const model of await manager.set_state(state)) {
    if (!model.name.endsWith("Model") || !model.get("_view_name") || model.name === "LayoutModel") continue;
    await manager.display_view(await manager.create_view(model), document.getElementById("out"));
  }
};
window.save = () => window.manager.get_state();
`;

const root = new URL("../../", import.meta.url);

/** The state of a widget as a saved notebook holds it: buffers apart, in base64. */
function saved(widget: MemoryWidget<object>): object {
  const buffers: object[] = [];
  const strip = (value: unknown, path: (string | number)[]): unknown => {
    if (value instanceof ArrayBuffer) {
      buffers.push({ encoding: "base64", path, data: Buffer.from(value).toString("base64") });
      return undefined;
    }
    if (Array.isArray(value)) return value.map((item, i) => strip(item, [...path, i]));
    if (value && typeof value === "object")
      return Object.fromEntries(
        Object.entries(value).map(([name, item]) => [name, strip(item, [...path, name])]),
      );
    return value;
  };
  const state = strip({ ...widget.identity, ...widget.state, layout: "IPY_MODEL_layout" }, []);
  const { _model_name, _model_module, _model_module_version } = widget.identity;
  return {
    model_name: _model_name,
    model_module: _model_module,
    model_module_version: _model_module_version,
    state: JSON.parse(JSON.stringify(state)),
    buffers,
  };
}

const layout = {
  model_name: "LayoutModel",
  model_module: "@jupyter-widgets/base",
  model_module_version: "2.0.0",
  state: {},
};

describe("widgets in a saved notebook", () => {
  let browser: Browser;
  let page: Page;
  let script: string;

  before(async function () {
    browser = await launchBrowser(this);
    buildWidgets();
    const empty = {
      ".css": "empty",
      ".svg": "empty",
      ".ttf": "empty",
      ".woff": "empty",
      ".woff2": "empty",
      ".eot": "empty",
    } as const;
    const built = await build({
      stdin: { contents: entry, resolveDir: fileURLToPath(root) },
      bundle: true,
      write: false,
      format: "iife",
      banner: { js: 'var __webpack_public_path__ = "";' },
      loader: empty,
      define: { global: "window", "process.env": "{}" },
      logLevel: "silent",
    });
    script = built.outputFiles[0]!.text;
  });
  after(() => browser?.close());

  async function show(widget: MemoryWidget<object>): Promise<void> {
    page = await browser.newPage();
    page.on("pageerror", (error) => {
      throw error;
    });
    await page.route("http://widgets.test/**", (route) =>
      route.fulfill({
        contentType: "text/html",
        body: `<!doctype html><meta charset="utf-8"><body style="background: white"><div id="out"></div>`,
      }),
    );
    await page.goto("http://widgets.test/");
    await page.addScriptTag({ content: script });
    await page.addScriptTag({ path: fileURLToPath(new URL("widgets/dist/index.js", root)) });
    const state = { version_major: 2, version_minor: 0, state: { layout, widget: saved(widget) } };
    await page.evaluate(
      (all) => (window as unknown as { start(state: unknown): Promise<void> }).start(all),
      state,
    );
  }

  it("draws the table that was saved, from its buffers, and saves it again", async () => {
    const source = new ComputedSource([["a", " b", " c"]]).add(
      { name: "blocks.0.attn.hook_pattern", shape: [1, 2, 3, 3], axes: ["batch", "head", "query", "key"] },
      (_batch, head, query, key) => Math.fround(noise(head!, query!, key!)),
    );
    const { handle } = await createActivationTable(new MemoryHost(), source, { head: 1 });
    const widget = handle as unknown as MemoryWidget<object>;
    await show(widget);
    await page.locator(".tslens-grid").focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowDown");
    const expected = `query 1 “·b” → key 0 “a”: ${exactFloat32(Math.fround(noise(1, 1, 0)))}`;
    await page.waitForFunction(
      (text) => document.querySelector(".tslens-readout")?.textContent === text,
      expected,
    );
    assert.match((await page.locator(".tslens-note").textContent())!, /Saved table: run the notebook/);
    assert.equal(await page.locator(".tslens-heads button").count(), 2);
    const asked = await page.evaluate(() => (window as unknown as { asked: string[] }).asked);
    const { _model_module, _model_module_version } = widget.identity;
    assert.deepEqual([...new Set(asked)], [`${_model_module}@${_model_module_version}`]);
    const again = await page.evaluate(() => (window as unknown as { save(): Promise<unknown> }).save());
    const { buffers } = (again as { state: { widget: { buffers: { path: string[] }[] } } }).state.widget;
    assert.deepEqual(buffers.map(({ path }) => path.join(".")).sort(), [
      "overview.data.data",
      "view.window.data.data",
    ]);
    await page.close();
  });

  it("shows the steered text that was saved", async () => {
    const controls = createSteeringControls(
      new MemoryHost(),
      {
        points: ["blocks.0.hook_resid_pre"],
        directions: [{ kind: "token", label: "token", fields: [] }],
        async steer(_request, { onTokens }) {
          onTokens({ unsteered: " fine", steered: " great" });
        },
      },
      { prompt: "It is" },
    );
    await controls.settled();
    await show(controls.handle as unknown as MemoryWidget<object>);
    assert.equal(await page.locator(".tslens-card.steered .tslens-text").textContent(), "It is great");
    await page.close();
  });

  it("replays the search that was saved, from its buffers, and saves it again", async () => {
    const { handle } = createAcdcAnimation(new MemoryHost(), circuitSource({ done: true }), { position: 40 });
    await show(handle as unknown as MemoryWidget<object>);
    const said = page.locator(".tslens-said");
    await said.getByText(/^Step 40 of 46/).waitFor();
    await page.getByRole("button", { name: "Play" }).click();
    await said.getByText(/^Step 46 of 46/).waitFor();
    const again = await page.evaluate(() => (window as unknown as { save(): Promise<unknown> }).save());
    const { buffers } = (again as { state: { widget: { buffers: { path: string[] }[] } } }).state.widget;
    assert.deepEqual(buffers.map(({ path }) => path.join(".")).sort(), [
      "edges.data",
      "log.data",
      "tail.data",
    ]);
    await page.close();
  });

  it("shows the sweep that was saved, from its buffers, another cell of it, and saves it again", async () => {
    const explorer = createPatchingExplorer(new MemoryHost(), new WordPatching(), {
      ...{ clean: "The nurse said that", corrupt: "The miner said that" },
      ...{ answer: " she", wrongAnswer: " he", selected: [2, 1] },
    });
    await explorer.settled();
    await show(explorer.handle as unknown as MemoryWidget<object>);
    const heading = page.locator(".tslens-card h4");
    await heading.getByText("Next token with layer 2, position 1 “·nurse” patched").waitFor();
    await page.getByRole("gridcell").nth(3).click();
    await heading.getByText("Next token with layer 2, position 3 “·that” patched").waitFor();
    assert.match(
      (await page.locator(".tslens-next tbody tr").first().textContent())!,
      /75\.0 %25\.0 %40\.0 %/,
    );
    const again = await page.evaluate(() => (window as unknown as { save(): Promise<unknown> }).save());
    const { buffers } = (again as { state: { widget: { buffers: { path: string[] }[] } } }).state.widget;
    assert.deepEqual(buffers.map(({ path }) => path.join(".")).sort(), [
      "result.metric.data",
      "result.next.clean.data",
      "result.next.corrupt.data",
      "result.next.patched.data",
    ]);
    await page.close();
  });
});
