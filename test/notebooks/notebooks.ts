/** Notebooks as readers have them: run headless, and as pages without a kernel. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import type { Json } from "../../kernel/protocol/message.js";
import { jupyterCommand } from "../lab.js";
import { repository } from "../shared.js";
import { requireScript } from "./requirejs.js";

/** What a cell has shown. */
export interface Output {
  readonly output_type: string;
  readonly data?: Record<string, unknown>;
}

/** A cell of a notebook. */
export interface NotebookCell {
  readonly cell_type: string;
  readonly source: string | readonly string[];
  readonly outputs?: readonly Output[];
}

/** A notebook's file. */
export interface Notebook {
  readonly cells: NotebookCell[];
  readonly metadata: Json;
}

/** Where a tutorial is. */
export const tutorial = (name: string): string => join(repository, "notebooks", "tutorials", name);

/** Reads a notebook. */
export const readNotebook = (path: string): Notebook => JSON.parse(readFileSync(path, "utf8")) as Notebook;

/** Skips where there is no Python environment, and says so; with `CI` set that is a failure. */
export function skipWithoutJupyter(context: Mocha.Context): void {
  if (existsSync(jupyterCommand) || process.env.CI) return;
  console.log("      skipped: there is no Python environment in .python; npm run setup makes it");
  context.skip();
}

/** A notebook that has been run headless. */
export interface ExecutedNotebook {
  /** Its code cells. */
  readonly cells: readonly NotebookCell[];
  readonly metadata: Json;
  /** What the kernel took at its peak; `undefined` where the system does not tell. */
  readonly megabytes?: number;
}

/** Runs a copy of a notebook headless, and prints how long it took and how much memory. */
export function execute(source: string): ExecutedNotebook {
  const folder = mkdtempSync(join(tmpdir(), "tslens-test-"));
  const path = join(folder, "notebook.ipynb");
  const notebook = readNotebook(source);
  const status = 'import { readFileSync } from "node:fs";\nreadFileSync("/proc/self/status", "utf8")';
  const last = { cell_type: "code", id: "status", metadata: {}, execution_count: null, outputs: [] };
  const tells = process.platform === "linux";
  if (tells) notebook.cells.push({ ...last, source: status } as NotebookCell);
  writeFileSync(path, JSON.stringify(notebook));
  const began = performance.now();
  const run = spawnSync(jupyterCommand, ["execute", "--inplace", path], { encoding: "utf8" });
  const seconds = (performance.now() - began) / 1000;
  assert.equal(run.status, 0, run.stderr);
  const { cells: all, metadata } = readNotebook(path);
  rmSync(folder, { recursive: true });
  const cells = all.filter(({ cell_type }) => cell_type === "code");
  if (!tells) return { cells, metadata };
  const proc = String(cells.pop()!.outputs![0]!.data!["text/plain"]);
  const megabytes = Number(/VmHWM:\D*(\d+) kB/.exec(proc)![1]) / 1000;
  console.log(`      ${seconds.toFixed(1)} s; the kernel took ${megabytes.toFixed(0)} MB at its peak`);
  return { cells, metadata, megabytes };
}

/** The saved states of widgets in a notebook's metadata, by the names of their models. */
export function savedWidgets(metadata: Json): (name: string) => Json[] {
  const saved = (metadata.widgets as Json)["application/vnd.jupyter.widget-state+json"] as {
    state: Record<string, { model_name: string; state: Json }>;
  };
  return (name) =>
    Object.values(saved.state)
      .filter(({ model_name }) => model_name === name)
      .map(({ state }) => state);
}

/** Turns a notebook into a page by nbconvert. */
export function toHtml(path: string): string {
  const { status, stderr } = spawnSync(jupyterCommand, ["nbconvert", "--to", "html", path], {
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  return readFileSync(path.replace(/\.ipynb$/, ".html"), "utf8");
}

/** Errors of a page, but for those of JupyterLab's debugger, which asks every kernel whether it has one. */
export function errorsOf(page: Page): string[] {
  const errors: string[] = [];
  page.on("pageerror", ({ message }) => {
    if (!message.includes("No active debugger session")) errors.push(message);
  });
  return errors;
}

/** Opens a page of nbconvert, with what it takes from other servers served from here; there is no kernel. */
export async function openExported(
  browser: Browser,
  html: string,
): Promise<{ page: Page; errors: string[] }> {
  const page = await browser.newPage({ viewport: { width: 1200, height: 1000 } });
  const errors = errorsOf(page);
  const files: [where: RegExp, file: string][] = [
    [
      /html-manager@[^/]*\/dist\/embed-amd\.js$/,
      "node_modules/@jupyter-widgets/html-manager/dist/embed-amd.js",
    ],
    [/tslens-widgets@[^/]*\/dist\/index\.js$/, "widgets/dist/index.js"],
  ];
  await page.route("**/*", (route) => {
    const url = route.request().url();
    if (url.startsWith("http://exported.test/"))
      return route.fulfill({ contentType: "text/html", body: html });
    const found = files.find(([where]) => where.test(url));
    if (found) return route.fulfill({ contentType: "text/javascript", path: join(repository, found[1]) });
    if (/\/require(\.min)?\.js$/.test(url))
      return route.fulfill({ contentType: "text/javascript", body: requireScript });
    return route.abort();
  });
  await page.goto("http://exported.test/");
  return { page, errors };
}
