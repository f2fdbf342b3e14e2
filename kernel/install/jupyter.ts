import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { extname, join } from "node:path";
import { packageFolder } from "../package.js";

/** The Jupyter command: of the environment beside the package where there is one, else of the PATH. */
function jupyter(): string {
  const windows = process.platform === "win32";
  const local = join(packageFolder, ".python", windows ? "Scripts/jupyter.exe" : "bin/jupyter");
  return existsSync(local) ? local : "jupyter";
}

/**
 * Runs a Jupyter command with this terminal.
 *
 * @returns the exit status
 * @throws Error when there is no Jupyter
 */
export function runJupyter(args: readonly string[]): number {
  const command = jupyter();
  const { status, error } = spawnSync(command, args, { stdio: "inherit" });
  if (error)
    throw new Error(
      `${command} does not start (${error.message}). Install JupyterLab: pip install jupyterlab ipywidgets`,
    );
  return status ?? 1;
}

/** What a notebook can be run to. */
export const FORMATS = ["notebook", "html", "markdown", "script", "latex", "pdf", "slides"] as const;

/**
 * A page shows the pictures of charts and widgets: without a kernel widgets do nothing, and a page that is read later,
 * or without a network, would not find their code.
 */
const STATIC_PAGE: readonly string[] = [
  "--ExecutePreprocessor.store_widget_state=False",
  ...[
    "text/html",
    "text/markdown",
    "image/svg+xml",
    "image/png",
    "image/jpeg",
    "text/latex",
    "text/plain",
  ].map((type) => `--NbConvertBase.display_data_priority=${type}`),
];

/** In print the PNG of a drawing is used: of a drawing itself nbconvert makes a PDF by Inkscape, and fails without it. */
const PRINTED: readonly string[] = ["--SVG2PDFPreprocessor.enabled=False"];

/** The options of nbconvert for the formats that need some. */
const OPTIONS: Partial<Record<string, readonly string[]>> = {
  html: STATIC_PAGE,
  slides: STATIC_PAGE,
  latex: PRINTED,
  pdf: PRINTED,
};

/**
 * Runs a notebook from its first to its last cell and writes the result beside it.
 *
 * @throws Error when the notebook is missing or the format is unknown
 */
export function runNotebook(notebook: string, format: string, output?: string): number {
  if (!existsSync(notebook)) throw new Error(`There is no notebook ${notebook}.`);
  if (extname(notebook) !== ".ipynb")
    throw new Error(`${notebook} is not a notebook: its name does not end in .ipynb.`);
  if (!(FORMATS as readonly string[]).includes(format)) {
    throw new Error(`A notebook is run to one of ${FORMATS.join(", ")}, not to "${format}".`);
  }
  const place = output ? ["--output", output] : [];
  const options = OPTIONS[format] ?? [];
  return runJupyter(["nbconvert", "--execute", "--to", format, ...options, ...place, notebook]);
}
