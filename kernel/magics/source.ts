/** Where magics stand in a cell's source. */

/** A magic that is the whole cell. */
export interface CellCall {
  readonly name: string;
  readonly line: string;
  readonly body: string;
}

/** What takes the value of a magic: `const circuit = ` or `circuit = `. */
const TARGET = String.raw`(?:(?:const|let|var)[ \t]+)?[A-Za-z_$][\w$]*[ \t]*=[ \t]*`;

/** `%name`, `%name?`, `?%name` or `%name arguments` on a line of its own, from its first column or behind a target. */
const LINE = new RegExp(
  String.raw`^(${TARGET}(?=%))?(?:%([A-Za-z_][\w-]*)(\?)?|\?%{1,2}([A-Za-z_][\w-]*))(?:[ \t]+(.*))?[ \t]*$`,
);
const CURSOR = new RegExp(String.raw`^(${TARGET})?(%%?)([\w-]*)(?:[ \t]+(.*))?$`, "s");
const CELL = /^%%([A-Za-z_][\w-]*)(\?)?(?:[ \t]+([^\n]*))?(?:\n([\s\S]*))?$/;

/** The function that rewritten lines call. */
export const MAGIC_FUNCTION = "__tslensMagic__";

/** The cell magic that the source is, if it is one. */
export function cellMagic(code: string): CellCall | undefined {
  const match = CELL.exec(code);
  if (!match || match[2]) return undefined;
  return { name: match[1]!, line: match[3]?.trim() ?? "", body: match[4] ?? "" };
}

/** The name of the cell magic whose help is asked for: `%%name?`. */
export function cellHelp(code: string): string | undefined {
  const match = CELL.exec(code.trim());
  return match?.[2] ? match[1] : undefined;
}

/**
 * The source with its magic lines turned into calls on the same lines, so that line numbers stay.
 *
 * @param rewrite TypeScript for a line instead of a call; undefined for a call
 */
export function rewriteLines(
  code: string,
  rewrite: (name: string, line: string) => string | undefined,
): string {
  return mapMagicLines(code, (match) => {
    const [, target, name, question, helpName, line = ""] = match;
    const called = name ?? helpName!;
    if (question || helpName) return `${target ?? ""}${callText("help", called, "")}`;
    const rewritten = rewrite(called, line.trim());
    if (target === undefined) return rewritten ?? callText("run", called, line.trim());
    if (rewritten === undefined) return `${target}${callText("run", called, line.trim())}`;
    const sentence = `%${called} has no value to keep: write %${called} in front of the line, as %${called} ${target.trim()} ${line.trim()}`;
    return `throw new SyntaxError(${JSON.stringify(sentence)});`;
  });
}

function callText(action: "run" | "help", name: string, line: string): string {
  const words = [action, name, line].map((word) => JSON.stringify(word)).join(", ");
  return `await (globalThis as any).${MAGIC_FUNCTION}(${words});`;
}

/** The source with its magics replaced by spaces, so that offsets stay, for the language service. */
export function blankMagics(code: string): string {
  if (/^%%/.test(code)) return code.replace(/[^\n]/g, " ");
  return mapMagicLines(code, ([whole, target = ""]) => {
    const rest = whole.length - target.length;
    // What is declared stays declared.
    return target + (target ? "0" : "").padEnd(rest);
  });
}

/** Replaces the lines that are magics; a `%` line inside a template string or a comment is none. */
function mapMagicLines(code: string, replace: (match: RegExpExecArray) => string): string {
  const inside = multilineRanges(code);
  let offset = 0;
  const lines = code.split("\n").map((line) => {
    const start = offset;
    offset += line.length + 1;
    const match = inside.some(([from, to]) => from < start && start < to) ? null : LINE.exec(line);
    return match ? replace(match) : line;
  });
  return lines.join("\n");
}

/** Where block comments and template strings stand. */
function multilineRanges(code: string): [from: number, to: number][] {
  if (!code.includes("`") && !code.includes("/*")) return [];
  const pattern =
    /\/\*[\s\S]*?(?:\*\/|$)|`(?:[^`\\]|\\[\s\S])*(?:`|$)|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g;
  return [...code.matchAll(pattern)]
    .filter(([text]) => text.startsWith("/*") || text.startsWith("`"))
    .map(({ 0: text, index }) => [index, index + text.length]);
}

/** The magic that the cursor is in. */
export interface CursorInMagic {
  readonly sigil: "%" | "%%";
  readonly name: string;
  /** Where the name begins. */
  readonly nameStart: number;
  /** What stands between the name and the cursor; undefined where the cursor is in the name. */
  readonly line: string | undefined;
}

/** Finds the magic that the cursor is in. Offsets are in UTF-16 units. */
export function magicAt(code: string, at: number): CursorInMagic | undefined {
  const start = code.lastIndexOf("\n", at - 1) + 1;
  const match = CURSOR.exec(code.slice(start, at));
  if (!match) return undefined;
  const [whole, target = "", sigil, name, line] = match;
  if (sigil === "%%" && (start > 0 || target)) return undefined;
  return {
    sigil: sigil as "%" | "%%",
    name: name!,
    nameStart: start + target.length + sigil!.length,
    line: line ?? (/\s$/.test(whole) ? "" : undefined),
  };
}
