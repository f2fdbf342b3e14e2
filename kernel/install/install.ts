/** Jupyter scans folders: to install is to copy files, and needs no Python. */
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageFolder, packageJson } from "../package.js";
import type { Json } from "../protocol/message.js";
import { searchedFolders } from "./folders.js";
import { stableNode } from "./node-path.js";

/** The kernel's name in kernelspecs. */
export const KERNEL_NAME = "tslens";
/** The name of the browser half. */
export const EXTENSION_NAME = "tslens-widgets";

/** The kernelspec. */
export function kernelSpec(): Json {
  return {
    argv: [
      stableNode(),
      // Imports of ES modules by `require` warn on Node 20.
      "--disable-warning=ExperimentalWarning",
      // As many of V8's helper threads as the machine has room for; the usual four are in each other's way on two cores.
      "--v8-pool-size=0",
      join(packageFolder, "dist", "kernel", "main.js"),
      "--config-path",
      "{connection_file}",
    ],
    display_name: "TypeScript (tslens)",
    language: "typescript",
    interrupt_mode: "message",
    // glibc would keep what V8's threads have freed, a few hundred megabytes, each in an arena of its own.
    env: { MALLOC_ARENA_MAX: "1" },
    metadata: { debugger: false },
  };
}

const kernelFolder = (data: string): string => join(data, "kernels", KERNEL_NAME);
const extensionFolder = (data: string): string => join(data, "labextensions", EXTENSION_NAME);

/**
 * Installs the kernel and the browser half of its widgets into a Jupyter data folder; what was there is replaced.
 *
 * @returns the folders that were written
 * @throws Error when the package is not built
 */
export function install(data: string): string[] {
  const extension = join(packageFolder, "widgets", "labextension");
  if (!existsSync(extension))
    throw new Error(`The widgets are not built: ${extension} is missing. Run: npm run build`);
  const kernel = replaceFolder(kernelFolder(data), (folder) => {
    cpSync(join(packageFolder, "kernel", "logos"), folder, { recursive: true });
    writeFileSync(join(folder, "kernel.json"), `${JSON.stringify(kernelSpec(), null, 2)}\n`);
  });
  const widgets = replaceFolder(extensionFolder(data), (folder) => {
    cpSync(extension, folder, { recursive: true });
    const note = {
      packageManager: "npm",
      packageName: packageJson.name,
      uninstallInstructions: "Run: npx tslens kernel uninstall, with the option that it was installed with.",
    };
    writeFileSync(join(folder, "install.json"), `${JSON.stringify(note, null, 2)}\n`);
  });
  return [kernel, widgets];
}

/** Writes a folder beside its place and then moves it there, so that nothing half-written is left behind. */
function replaceFolder(folder: string, write: (folder: string) => void): string {
  const fresh = `${folder}.new-${process.pid}`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  try {
    write(fresh);
    rmSync(folder, { recursive: true, force: true });
    renameSync(fresh, folder);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return folder;
}

/** Removes the kernel and the browser half from a data folder; returns the folders that were removed. */
export function uninstall(data: string): string[] {
  const present = [kernelFolder(data), extensionFolder(data)].filter((folder) => existsSync(folder));
  for (const folder of present) rmSync(folder, { recursive: true });
  return present;
}

/** Where the kernel is installed, among the folders that Jupyter scans. */
export function installed(folders: readonly string[] = searchedFolders()): string[] {
  return folders
    .map(kernelFolder)
    .filter((folder) => existsSync(folder) && readdirSync(folder).includes("kernel.json"));
}
