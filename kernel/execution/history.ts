import type { Json } from "../protocol/message.js";

/** An input, and its result as text where there was one. */
interface Entry {
  readonly line: number;
  readonly input: string;
  output: string | null;
}

/** `[session, line, input]`, or `[session, line, [input, output]]`. */
type Row = [session: number, line: number, input: string | [input: string, output: string | null]];

const SESSION = 0;

/** What has been run in this session. */
export class History {
  readonly #entries: Entry[] = [];

  add(line: number, input: string): void {
    this.#entries.push({ line, input, output: null });
  }

  /** Notes the result of the latest input. */
  setOutput(line: number, output: string): void {
    const entry = this.#entries.at(-1);
    if (entry?.line === line) entry.output = output;
  }

  /** The `history` of a `history_reply`. */
  answer(request: Json): Row[] {
    const entries = this.#select(request);
    return entries.map(({ line, input, output }) => [
      SESSION,
      line,
      request.output === true ? [input, output] : input,
    ]);
  }

  #select({ hist_access_type, n, pattern, unique, session, start, stop }: Json): Entry[] {
    const last = (entries: Entry[]): Entry[] =>
      typeof n === "number" && n > 0 ? entries.slice(-n) : entries;
    switch (hist_access_type) {
      case "range": {
        if (typeof session === "number" && session > 0) return [];
        const from = typeof start === "number" ? start : 0;
        const to = typeof stop === "number" ? stop : Number.POSITIVE_INFINITY;
        return this.#entries.filter(({ line }) => line >= from && line < to);
      }
      case "search": {
        const glob = globPattern(typeof pattern === "string" ? pattern : "*");
        const found = this.#entries.filter(({ input }) => glob.test(input));
        return last(
          unique === true ? [...new Map(found.map((entry) => [entry.input, entry])).values()] : found,
        );
      }
      default:
        return last(this.#entries);
    }
  }
}

/** A glob with `*` and `?` as a pattern for a whole text. */
function globPattern(glob: string): RegExp {
  const literal = glob.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${literal.replaceAll("*", "[\\s\\S]*").replaceAll("?", "[\\s\\S]")}$`);
}
