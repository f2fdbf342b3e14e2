import { createRequire } from "node:module";
import type { Converter, ConvertResult, Diagnostic as TslabDiagnostic } from "tslab/dist/converter.js";
import type { Declared } from "./live-variables.js";
import { SourceRegistry } from "./sources.js";
import { lastDeclared, lastSourceMaps } from "./typescript.js";

const require = createRequire(import.meta.url);

/** One finding of the compiler, in a cell or in a file that it imports. Lines and columns count from 1. */
export interface Diagnostic {
  readonly line: number;
  readonly column: number;
  /** How many characters are meant, on that line. */
  readonly length: number;
  readonly code: number;
  readonly message: string;
  /** The file, where it is not the cell itself. */
  readonly file: string | undefined;
}

/**
 * tslab's converter, with structured findings, source maps, and declarations that stay when a cell fails.
 *
 * tslab forgets what a cell declared when it throws or is interrupted; here later cells keep its variables.
 */
export class CellCompiler implements Converter {
  readonly sources: SourceRegistry = new SourceRegistry();
  /** The findings of the last conversion. */
  diagnostics: readonly Diagnostic[] = [];
  #name = "cell";
  #shown = "";
  #declarations = "";
  readonly #converter: Converter;

  /**
   * @param protect runs a section that an interrupt must not tear
   * @param declares is told what a cell declares, before the cell runs
   */
  constructor(
    private readonly protect: <T>(section: () => T) => T,
    private readonly declares: (declared: Declared) => void,
  ) {
    const { createConverter } =
      require("tslab/dist/converter.js") as typeof import("tslab/dist/converter.js");
    this.#converter = createConverter({ isJS: false, isBrowser: false });
  }

  /**
   * Names the next source, in stack traces.
   *
   * @param shown the source as the user wrote it, line by line the same
   */
  begin(count: number, shown: string): void {
    this.#name = this.sources.newName(count);
    this.#shown = shown;
    this.diagnostics = [];
  }

  /** Forgets all declarations. */
  reset(): void {
    this.#declarations = "";
  }

  convert(_previous: string, source: string): ConvertResult {
    const result = this.protect(() => this.#converter.convert(this.#declarations, source));
    this.diagnostics = result.diagnostics.map((diagnostic) => readDiagnostic(diagnostic));
    if (result.diagnostics.length) return result;
    this.#declarations = result.declOutput ?? "";
    if (!result.output) return result;
    this.declares(lastDeclared());
    const { output, hasToplevelAwait: awaits = false } = result;
    const lines = output.trimEnd().split("\n").length;
    this.sources.add(this.#name, { source: this.#shown, maps: lastSourceMaps(), awaits, lines });
    return { ...result, output: `${output}\n//# sourceURL=${this.#name}` };
  }

  inspect(_previous: string, source: string, position: number): ReturnType<Converter["inspect"]> {
    return this.protect(() => this.#converter.inspect(this.#declarations, source, position));
  }

  complete(_previous: string, source: string, position: number): ReturnType<Converter["complete"]> {
    return this.protect(() => this.#converter.complete(this.#declarations, source, position));
  }

  addModule(...args: Parameters<Converter["addModule"]>): TslabDiagnostic[] {
    const found = this.protect(() => this.#converter.addModule(...args));
    this.diagnostics = found.map((diagnostic) => readDiagnostic(diagnostic));
    return found;
  }

  close(): void {
    this.#converter.close();
  }
}

function readDiagnostic({ start, end, messageText, code, fileName }: TslabDiagnostic): Diagnostic {
  const length = end.line === start.line ? Math.max(1, end.character - start.character) : 1;
  return {
    line: start.line + 1,
    column: start.character + 1,
    length,
    code,
    message: messageText,
    file: fileName,
  };
}
