import { existsSync } from "node:fs";
import type { Browser, Locator, Page } from "playwright-core";
import { launchBrowser } from "../browser.js";
import { jupyterCommand, type Lab, startLab, writeNotebook } from "../lab.js";
import { scratchFolder } from "../scratch.js";

/** A notebook in JupyterLab, as a reader has it before them. */
export interface LabPage {
  readonly page: Page;
  /** Opens a notebook of these cells. */
  open(...sources: string[]): Promise<void>;
  /** The cell with this index. */
  cell(i: number): Locator;
  /** What stands below a cell. */
  output(i: number): Locator;
  /** Starts a cell. */
  start(i: number): Promise<void>;
  /** Runs a cell to its end. */
  run(i: number): Promise<void>;
  /** Takes a picture into the folder that the environment variable SCREENSHOTS names, if it names one. */
  screenshot(name: string): Promise<void>;
}

/** A JupyterLab for each test of a suite; without a Python environment or a browser the suite is skipped. */
export function labOfSuite(): LabPage {
  const scratch = scratchFolder();
  let browser: Browser;
  let lab: Lab | undefined;
  let page: Page | undefined;

  before(async function () {
    if (!existsSync(jupyterCommand) && !process.env.CI) {
      console.log("      skipped: there is no Python environment in .python; npm run setup makes it");
      this.skip();
    }
    browser = await launchBrowser(this);
  });
  after(() => browser?.close());
  afterEach(async function () {
    if (this.currentTest?.state === "failed") await notebook.screenshot("failed");
    await page?.close();
    await lab?.close();
    page = lab = undefined;
  });

  const notebook: LabPage = {
    get page() {
      return page!;
    },
    async open(...sources) {
      writeNotebook(scratch("n.ipynb"), sources);
      lab = await startLab(scratch());
      page = await browser.newPage({ viewport: { width: 1100, height: 1100 } });
      await lab.open(page, "n.ipynb");
    },
    cell: (i) => page!.locator(".jp-Notebook .jp-CodeCell").nth(i),
    output: (i) => notebook.cell(i).locator(".jp-OutputArea-output"),
    async start(i) {
      await notebook.cell(i).locator(".cm-content").click();
      await page!.keyboard.press("Control+Enter");
    },
    async run(i) {
      await notebook.start(i);
      await notebook
        .cell(i)
        .locator(".jp-InputPrompt", { hasText: /\[\d+\]/ })
        .waitFor();
    },
    async screenshot(name) {
      const folder = process.env.SCREENSHOTS;
      if (folder) await page?.screenshot({ path: `${folder}/${name}.png` });
    },
  };
  return notebook;
}
