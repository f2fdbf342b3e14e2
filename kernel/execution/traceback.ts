import { inspect } from "node:util";
import type { Diagnostic } from "./compiler.js";
import type { Failure } from "./failure.js";
import type { Place, SourceRegistry } from "./sources.js";

/** The content of an `error` message. */
export interface ErrorContent {
  readonly ename: string;
  readonly evalue: string;
  readonly traceback: readonly string[];
}

const red = (text: string): string => `\x1b[31m${text}\x1b[39m`;
const cyan = (text: string): string => `\x1b[36m${text}\x1b[39m`;
const gray = (text: string): string => `\x1b[90m${text}\x1b[39m`;

/** Describes why a cell failed, with the lines of the cell that are to blame. */
export function describeFailure(failure: Failure, source: string, sources: SourceRegistry): ErrorContent {
  switch (failure.kind) {
    case "interrupted":
      return { ename: "KeyboardInterrupt", evalue: "", traceback: [red("KeyboardInterrupt")] };
    case "memory":
      return {
        ename: "OutOfMemory",
        evalue: failure.sentence,
        traceback: [red(`OutOfMemory: ${failure.sentence}`)],
      };
    case "types":
      return describeDiagnostics(failure.diagnostics, source);
    case "thrown":
      return describeThrown(failure.error, sources);
  }
}

function describeDiagnostics(diagnostics: readonly Diagnostic[], source: string): ErrorContent {
  const lines = diagnostics.map(({ file, line, column, code, message }) => {
    return `${file ? `${file}:` : ""}${line}:${column} - TS${code}: ${message}`;
  });
  const traceback = diagnostics.map((diagnostic, i) => {
    const frame = diagnostic.file
      ? ""
      : `\n${codeFrame(source, diagnostic.line, diagnostic.column, diagnostic.length)}`;
    return `${red(lines[i]!)}${frame}`;
  });
  return { ename: "TypeScriptError", evalue: lines.join("\n"), traceback };
}

/**
 * A few lines of source around a place, the place underlined.
 *
 * @param line counted from 1, as is `column`
 */
export function codeFrame(source: string, line: number, column: number, length = 1): string {
  const lines = source.split("\n");
  const first = Math.max(1, line - 1);
  const last = Math.min(lines.length, line + 1);
  const width = String(last).length;
  const shown: string[] = [];
  for (let at = first; at <= last; at++) {
    const mark = at === line ? red(">") : " ";
    shown.push(`${mark} ${gray(`${String(at).padStart(width)} |`)} ${lines[at - 1]}`);
    if (at === line) {
      // A magic stands for code that may be longer than its line.
      const gap =
        column <= lines[at - 1]!.length ? lines[at - 1]!.slice(0, column - 1).replace(/[^\t]/g, " ") : "";
      shown.push(`  ${gray(`${" ".repeat(width)} |`)} ${gap}${red("^".repeat(length))}`);
    }
  }
  return shown.join("\n");
}

function describeThrown(error: unknown, sources: SourceRegistry): ErrorContent {
  if (!isError(error)) {
    const text = inspect(error);
    return { ename: "Thrown", evalue: text, traceback: [red(`Thrown: ${text}`)] };
  }
  const ename = String(error.name || "Error");
  const evalue = String(error.message);
  return { ename, evalue, traceback: renderError(error, sources) };
}

function isError(value: unknown): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === "[object Error]";
}

/** The lines of a traceback: what was thrown, the cell's line, the calls, and then its causes. */
export function renderError(error: Error, sources: SourceRegistry, depth = 0): string[] {
  const { frames, place } = readStack(String(error.stack ?? ""), sources);
  const title = `${String(error.name || "Error")}${error.message ? `: ${error.message}` : ""}`;
  const lines = [red(depth ? `Caused by ${title}` : title)];
  if (place) lines.push(codeFrame(place.source, place.line, place.column));
  lines.push(...frames);
  const { errors } = error as AggregateError;
  const causes = [error.cause, ...(Array.isArray(errors) ? errors : [])];
  for (const cause of causes) {
    if (depth < 5 && isError(cause)) lines.push(...renderError(cause, sources, depth + 1));
    else if (cause !== undefined && !isError(cause)) lines.push(`Caused by ${inspect(cause)}`);
  }
  return lines;
}

/** Frames of the machinery around cells, which tell a user nothing. */
const MACHINERY =
  /\bnode:|\/tslab\/dist\/|\/tslens\/dist\/kernel\/|\/dist\/kernel\/|evalmachine\.<anonymous>/;
const FRAME = /^(\s*at (?:.*?\()?)((?:file:\/\/)?[^()]*?):(\d+):(\d+)(\)?)$/;

function readStack(stack: string, sources: SourceRegistry): { frames: string[]; place: Place | undefined } {
  const frames: string[] = [];
  let place: Place | undefined;
  for (const line of stack.split("\n")) {
    const frame = FRAME.exec(line);
    if (!frame) continue;
    const [, before, file, row, column, after] = frame as unknown as [
      string,
      string,
      string,
      string,
      string,
      string,
    ];
    const found = sources.locate(file, Number(row), Number(column));
    if (found) {
      place ??= found;
      frames.push(`${before}${cyan(`${found.name}:${found.line}:${found.column}`)}${after}`);
    } else if (!MACHINERY.test(line) && !/^cell-\d+(-\d+)?\.ts$/.test(file)) frames.push(gray(line));
  }
  return { frames, place };
}
