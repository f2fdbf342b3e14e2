import Module, { createRequire } from "node:module";
import type { Executor } from "tslab/dist/executor.js";
import { packageFolder } from "../package.js";
import { type Cell, currentWork } from "./cell.js";
import { CellCompiler } from "./compiler.js";
import { forwardTypes, hostModules, loadHostModule } from "./host-package.js";
import { LiveExports } from "./live-exports.js";
import { installTypeScript } from "./typescript.js";

const require = createRequire(import.meta.url);

/** What stands on `globalThis.__tslab__` for the code of cells. */
interface TslabScope {
  exports: Record<string, unknown>;
  require: NodeJS.Require;
}

/** Compiles and runs the code of cells: tslab's converter and executor, with the kernel around them. */
export class Evaluator {
  readonly compiler: CellCompiler;
  readonly #executor: Executor;
  readonly #variables: LiveExports;
  #resets = false;

  /**
   * @param folder the notebook's folder, from which imports are resolved
   * @param protect runs a section that an interrupt must not tear
   */
  constructor(folder: string, protect: <T>(section: () => T) => T) {
    installTypeScript({ typeRoots: [`${packageFolder}/kernel/cell-types`], types: ["node", "tslens-cell"] });
    forwardTypes(folder);
    this.compiler = new CellCompiler(protect, (declared) => this.#variables.release(declared));
    const { createExecutor } = require("tslab/dist/executor.js") as typeof import("tslab/dist/executor.js");
    const converters = { node: this.compiler, browser: this.compiler, close: () => this.compiler.close() };
    this.#executor = createExecutor(folder, converters, {
      log: (value) => this.#onResult(value),
      error: (first) => this.#onError(first),
    });
    this.#variables = new LiveExports(this.#executor.locals);
    tslabScope().exports = this.#variables.exports;
    giveHostModules();
  }

  /** The variables of the session. */
  get variables(): Readonly<Record<string, unknown>> {
    return this.#variables.exports;
  }

  /**
   * Runs code as the cell, or as a part of it; its value and its failure are noted on the cell.
   *
   * @param shown the code as the user wrote it. Default: the code
   */
  async run(cell: Cell, code: string, shown: string = code): Promise<void> {
    cell.result = undefined;
    cell.failure = undefined;
    this.#resets = false;
    if (!code.trim()) return;
    this.compiler.begin(cell.count, shown);
    const ok = await this.#executor.execute(code);
    if (!ok && !cell.failure) {
      cell.failure = { kind: "types", diagnostics: this.compiler.diagnostics };
    } else if (ok && this.compiler.diagnostics.length && isModule(code)) {
      cell.failure = { kind: "types", diagnostics: this.compiler.diagnostics };
    }
    if (!cell.failure) await settleValue(cell);
    if (!this.#resets) return;
    this.#executor.reset();
    this.#variables.clear();
    this.compiler.reset();
  }

  /** Forgets all variables, with those that the code under way declares, at its end. */
  reset(): void {
    this.#resets = true;
  }

  /** Ends the waiting for the code that runs; the code itself goes on where nothing else stops it. */
  abandon(): void {
    this.#executor.interrupt();
  }

  complete(code: string, position: number): ReturnType<Executor["complete"]> {
    return this.#executor.complete(code, position);
  }

  inspect(code: string, position: number): ReturnType<Executor["inspect"]> | undefined {
    return this.#executor.inspect(code, position);
  }

  close(): void {
    this.#executor.close();
  }

  /** tslab logs the value of the last expression. */
  #onResult(value: unknown): void {
    const cell = currentWork()?.cell;
    if (cell) cell.result = { value };
  }

  /** tslab logs what was thrown; of type errors it logs a format, and the compiler has kept them. */
  #onError(first: unknown): void {
    const cell = currentWork()?.cell;
    if (cell && this.compiler.diagnostics.length === 0) cell.failure ??= { kind: "thrown", error: first };
  }
}

/** Whether tslab registers the code as a module of the folder instead of running it. */
function isModule(code: string): boolean {
  return /^\s*\/\*\*[\s\S]*?@module\s+\S+[\s\S]*?\*\//.test(code);
}

/** A promise as last value is awaited. */
async function settleValue(cell: Cell): Promise<void> {
  const value = cell.result?.value;
  if (!isThenable(value)) return;
  try {
    cell.result = { value: await value };
  } catch (error) {
    cell.failure = { kind: "thrown", error };
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function"
  );
}

function tslabScope(): TslabScope {
  return (globalThis as unknown as { __tslab__: TslabScope }).__tslab__;
}

/** Imports of the package, in cells and in what they import, get the kernel's own instances. */
function giveHostModules(): void {
  const files = hostModules();
  const views = new Map<string, unknown>();
  const scope = tslabScope();
  scope.require = new Proxy(scope.require, {
    apply(target, self, args: [string]) {
      const file = files.get(args[0]);
      if (!file) return Reflect.apply(target, self, args);
      if (!views.has(file)) views.set(file, loadHostModule(file));
      return views.get(file);
    },
  });
  const resolver = Module as unknown as { _resolveFilename(request: string, ...rest: unknown[]): string };
  const resolve = resolver._resolveFilename.bind(Module);
  resolver._resolveFilename = (request, ...rest) => files.get(request) ?? resolve(request, ...rest);
}
