/**
 * The package that the kernel is part of, given to cells in any folder: its types to the compiler, and its modules,
 * in the kernel's own instances, to `import`.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { packageFolder, packageJson } from "../package.js";
import { ts } from "./typescript.js";

const require = createRequire(import.meta.url);

/** Module name → file, as the package's `exports` map says. */
export function hostModules(): Map<string, string> {
  const modules = new Map<string, string>();
  for (const [path, target] of Object.entries(packageJson.exports)) {
    const file = typeof target === "string" ? target : target.default;
    modules.set(packageJson.name + path.slice(1), join(packageFolder, file));
  }
  return modules;
}

/**
 * Loads a module of the package for a cell. TypeScript's import helpers copy a namespace that does not say
 * `__esModule`, and would add a `default`; so a view of it says so.
 */
export function loadHostModule(file: string): unknown {
  const namespace = require(file) as Record<string, unknown>;
  if (file.endsWith(".json")) return namespace;
  const view = Object.create(null, { __esModule: { value: true } }) as Record<string, unknown>;
  for (const name of Object.keys(namespace)) {
    Object.defineProperty(view, name, { enumerable: true, configurable: true, get: () => namespace[name] });
  }
  return view;
}

/**
 * Lets the compiler find the package, and Node's types, from any notebook folder, as if they stood in its
 * `node_modules`. tslab's converter copies `ts.sys`, so this must run before it is created.
 */
export function forwardTypes(folder: string): void {
  const slashes = (path: string): string => path.replaceAll("\\", "/");
  const modules = `${slashes(folder)}/node_modules`;
  const tslab = slashes(dirname(require.resolve("tslab/package.json")));
  const nodeTypes = slashes(dirname(dirname(require.resolve("@types/node/package.json"))));
  const forwards: [from: string, to: string][] = [
    [`${modules}/${packageJson.name}`, slashes(packageFolder)],
    [`${tslab}/node_modules/@types`, nodeTypes],
  ];
  const forward = (path: string): string => {
    for (const [from, to] of forwards) {
      if (path === from || path.startsWith(`${from}/`)) return to + path.slice(from.length);
    }
    return path;
  };
  const { fileExists, readFile, directoryExists, getDirectories, realpath } = ts.sys;
  ts.sys.fileExists = (path) => fileExists(forward(path));
  ts.sys.readFile = (path, encoding) => readFile(forward(path), encoding);
  ts.sys.directoryExists = (path) => path === modules || directoryExists(forward(path));
  ts.sys.getDirectories = (path) => getDirectories(forward(path));
  ts.sys.realpath = (path) => realpath!(forward(path));
}
