import type { Random } from "../../../array/index.js";
import { qualities, things } from "../lexicon/things.js";
import { isHeldOut } from "../split.js";

const functionNames = "open close move find fold mix sort paint mend count".split(" ");

/** A function as its documentation shows it. */
export interface Docstring {
  readonly functionName: string;
  readonly args: readonly string[];
  /** What is said of each argument. */
  readonly notes: readonly string[];
}

/** Whether arguments never follow each other in this way in the training text. */
function isHeldOutArguments(args: readonly string[]): boolean {
  return isHeldOut("docstring", args.slice(0, 2), 8);
}

/** A function of two to five arguments (Heimersheim and Janiak 2023, "A circuit for Python docstrings"). */
export function drawDocstring(random: Random, heldOut: boolean): Docstring {
  for (;;) {
    const args = random.sample(things, 2 + random.integer(4));
    if (isHeldOutArguments(args) !== heldOut) continue;
    const rest = things.filter((thing) => !args.includes(thing));
    const notes = args.map(() => `${random.choice(qualities)} ${random.choice(rest)}`);
    return { functionName: random.choice(functionNames), args, notes };
  }
}

/** The head of the function and the documentation of its first arguments, one a line. */
export function docstringText({ functionName, args, notes }: Docstring, documented: number): string {
  const head = `def ${functionName}(self, ${args.join(", ")}):`;
  return [head, ...args.slice(0, documented).map((arg, i) => `:param ${arg}: ${notes[i]}`)].join("\n");
}

/** A function with all its arguments documented in their order. */
export function docstringsPassage(random: Random): string {
  const docstring = drawDocstring(random, false);
  return docstringText(docstring, docstring.args.length);
}

/** Whether a line is one of a docstring. */
export function isDocstringLine(line: string): boolean {
  return docstringLine.test(line);
}

const thing = `(?:${things.join("|")})`;
const docstringLine = new RegExp(
  `^(?:def (?:${functionNames.join("|")})\\(self(?:, ${thing}){2,5}\\):|:param ${thing}: (?:${qualities.join("|")}) ${thing})$`,
);
