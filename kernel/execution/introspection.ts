/** Completion, inspection and the question whether a cell is complete: magics first, then TypeScript. */
import { createRequire } from "node:module";
import type { QuickInfo } from "typescript";
import type { MagicCompletion, Magics } from "../magics/registry.js";
import { blankMagics } from "../magics/source.js";
import type { Json } from "../protocol/message.js";
import { inspectedPlace } from "./called.js";
import type { Evaluator } from "./evaluator.js";
import { documentation } from "./quick-info.js";
import { stringAt } from "./string-at.js";
import { toCodePoints, toUtf16 } from "./text-position.js";
import { ts } from "./typescript.js";

const require = createRequire(import.meta.url);

/** The answers of the language service to a front end. Cursors count code points. */
export class Introspection {
  constructor(
    private readonly evaluator: Evaluator,
    private readonly magics: Magics,
    private readonly offeredStrings: (before: string) => readonly string[],
  ) {}

  /** The content of a `complete_reply`. */
  complete(code: string, cursor: number): Json {
    const at = toUtf16(code, cursor);
    const found = this.magics.complete(code, at, this.evaluator.variables) ??
      this.#completeTypeScript(code, at) ??
      this.#completeString(code, at) ?? { start: at, end: at, matches: [] };
    const [start, end] = [toCodePoints(code, found.start), toCodePoints(code, found.end)];
    return {
      status: "ok",
      matches: found.matches.map(({ text }) => text),
      cursor_start: start,
      cursor_end: end,
      metadata: { _jupyter_types_experimental: found.matches.map((match) => ({ ...match, start, end })) },
    };
  }

  #completeTypeScript(code: string, at: number): MagicCompletion | undefined {
    const { start, end, candidates, original } = this.evaluator.complete(blankMagics(code), at);
    const kinds = new Map(original?.entries.map(({ name, kind }) => [name, String(kind)]));
    // tslab adds an empty name where nothing is typed yet and nothing fits.
    const matches = candidates.filter(Boolean).map((text) => ({ text, type: kinds.get(text) ?? "" }));
    return matches.length ? { start, end, matches } : undefined;
  }

  /** What the kernel offers for the string under the cursor, where it offers something. */
  #completeString(code: string, at: number): MagicCompletion | undefined {
    const string = stringAt(code, at);
    if (!string) return undefined;
    const { start, text } = string;
    const fitting = this.offeredStrings(code.slice(0, start - 1)).filter((name) => name.startsWith(text));
    if (!fitting.length) return undefined;
    return { start, end: at, matches: fitting.map((name) => ({ text: name, type: "constant" })) };
  }

  /** The content of an `inspect_reply`. */
  inspect(code: string, cursor: number): Json {
    const at = toUtf16(code, cursor);
    const help = this.magics.inspect(code, at);
    if (help) return found({ "text/plain": help, "text/markdown": help });
    const source = blankMagics(code);
    const info = this.evaluator.inspect(source, inspectedPlace(source, at));
    if (!info) return { status: "ok", found: false, data: {}, metadata: {} };
    const { text, markdown } = documentation(info as unknown as QuickInfo);
    return found({ "text/plain": text, "text/markdown": markdown });
  }

  /** The content of an `is_complete_reply`. */
  isComplete(code: string): Json {
    if (/^%%/.test(code))
      return { status: /\n[ \t]*\n?$/.test(code) ? "complete" : "incomplete", indent: "" };
    const source = blankMagics(code);
    const { isCompleteCode } = require("tslab/dist/converter.js") as typeof import("tslab/dist/converter.js");
    const { completed, indent } = isCompleteCode(source);
    if (!completed) return { status: "incomplete", indent: indent ?? "" };
    const file = ts.createSourceFile("cell.ts", source, ts.ScriptTarget.Latest);
    const { parseDiagnostics } = file as unknown as { parseDiagnostics: readonly unknown[] };
    return { status: parseDiagnostics.length ? "invalid" : "complete" };
  }
}

function found(data: Json): Json {
  return { status: "ok", found: true, data, metadata: {} };
}
