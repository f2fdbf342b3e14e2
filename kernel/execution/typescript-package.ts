import { readFileSync } from "node:fs";
import Module, { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Script } from "node:vm";
import type typescript from "typescript";
import { packageFolder } from "../package.js";

const require = createRequire(import.meta.url);
const file = require.resolve("typescript");

/** What V8 has made of TypeScript's nine megabytes when the package was built; another Node makes it anew. */
export const typescriptCodeCache: string = join(packageFolder, "dist", "typescript-code.cache");

/** TypeScript as a script: the wrapper that Node puts around a CommonJS module, with the code that V8 has kept. */
export function typescriptScript(cachedData?: Buffer): Script {
  const source = (Module as unknown as { wrap(text: string): string }).wrap(readFileSync(file, "utf8"));
  return new Script(source, { filename: file, ...(cachedData && { cachedData }) });
}

/** Runs the script as the module that `require("typescript")` gives from then on. */
export function runTypescript(script: Script): typeof typescript {
  const module = Object.assign(new Module(file), { filename: file, paths: [dirname(file)] });
  const run = script.runInThisContext() as (...args: unknown[]) => void;
  run.call(module.exports, module.exports, createRequire(file), module, file, dirname(file));
  module.loaded = true;
  require.cache[file] = module as NodeJS.Module;
  return module.exports as typeof typescript;
}

function loadTypescript(): typeof typescript {
  if (require.cache[file]) return require("typescript");
  let cachedData: Buffer;
  try {
    cachedData = readFileSync(typescriptCodeCache);
  } catch {
    return require("typescript"); // It is not built, as in tests of the sources.
  }
  const script = typescriptScript(cachedData);
  return script.cachedDataRejected ? require("typescript") : runTypescript(script);
}

/** The compiler that cells are compiled with. */
export const ts: typeof typescript = loadTypescript();
