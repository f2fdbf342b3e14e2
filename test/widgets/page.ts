import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Browser, Locator, Page } from "playwright-core";
import { launchBrowser } from "../browser.js";
import type { MemoryWidget } from "./host.js";

const root = new URL("../../", import.meta.url);

/** Builds the browser half, if it is not up to date. */
export function buildWidgets(): void {
  execFileSync(process.execPath, ["widgets/build.mjs"], { cwd: root, stdio: "pipe" });
}

/** How a page looks. */
export interface PageOptions {
  readonly theme?: "light" | "dark";
  readonly width?: number;
  /** False: a saved notebook, behind which there is no kernel. */
  readonly kernel?: boolean;
}

/** In the page: a model as anywidget's, that speaks with the test. Plain source, so that no compiler changes it. */
const pageModel = `
const revive = (value) => {
  if (value && typeof value === "object") {
    if (typeof value.$bytes === "string") return new DataView(Uint8Array.from(atob(value.$bytes), (c) => c.charCodeAt(0)).buffer);
    return Array.isArray(value) ? value.map(revive) : Object.fromEntries(Object.entries(value).map(([k, v]) => [k, revive(v)]));
  }
  return value;
};
class Model {
  constructor(state, kernel) { this.state = revive(state); this.comm_live = kernel; this.changed = {}; this.callbacks = {}; }
  get(name) { return this.state[name]; }
  set(name, value) { this.state[name] = value; this.changed[name] = value; this.emit("change:" + name); }
  save_changes() { const patch = this.changed; this.changed = {}; window.toKernel("patch", patch); }
  send(content) { window.toKernel("message", content); }
  on(event, callback) { (this.callbacks[event] ??= new Set()).add(callback); }
  off(event, callback) { this.callbacks[event]?.delete(callback); }
  emit(event, ...values) { for (const callback of [...(this.callbacks[event] ?? [])]) callback(...values); }
  fromKernel(kind, body, buffers) {
    if (kind === "message") return this.emit("msg:custom", body, revive(buffers));
    const patch = revive(body);
    Object.assign(this.state, patch);
    for (const name of Object.keys(patch)) this.emit("change:" + name);
  }
}
window.start = async (url, state, kernel) => {
  const { render } = await import(url);
  window.model = new Model(state, kernel);
  window.cleanup = render({ model: window.model, el: document.getElementById("out") });
};
`;

/** Binary leaves as text, for the way into the page. */
function pack(value: unknown): unknown {
  if (value instanceof ArrayBuffer) return { $bytes: Buffer.from(value).toString("base64") };
  if (ArrayBuffer.isView(value))
    return { $bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64") };
  if (Array.isArray(value)) return value.map(pack);
  if (value && typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, pack(entry)]));
  return value;
}

/** Opens the page of a test with the built view of a widget such as `activation-table`. */
export type OpenWidget = <S extends object>(
  widget: string,
  handle: MemoryWidget<S>,
  options?: PageOptions,
) => Promise<Page>;

/**
 * A browser for the tests of a suite, and the widgets built; the pages of each test are closed after it.
 *
 * @returns what opens a widget, connected to its kernel half in this process
 */
export function widgetPages(): OpenWidget {
  let browser: Browser;
  const opened: Page[] = [];
  before(async function () {
    browser = await launchBrowser(this);
    buildWidgets();
  });
  afterEach(() => Promise.all(opened.splice(0).map((page) => page.close())));
  after(() => browser?.close());
  return async (widget, handle, options) => {
    const page = await openWidget(browser, widget, handle, options);
    opened.push(page);
    return page;
  };
}

async function openWidget<S extends object>(
  browser: Browser,
  widget: string,
  handle: MemoryWidget<S>,
  { theme = "light", width = 900, kernel = true }: PageOptions = {},
): Promise<Page> {
  const page = await browser.newPage({ viewport: { width, height: 900 } });
  page.on("pageerror", (error) => {
    throw error;
  });
  const script = readFileSync(new URL(`widgets/dist/anywidget/${widget}.mjs`, root), "utf8");
  const [back, ink] = theme === "dark" ? ["#111418", "#e6e9ee"] : ["#ffffff", "#1f2328"];
  const html = `<!doctype html><meta charset="utf-8"><body data-jp-theme-light="${theme === "light"}" style="margin: 12px; background: ${back}; color: ${ink}"><div id="out"></div><script>${pageModel}</script>`;
  await page.route("http://widgets.test/**", (route) =>
    route.request().url().endsWith(".mjs")
      ? route.fulfill({ contentType: "text/javascript", body: script })
      : route.fulfill({ contentType: "text/html", body: html }),
  );
  await page.exposeFunction("toKernel", async (kind: "patch" | "message", body: unknown) => {
    if (!kernel) return;
    if (kind === "patch") handle.fromBrowser(body as Partial<S>);
    else await handle.message(body);
  });
  const deliver = (...values: unknown[]): void => {
    if (!page.isClosed())
      page
        .evaluate(
          (message) =>
            (window as unknown as { model: { fromKernel(...all: unknown[]): void } }).model.fromKernel(
              ...message,
            ),
          values,
        )
        .catch(() => {});
  };
  handle.onPatch = (patch) => deliver("patch", pack(patch));
  handle.onSent = ({ content, buffers }) => deliver("message", content, pack(buffers));
  await page.goto("http://widgets.test/");
  await page.evaluate(
    ([url, state, live]) =>
      (window as unknown as { start(...all: unknown[]): Promise<void> }).start(url, state, live),
    ["http://widgets.test/view.mjs", pack(handle.state), kernel] as const,
  );
  return page;
}

/** The text of an element. */
export async function contentOf(locator: Locator): Promise<string> {
  return (await locator.textContent()) ?? "";
}

/** Asserts that every control that is seen has a name for screen readers. */
export async function assertLabelled(page: Page): Promise<void> {
  const controls = page.locator("select:visible, input:visible, textarea:visible, button:visible");
  const unnamed = await controls.evaluateAll((all) =>
    (all as HTMLInputElement[])
      .filter(
        (node) =>
          !node.labels?.length &&
          !node.getAttribute("aria-label") &&
          !(node.tagName === "BUTTON" && node.textContent?.trim()),
      )
      .map(({ outerHTML }) => outerHTML),
  );
  assert.notEqual(await controls.count(), 0);
  assert.deepEqual(unnamed, []);
}

/** Asserts that a view takes its elements and listeners with it when it is removed. */
export async function assertLeavesNothing(page: Page): Promise<void> {
  const left = await page.evaluate(() => {
    const { model, cleanup } = window as unknown as {
      model: { callbacks: Record<string, Set<unknown>> };
      cleanup(): void;
    };
    cleanup();
    return [
      document.getElementById("out")!.innerHTML,
      Object.values(model.callbacks).reduce((sum, set) => sum + set.size, 0),
    ];
  });
  assert.deepEqual(left, ["", 0]);
}
