import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** An input, and its result as text where there was one. */
export interface HistoryEntry {
  readonly session: number;
  /** The number in front of the cell. */
  readonly line: number;
  readonly input: string;
  output: string | null;
}

/** One line of a session's file: an input, or the output of an earlier one. */
type Stored =
  | { readonly line: number; readonly input: string }
  | { readonly line: number; readonly output: string };

/** How many sessions are kept. */
const KEPT_SESSIONS = 1000;
/** How much of an output is kept: what a reader looks up is not a table of a million rows. */
const KEPT_CHARS = 10_000;

/**
 * The inputs of all sessions: a folder with a file for each, one JSON line for each input and each output.
 *
 * Files that are only ever appended to need no locks between kernels, survive a kernel that is killed (of which the last
 * line may be lost), and are read by any tool. The number of a session is its file's name, taken by making the file.
 */
export class HistoryStore {
  #file: string | undefined;
  #session: number | undefined;
  #broken = false;

  /**
   * @param folder where the files are; undefined keeps nothing
   * @param warn is told once when the folder cannot be written
   */
  constructor(
    private readonly folder: string | undefined,
    private readonly warn: (sentence: string) => void,
  ) {}

  /** The number of this session, one more than that of the latest before it; 0 where nothing is kept. */
  get session(): number {
    this.#session ??= this.#open();
    return this.#session;
  }

  /** Keeps an input of this session. */
  addInput(line: number, input: string): void {
    this.#append({ line, input });
  }

  /** Keeps the output of an input of this session. */
  addOutput(line: number, output: string): void {
    const cut = output.length > KEPT_CHARS ? `${output.slice(0, KEPT_CHARS)}…` : output;
    this.#append({ line, output: cut });
  }

  /** The numbers of the sessions before this one, ascending. */
  earlier(): number[] {
    return this.#numbers().filter((number) => number < this.session);
  }

  /** The entries of an earlier session; none where there is no such session. */
  read(session: number): HistoryEntry[] {
    if (!this.folder) return [];
    let text: string;
    try {
      text = readFileSync(this.#fileOf(session), "utf8");
    } catch {
      return []; // Removed by another kernel meanwhile, or never there.
    }
    const entries: HistoryEntry[] = [];
    for (const stored of text.split("\n").map(parse)) {
      if (!stored) continue;
      if ("input" in stored) entries.push({ session, line: stored.line, input: stored.input, output: null });
      else {
        const entry = entries.findLast(({ line }) => line === stored.line);
        if (entry) entry.output = stored.output;
      }
    }
    return entries;
  }

  #open(): number {
    if (!this.folder) return 0;
    try {
      mkdirSync(this.folder, { recursive: true, mode: 0o700 });
      const numbers = this.#numbers();
      for (const old of numbers.slice(0, -KEPT_SESSIONS)) rmSync(this.#fileOf(old), { force: true });
      for (let number = (numbers.at(-1) ?? 0) + 1; ; number++) {
        if (this.#take(number)) return number;
      }
    } catch (error) {
      this.#giveUp(error);
      return (this.#numbers().at(-1) ?? 0) + 1;
    }
  }

  /** Makes the file of a session; false where another kernel has just done so. */
  #take(number: number): boolean {
    const file = this.#fileOf(number);
    try {
      writeFileSync(file, "", { flag: "wx", mode: 0o600 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw error;
    }
    this.#file = file;
    return true;
  }

  #append(stored: Stored): void {
    if (!this.folder || this.session === 0 || !this.#file || this.#broken) return;
    try {
      appendFileSync(this.#file, `${JSON.stringify(stored)}\n`);
    } catch (error) {
      this.#giveUp(error);
    }
  }

  #giveUp(error: unknown): void {
    this.#broken = true;
    this.warn(`The history of this session is not kept on disk: ${(error as Error).message}`);
  }

  #fileOf(session: number): string {
    return join(this.folder!, `${session}.jsonl`);
  }

  #numbers(): number[] {
    if (!this.folder) return [];
    let names: string[];
    try {
      names = readdirSync(this.folder);
    } catch {
      return []; // There is no folder yet, or it cannot be read; writing tells the reader.
    }
    const numbers = names.flatMap((name) => /^([1-9]\d*)\.jsonl$/.exec(name)?.[1] ?? []).map(Number);
    return numbers.sort((a, b) => a - b);
  }
}

/** A line of a file; undefined where it is broken off. */
function parse(line: string): Stored | undefined {
  let stored: Partial<Record<"line" | "input" | "output", unknown>> | null;
  try {
    stored = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof stored?.line !== "number") return undefined;
  return typeof stored.input === "string" || typeof stored.output === "string"
    ? (stored as Stored)
    : undefined;
}
