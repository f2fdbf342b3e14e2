import { SourceMap } from "node:module";
import type { SourceMaps } from "./typescript.js";

/** tslab wraps a cell's code in a function whose head stands on the first line. */
const HEAD = "(function(exports, require) { ";
const ASYNC_HEAD = "(async function(exports, require) { ";
/** tslab puts one line in front of a cell's source. */
const LINES_BEFORE_SOURCE = 1;
/** How many cells are remembered: more than anybody's stack trace reaches back. */
const KEPT = 1000;

/** What is known of a source that ran. */
export interface Source {
  readonly source: string;
  readonly maps: SourceMaps;
  /** Whether it ran as an async function. */
  readonly awaits: boolean;
  /** How many lines the JavaScript has; what stands behind them is tslab's. */
  readonly lines: number;
}

/** A place in a cell. Lines and columns count from 1. */
export interface Place {
  /** The cell, as stack traces name it. */
  readonly name: string;
  readonly line: number;
  readonly column: number;
  /** The cell's source. */
  readonly source: string;
}

/** Where in the cells' TypeScript a place in the running JavaScript is. */
export class SourceRegistry {
  readonly #sources = new Map<string, Source>();
  readonly #maps = new Map<string, { script: SourceMap; module: SourceMap }>();

  /** A name for the source of the cell with this number, unlike all before it. */
  newName(count: number): string {
    const name = `cell-${count}.ts`;
    if (!this.#sources.has(name)) return name;
    for (let i = 2; ; i++) {
      const numbered = `cell-${count}-${i}.ts`;
      if (!this.#sources.has(numbered)) return numbered;
    }
  }

  add(name: string, source: Source): void {
    this.#sources.set(name, source);
    if (this.#sources.size <= KEPT) return;
    const [oldest] = this.#sources.keys();
    this.#sources.delete(oldest!);
    this.#maps.delete(oldest!);
  }

  /** The place in the cell; undefined where the name is of no cell, or the code was added by the compiler. */
  locate(name: string, line: number, column: number): Place | undefined {
    const source = this.#sources.get(name);
    const maps = source && this.#mapsOf(name, source);
    if (!maps || line > source.lines) return undefined;
    const head = line === 1 ? (source.awaits ? ASYNC_HEAD : HEAD).length : 0;
    const inModule = entryAt(maps.script, line - 1, column - 1 - head);
    const inCell = inModule && entryAt(maps.module, inModule.line, inModule.column);
    if (!inCell || inCell.line < LINES_BEFORE_SOURCE) return undefined;
    return {
      name,
      line: inCell.line - LINES_BEFORE_SOURCE + 1,
      column: inCell.column + 1,
      source: source.source,
    };
  }

  #mapsOf(name: string, { maps }: Source): { script: SourceMap; module: SourceMap } | undefined {
    const known = this.#maps.get(name);
    if (known || !maps.script || !maps.module) return known;
    const made = {
      script: new SourceMap(JSON.parse(maps.script)),
      module: new SourceMap(JSON.parse(maps.module)),
    };
    this.#maps.set(name, made);
    return made;
  }
}

function entryAt(map: SourceMap, line: number, column: number): { line: number; column: number } | undefined {
  const entry = map.findEntry(line, Math.max(0, column));
  return "originalLine" in entry ? { line: entry.originalLine, column: entry.originalColumn } : undefined;
}
