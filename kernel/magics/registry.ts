import { nearest } from "../../src/graph/rewrites.js";
import { DISPLAY } from "../display/mime.js";
import { codeOf, optionsOf } from "./code.js";
import { helpText } from "./help.js";
import type { CompletionRequest, Magic, MagicContext } from "./magic.js";
import { flagName, parseLine, UsageError } from "./options.js";
import { ModelSession } from "./session.js";
import { cellHelp, cellMagic, magicAt, rewriteLines } from "./source.js";

/** What the kernel lends to a magic that runs. */
export type MagicServices = Pick<
  MagicContext,
  "signal" | "variables" | "display" | "execute" | "capture" | "replaceCell" | "reset"
>;

/** What a completion of a magic offers. Offsets are in UTF-16 units. */
export interface MagicCompletion {
  readonly start: number;
  readonly end: number;
  readonly matches: { readonly text: string; readonly type: string }[];
}

/** A cell, read: TypeScript to run, or one magic that is the whole cell. */
export type ReadCell =
  | { readonly kind: "code"; readonly code: string }
  | { readonly kind: "magic"; readonly name: string; readonly line: string; readonly body: string }
  | { readonly kind: "help"; readonly name: string };

/** The magics of a kernel. */
export class Magics {
  /** What magics remember between calls. */
  readonly session: ModelSession = new ModelSession();
  readonly #magics = new Map<string, Magic>();

  /** @throws Error when the name is taken */
  register(...magics: readonly Magic[]): void {
    for (const magic of magics) {
      if (this.#magics.has(magic.name)) throw new Error(`There is a magic %${magic.name} already.`);
      this.#magics.set(magic.name, magic);
    }
  }

  /** All magics, by name. */
  get all(): readonly Magic[] {
    return [...this.#magics.values()].sort((a, b) => a.name.localeCompare(b.name));
  }

  /**
   * The magic of a name.
   *
   * @throws ReferenceError with the nearest names; or when it is used in the other way, as line or as cell
   */
  find(name: string, use?: "line" | "cell"): Magic {
    const magic = this.#magics.get(name);
    const sigil = use === "cell" ? "%%" : "%";
    if (!magic) {
      const near = nearest(name, this.#magics.keys());
      throw new ReferenceError(
        `There is no magic ${sigil}${name}. The nearest are ${near.map((other) => `%${other}`).join(", ")}; %lsmagic lists all.`,
      );
    }
    if (use === "line" && magic.kind === "cell") {
      throw new ReferenceError(
        `%%${name} stands in front of a whole cell, with two percent signs on its first line.`,
      );
    }
    if (use === "cell" && magic.kind === "line") {
      throw new ReferenceError(`%${name} stands on a line, with one percent sign.`);
    }
    return magic;
  }

  /** Reads a cell: its line magics become TypeScript on the same lines. */
  read(code: string): ReadCell {
    const help = cellHelp(code);
    if (help) return { kind: "help", name: help };
    const call = cellMagic(code);
    if (call) return { kind: "magic", ...call };
    return {
      kind: "code",
      code: rewriteLines(code, (name, line) => this.#magics.get(name)?.rewrite?.(line)),
    };
  }

  /** Runs a magic; returns its value. */
  async run(
    use: "line" | "cell",
    name: string,
    line: string,
    body: string,
    services: MagicServices,
  ): Promise<unknown> {
    const magic = this.find(name, use);
    const parsed =
      magic.parsed === false ? { options: {}, words: [] } : parseLine(name, optionsOf(magic), line);
    if ((parsed.options as { showCode?: boolean }).showCode)
      return shownCode(codeOf(magic, { ...parsed, body }));
    if (magic.parsed !== false && !magic.usage && parsed.words.length)
      throw new UsageError(`%${name} stands alone: "${parsed.words.join(" ")}" means nothing to it.`);
    const { session, all } = this;
    return magic.run({ ...services, ...parsed, line, body, session, magics: all });
  }

  /** The help of a magic, as a value that shows itself. */
  help(name: string): object {
    const text = helpText(this.find(name));
    return { [DISPLAY]: () => ({ "text/plain": text, "text/markdown": text }) };
  }

  /** Completes the magic under the cursor: its name, an option, a choice, or what the magic offers. */
  complete(code: string, at: number, variables: MagicContext["variables"] = {}): MagicCompletion | undefined {
    const cursor = magicAt(code, at);
    if (!cursor) return undefined;
    const { sigil, name, nameStart, line } = cursor;
    if (line === undefined) {
      const fitting = this.all.filter(
        ({ kind }) => kind === "both" || kind === (sigil === "%%" ? "cell" : "line"),
      );
      const names = fitting.map((magic) => magic.name).filter((other) => other.startsWith(name));
      return { start: nameStart, end: at, matches: names.map((text) => ({ text, type: "magic" })) };
    }
    const magic = this.#magics.get(name);
    if (!magic) return undefined;
    const [word] = /\S*$/.exec(line)!;
    const offered = offers(magic, { line, word, session: this.session, variables }).filter((text) =>
      text.startsWith(word),
    );
    return { start: at - word.length, end: at, matches: offered.map((text) => ({ text, type: "argument" })) };
  }

  /** The help for the magic under the cursor. */
  inspect(code: string, at: number): string | undefined {
    const tail = /^[\w-]*/.exec(code.slice(at))![0];
    const cursor = magicAt(code, at) ?? magicAt(code, at + 1);
    if (!cursor) return undefined;
    const name = cursor.line === undefined ? magicAt(code, at + tail.length)?.name : cursor.name;
    const magic = this.#magics.get(name ?? "");
    return magic && helpText(magic);
  }
}

/** TypeScript as a value that shows itself. */
function shownCode(code: string): object {
  return { [DISPLAY]: () => ({ "text/plain": code, "text/markdown": `\`\`\`ts\n${code}\n\`\`\`` }) };
}

function offers(magic: Magic, request: Omit<CompletionRequest, "option">): readonly string[] {
  const { line, word } = request;
  const specs = Object.entries(optionsOf(magic));
  const before = line.slice(0, line.length - word.length).trimEnd();
  const [last] = /\S*$/.exec(before)!;
  const open = specs.find(
    ([name, spec]) =>
      spec.type !== "boolean" &&
      (last === `--${flagName(name)}` || (spec.short && last === `-${spec.short}`)),
  );
  if (open?.[1].choices) return open[1].choices;
  if (word.startsWith("-")) return specs.map(([name]) => `--${flagName(name)}`);
  return magic.complete?.({ ...request, option: open?.[0] }) ?? [];
}
