// Keeps what V8 makes of TypeScript, so that kernels start sooner: with the functions that the first cell needs.
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { repository } from "./environment.mjs";

rmSync(join(repository, "dist", "typescript-code.cache"), { force: true });
const built = join(repository, "dist", "kernel", "execution", "typescript-package.js");
const { runTypescript, typescriptCodeCache, typescriptScript } = await import(pathToFileURL(built).href);
const script = typescriptScript();
const ts = runTypescript(script);
const options = {
  lib: ["lib.es2023.d.ts"],
  types: ["node"],
  declaration: true,
  target: ts.ScriptTarget.ES2024,
};
const host = ts.createCompilerHost(options);
const { getSourceFile } = host;
host.getSourceFile = (name, ...rest) =>
  name === "cell.ts"
    ? ts.createSourceFile(name, "export const value: number = 6 * 7; value", ts.ScriptTarget.ES2024)
    : getSourceFile(name, ...rest);
const program = ts.createProgram(["cell.ts"], options, host);
program.getSemanticDiagnostics(program.getSourceFile("cell.ts"));
program.emit(undefined, () => {});
const unfinished = `${typescriptCodeCache}.new`;
writeFileSync(unfinished, script.createCachedData());
renameSync(unfinished, typescriptCodeCache);
