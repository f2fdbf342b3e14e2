/**
 * Puts TypeScript 5.9 in the place of the fork of 5.0 that tslab was written for.
 *
 * tslab's converter uses five functions that only the fork exports; here they are written on what the ordinary
 * package exports. It must be in place before tslab is loaded.
 */
import { createRequire } from "node:module";
import type typescript from "typescript";
import { checkedAwaits } from "./awaits.js";
import { declareHoisted } from "./hoisted.js";
import { type Declared, liveVariables } from "./live-variables.js";
import { earlierShorthands } from "./shorthand.js";
import { ts } from "./typescript-package.js";

export { ts };

const require = createRequire(import.meta.url);

/** The parts of TypeScript that are exported at run time but not declared. */
interface Internals {
  nullTransformationContext: unknown;
  getTouchingPropertyName(file: typescript.SourceFile, position: number): typescript.Node;
  createTextSpanFromNode(node: typescript.Node, file: typescript.SourceFile): typescript.TextSpan;
  getContainerNode(node: typescript.Node): typescript.Node | undefined;
  typeToDisplayParts(checker: unknown, type: unknown, container: unknown): typescript.SymbolDisplayPart[];
  SymbolDisplay: {
    getSymbolModifiers(checker: typescript.TypeChecker, symbol: typescript.Symbol): string;
    getSymbolDisplayPartsDocumentationAndSymbolKind(
      checker: typescript.TypeChecker,
      symbol: typescript.Symbol,
      file: typescript.SourceFile,
      container: typescript.Node | undefined,
      node: typescript.Node,
    ): {
      symbolKind: typescript.ScriptElementKind;
      displayParts: typescript.SymbolDisplayPart[];
      documentation: typescript.SymbolDisplayPart[];
      tags: typescript.JSDocTagInfo[];
    };
  };
  Completions: { getCompletionsAtPosition(...args: unknown[]): typescript.CompletionInfo | undefined };
}
const internals = ts as unknown as Internals;

/** The file that tslab compiles a cell as. */
const CELL = /(?:^|[\\/])__tslab__\.ts$/;

/** The code of the diagnostic by which tslab's converter finds `await` at the top level. */
const TOP_LEVEL_AWAIT = 1308;

/** One step of the way from a cell's TypeScript to the JavaScript that runs. */
export interface SourceMaps {
  /** From the emitted ES module to the cell. */
  readonly module: string | undefined;
  /** From the JavaScript that runs to the emitted ES module. */
  readonly script: string | undefined;
}

let declared: Declared = { names: [], functions: [] };

/** What was declared at the top level of what was converted last. */
export function lastDeclared(): Declared {
  return declared;
}

let lastMaps: SourceMaps = { module: undefined, script: undefined };

/** The source maps of what was converted last. */
export function lastSourceMaps(): SourceMaps {
  return lastMaps;
}

/** The library types of the Node that runs: what they promise exists. */
export function libraries(nodeMajor: number): string[] {
  if (nodeMajor >= 24) return ["lib.esnext.d.ts"];
  if (nodeMajor >= 22) {
    return [
      "lib.es2024.d.ts",
      "lib.esnext.collection.d.ts",
      "lib.esnext.iterator.d.ts",
      "lib.esnext.array.d.ts",
    ];
  }
  return ["lib.es2023.d.ts"];
}

function getDefaultTypeRoots(folder: string, host: { directoryExists?(path: string): boolean }): string[] {
  const roots: string[] = [];
  for (let at = folder.replace(/\/$/, ""); ; at = at.slice(0, at.lastIndexOf("/"))) {
    const root = `${at}/node_modules/@types`;
    if (host.directoryExists?.(root) ?? true) roots.push(root);
    if (!at.includes("/")) return roots;
  }
}

/** Every `await` and `for await` outside functions. */
function topLevelAwaits(file: typescript.SourceFile): typescript.Diagnostic[] {
  const found: typescript.Diagnostic[] = [];
  const add = (start: number): void => {
    const category = ts.DiagnosticCategory.Error;
    found.push({
      file,
      start,
      length: "await".length,
      code: TOP_LEVEL_AWAIT,
      category,
      messageText: "await",
    });
  };
  const visit = (node: typescript.Node): void => {
    if (ts.isFunctionLike(node) || ts.isClassStaticBlockDeclaration(node)) return;
    if (ts.isAwaitExpression(node)) add(node.getStart(file));
    if (ts.isForOfStatement(node) && node.awaitModifier) add(node.awaitModifier.getStart(file));
    // `await using` declares without an await expression.
    if (
      ts.isVariableDeclarationList(node) &&
      (node.flags & ts.NodeFlags.AwaitUsing) === ts.NodeFlags.AwaitUsing
    ) {
      add(node.getStart(file));
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** A cell that asks not to be checked: TypeScript itself sees tslab's `export {}` in front, and no such comment. */
const UNCHECKED = /^(?:export \{\};?\s*)?\/\/ @ts-nocheck\b/;

/**
 * Findings about the declarations that are written for later cells: that a type cannot be named from outside its
 * package. That hinders nobody; the cell itself is right.
 */
const UNNAMEABLE = new Set([2742, 2883, 4023, 4058, 4060, 4082, 4094, 7056]);

/**
 * Makes a program write what later cells need.
 *
 * Declarations in any case: otherwise it writes none at all where it finds a type that cannot be named, and later cells
 * would know nothing of what the cell declares. The `var` in its blocks. `{ name }` of earlier cells' variables, which
 * tslab leaves out. And awaits at which an interrupted cell ends.
 */
function adaptEmit(program: typescript.Program & { adapted?: true }): void {
  if (program.adapted) return;
  program.adapted = true;
  const emit = program.emit as (...args: unknown[]) => typescript.EmitResult;
  program.emit = (file, write, cancellation, only, transformers, ...rest: unknown[]) => {
    const before = [
      earlierShorthands(program.getTypeChecker()),
      checkedAwaits,
      ...(transformers?.before ?? []),
    ];
    const afterDeclarations = [...(transformers?.afterDeclarations ?? [])];
    if (file && CELL.test(file.fileName)) afterDeclarations.unshift(declareHoisted(program, file));
    const added = { ...transformers, before, afterDeclarations };
    return emit(file, write, cancellation, only, added, true, ...rest.slice(1));
  };
}

function getPreEmitDiagnosticsOfFiles(
  program: typescript.Program,
  files: readonly typescript.SourceFile[],
): readonly typescript.Diagnostic[] {
  adaptEmit(program);
  const found = [...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics()];
  for (const file of files) {
    found.push(...program.getSyntacticDiagnostics(file));
    if (!UNCHECKED.test(file.text)) found.push(...program.getSemanticDiagnostics(file));
    if (program.getCompilerOptions().declaration)
      found.push(...program.getDeclarationDiagnostics(file).filter(({ code }) => !UNNAMEABLE.has(code)));
    if (!file.isDeclarationFile) found.push(...topLevelAwaits(file));
  }
  return ts.sortAndDeduplicateDiagnostics(found);
}

function getQuickInfoAtPosition(
  file: typescript.SourceFile,
  checker: typescript.TypeChecker,
  _cancellation: unknown,
  position: number,
): typescript.QuickInfo | undefined {
  const node = internals.getTouchingPropertyName(file, position);
  if (node === file) return undefined;
  const textSpan = internals.createTextSpanFromNode(node, file);
  const container = internals.getContainerNode(node);
  const symbol = checker.getSymbolAtLocation(node);
  if (!symbol || checker.isUnknownSymbol(symbol)) {
    const type = checker.getTypeAtLocation(node);
    return {
      kind: ts.ScriptElementKind.unknown,
      kindModifiers: "",
      textSpan,
      displayParts: internals.typeToDisplayParts(checker, type, container),
      documentation: type.symbol?.getDocumentationComment(checker),
      tags: type.symbol?.getJsDocTags(checker),
    };
  }
  const { symbolKind, ...rest } = internals.SymbolDisplay.getSymbolDisplayPartsDocumentationAndSymbolKind(
    checker,
    symbol,
    file,
    container,
    node,
  );
  return {
    kind: symbolKind,
    kindModifiers: internals.SymbolDisplay.getSymbolModifiers(checker, symbol),
    textSpan,
    ...rest,
  };
}

const INLINE_MAP = /\n\/\/# sourceMappingURL=data:application\/json;base64,([A-Za-z0-9+/=]+)\s*$/;

/** tslab calls this to turn the emitted ES module into the script that it runs. */
function transpileModule(input: string, options: typescript.TranspileOptions): typescript.TranspileOutput {
  const inline = INLINE_MAP.exec(input);
  const output = ts.transpileModule(inline ? input.slice(0, inline.index) : input, {
    ...options,
    compilerOptions: { ...options.compilerOptions, target: ts.ScriptTarget.ES2024, sourceMap: true },
    transformers: {
      before: [
        liveVariables((found) => {
          declared = found;
        }),
      ],
    },
  });
  lastMaps = {
    module: inline ? Buffer.from(inline[1]!, "base64").toString("utf8") : undefined,
    script: output.sourceMapText,
  };
  return { ...output, outputText: output.outputText.replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n") };
}

/** What to compile cells with, beside what tslab fixes. */
export interface CompilerSetup {
  /** A folder of type packages, besides those that tslab finds. */
  readonly typeRoots: readonly string[];
  /** The type packages that every cell sees without an import. */
  readonly types: readonly string[];
}

/**
 * Makes tslab load this TypeScript.
 *
 * @throws Error when tslab has loaded its own already
 */
export function installTypeScript({ typeRoots, types }: CompilerSetup): void {
  const tslab = require.resolve("tslab/dist/converter.js");
  const name = createRequire(tslab).resolve("@tslab/typescript-for-tslab");
  if (require.cache[name]) throw new Error("tslab was loaded before the TypeScript that it shall use");
  const lib = libraries(Number(process.versions.node.split(".")[0]));
  const options = {
    target: ts.ScriptTarget.ES2024,
    lib,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    inlineSourceMap: true,
    noImplicitUseStrict: undefined,
  };
  const shim: Record<string, unknown> = {
    ...ts,
    getDefaultTypeRoots,
    getPreEmitDiagnosticsOfFiles,
    getNullTransformationContext: () => internals.nullTransformationContext,
    getQuickInfoAtPosition,
    transpileModule,
    Completions: {
      ...internals.Completions,
      getCompletionsAtPositionForTslab: (...args: unknown[]) =>
        internals.Completions.getCompletionsAtPosition(...args, undefined),
    },
    createWatchCompilerHost: (files: string[], given: typescript.CompilerOptions, ...rest: unknown[]) =>
      (ts.createWatchCompilerHost as (...args: unknown[]) => unknown)(
        files,
        { ...given, ...options, typeRoots: [...(given.typeRoots ?? []), ...typeRoots], types: [...types] },
        ...rest,
      ),
  };
  const Module = require("node:module") as new (id: string) => NodeModule;
  require.cache[name] = Object.assign(new Module(name), { filename: name, loaded: true, exports: shim });
}
