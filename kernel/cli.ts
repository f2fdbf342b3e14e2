#!/usr/bin/env node
import { parseArgs } from "node:util";
import { dataFolder, type Target } from "./install/folders.js";
import { install, installed, uninstall } from "./install/install.js";
import { FORMATS, runJupyter, runNotebook } from "./install/jupyter.js";

const HELP = `tslens kernel install [--user | --sys-prefix | --prefix FOLDER]
    Installs the kernel and its widgets for Jupyter. Default: --user.
tslens kernel uninstall [--user | --sys-prefix | --prefix FOLDER]
    Removes them.
tslens kernel list
    Says where the kernel is installed.
tslens lab [options of jupyter lab]
    Opens JupyterLab.
tslens run NOTEBOOK [--to ${FORMATS.join("|")}] [--output NAME]
    Runs a notebook and writes the result beside it. Default: --to notebook.`;

/** A command line that cannot be understood. */
class UsageError extends Error {}

function readTarget(args: string[]): Target {
  const { values } = parseArgs({
    args,
    options: { user: { type: "boolean" }, "sys-prefix": { type: "boolean" }, prefix: { type: "string" } },
  });
  if (Object.keys(values).length > 1) throw new UsageError("Give one of --user, --sys-prefix and --prefix.");
  if (values.prefix !== undefined) return { kind: "prefix", prefix: values.prefix };
  return { kind: values["sys-prefix"] ? "sys-prefix" : "user" };
}

function kernelCommand([action, ...args]: string[]): number {
  switch (action) {
    case "install":
      for (const folder of install(dataFolder(readTarget(args)))) console.log(`installed ${folder}`);
      return 0;
    case "uninstall": {
      const removed = uninstall(dataFolder(readTarget(args)));
      for (const folder of removed) console.log(`removed ${folder}`);
      if (!removed.length) console.log("Nothing was installed there.");
      return 0;
    }
    case "list": {
      const folders = installed();
      console.log(
        folders.length ? folders.join("\n") : "The kernel is not installed. Run: npx tslens kernel install",
      );
      return 0;
    }
    default:
      throw new UsageError(
        `kernel is followed by install, uninstall or list, not by ${action ?? "nothing"}.`,
      );
  }
}

function runCommand(args: string[]): number {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { to: { type: "string" }, output: { type: "string" } },
  });
  const [notebook, ...more] = positionals;
  if (!notebook || more.length) throw new UsageError("run is followed by one notebook.");
  return runNotebook(notebook, values.to ?? "notebook", values.output);
}

function main([command, ...args]: string[]): number {
  switch (command) {
    case "kernel":
      return kernelCommand(args);
    case "lab":
      return runJupyter(["lab", ...args]);
    case "run":
      return runCommand(args);
    case undefined:
    case "help":
    case "--help":
    case "-h":
      console.log(HELP);
      return 0;
    default:
      throw new UsageError(`There is no command ${command}.`);
  }
}

try {
  process.exitCode = main(process.argv.slice(2));
} catch (error) {
  const usage =
    error instanceof UsageError || (error as { code?: string }).code?.startsWith("ERR_PARSE_ARGS");
  console.error((error as Error).message);
  if (usage) console.error(`\n${HELP}`);
  process.exitCode = usage ? 2 : 1;
}
