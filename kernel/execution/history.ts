import { join } from "node:path";
import { dataFolder } from "../install/folders.js";
import type { Json } from "../protocol/message.js";
import { type HistoryEntry, HistoryStore } from "./history-store.js";

/** `[session, line, input]`, or `[session, line, [input, output]]`. */
type Row = [session: number, line: number, input: string | [input: string, output: string | null]];

/** Where the history of all sessions is kept: `TSLENS_HISTORY`, or in Jupyter's data folder; undefined for `off`. */
export function historyFolder(): string | undefined {
  const given = process.env.TSLENS_HISTORY;
  if (given === "off") return undefined;
  return given || join(dataFolder({ kind: "user" }), "tslens", "history");
}

/** What has been run, in this session and those before. */
export class History {
  readonly #entries: HistoryEntry[] = [];
  readonly #store: HistoryStore;

  /**
   * @param folder where it is kept; undefined remembers this session only
   * @param warn is told once when the folder cannot be written
   */
  constructor(folder: string | undefined, warn: (sentence: string) => void) {
    this.#store = new HistoryStore(folder, warn);
  }

  add(line: number, input: string): void {
    this.#entries.push({ session: this.#store.session, line, input, output: null });
    this.#store.addInput(line, input);
  }

  /** Notes the result of the latest input. */
  setOutput(line: number, output: string): void {
    const entry = this.#entries.at(-1);
    if (entry?.line !== line) return;
    entry.output = output;
    this.#store.addOutput(line, output);
  }

  /** The `history` of a `history_reply`, oldest first. */
  answer(request: Json): Row[] {
    return this.#select(request).map(({ session, line, input, output }) => [
      session,
      line,
      request.output === true ? [input, output] : input,
    ]);
  }

  #select({ hist_access_type, n, pattern, unique, session, start, stop }: Json): HistoryEntry[] {
    const count = typeof n === "number" && n > 0 ? n : Number.POSITIVE_INFINITY;
    switch (hist_access_type) {
      case "range": {
        const from = typeof start === "number" ? start : 0;
        const to = typeof stop === "number" ? stop : Number.POSITIVE_INFINITY;
        const entries = this.#session(typeof session === "number" ? session : 0);
        return entries.filter(({ line }) => line >= from && line < to);
      }
      case "search": {
        const glob = globPattern(typeof pattern === "string" ? pattern : "*");
        return this.#latest(count, unique === true, ({ input }) => glob.test(input));
      }
      default:
        return this.#latest(count, false, () => true);
    }
  }

  /** The entries of a session by its number; 0 is this one, -1 the one before. */
  #session(number: number): HistoryEntry[] {
    if (number === 0 || number === this.#store.session) return this.#entries;
    const wanted = number > 0 ? number : this.#store.earlier().at(number);
    return wanted === undefined ? [] : this.#store.read(wanted);
  }

  /** The latest entries that fit, from as many sessions as that takes; of equal inputs the latest where asked. */
  #latest(count: number, unique: boolean, fits: (entry: HistoryEntry) => boolean): HistoryEntry[] {
    const found: HistoryEntry[] = [];
    const seen = new Set<string>();
    const collect = (entries: readonly HistoryEntry[]): void => {
      for (const entry of entries.toReversed()) {
        if (found.length >= count) return;
        if (!fits(entry) || (unique && seen.has(entry.input))) continue;
        seen.add(entry.input);
        found.push(entry);
      }
    };
    collect(this.#entries);
    for (const session of this.#store.earlier().toReversed()) {
      if (found.length >= count) break;
      collect(this.#store.read(session));
    }
    return found.reverse();
  }
}

/** A glob with `*` and `?` as a pattern for a whole text. */
function globPattern(glob: string): RegExp {
  const literal = glob.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${literal.replaceAll("*", "[\\s\\S]*").replaceAll("?", "[\\s\\S]")}$`);
}
