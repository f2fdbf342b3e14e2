import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { repository } from "./shared.js";

/** A JupyterLab that serves a folder. */
export interface Lab {
  /** Opens a notebook of the folder in a fresh workspace. */
  open(page: Page, notebook: string): Promise<void>;
  /** Stops the server and its kernels. */
  close(): Promise<void>;
}

// What tests run is nobody's history. Kernels inherit it from the Jupyter that is started here.
process.env.TSLENS_HISTORY ??= "off";

/** The command `jupyter` of the Python environment that setup makes. */
export const jupyterCommand: string = join(
  repository,
  ".python",
  process.platform === "win32" ? "Scripts/jupyter.exe" : "bin/jupyter",
);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

async function answers(server: ChildProcess, url: string): Promise<void> {
  let log = "";
  server.stderr?.on("data", (text) => {
    log += text;
  });
  while (server.exitCode === null) {
    try {
      if ((await fetch(url)).ok) return;
    } catch {
      // It does not listen yet.
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`JupyterLab did not start:\n${log}`);
}

/** Starts JupyterLab in a folder, with the kernel of the Python environment beside the repository. */
export async function startLab(folder: string): Promise<Lab> {
  const port = await freePort();
  const options = {
    "--port": port,
    "--ServerApp.port_retries": 0,
    "--IdentityProvider.token": "",
    "--ServerApp.root_dir": folder,
  };
  const args = Object.entries(options).map(([name, value]) => `${name}=${value}`);
  const server = spawn(jupyterCommand, ["lab", "--no-browser", "--allow-root", ...args], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const url = `http://127.0.0.1:${port}`;
  await answers(server, `${url}/api/status`);
  return {
    async open(page, notebook) {
      await page.goto(`${url}/lab/tree/${encodeURIComponent(notebook)}?reset`);
      await page.locator(".jp-Notebook .jp-Cell").first().waitFor();
      // Run before this, JupyterLab asks which kernel to use.
      await page.getByText("TypeScript (tslens) | Idle").waitFor();
    },
    async close() {
      if (server.exitCode !== null) return;
      server.kill("SIGTERM");
      await once(server, "exit");
    },
  };
}

/** Writes a notebook of code cells for the kernel. */
export function writeNotebook(path: string, sources: readonly string[]): void {
  const cells = sources.map((source, i) => ({
    cell_type: "code",
    id: `cell-${i}`,
    metadata: {},
    source,
    outputs: [],
    execution_count: null,
  }));
  const metadata = {
    kernelspec: { name: "tslens", display_name: "TypeScript (tslens)", language: "typescript" },
  };
  writeFileSync(path, JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata, cells }));
}
