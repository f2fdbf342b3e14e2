import { nearest } from "../../src/graph/rewrites.js";

/** One option of a magic: `--name value`, or `--name` alone for a boolean. */
export interface OptionSpec {
  readonly type: "string" | "number" | "integer" | "boolean";
  /** One line of help. */
  readonly help: string;
  /** The value where the option is not given. Without it: `false` for a boolean, `undefined` for others. */
  readonly default?: string | number | boolean;
  /** One letter: `-n value`. */
  readonly short?: string;
  /** The values that are allowed. */
  readonly choices?: readonly string[];
  /** What stands for the value in the help. Default: the type. */
  readonly placeholder?: string;
}

/** The options of a magic, by name. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** The values that options were given. */
export type OptionValues<S extends OptionSpecs> = {
  readonly [K in keyof S]: S[K] extends { readonly type: "boolean" }
    ? boolean
    : ValueOf<S[K]> | (S[K] extends { readonly default: unknown } ? never : undefined);
};

type ValueOf<O extends OptionSpec> = O extends { readonly choices: readonly (infer Choice)[] }
  ? Choice
  : O["type"] extends "string"
    ? string
    : number;

/** What a magic's line says. */
export interface ParsedLine<S extends OptionSpecs> {
  readonly options: OptionValues<S>;
  /** The words that are not options, quotes taken off. */
  readonly words: readonly string[];
}

/** A line that a magic does not understand; the message says what was wrong and what would be right. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** A word: `"quoted"` or `'quoted'` as a whole (also behind `--name=`), or anything without a space. */
const WORD = /\s*(?:(--?[\w-]+=)?(?:"((?:[^"\\]|\\.)*)"|'([^']*)')(?=\s|$)|(\S+))/y;

/**
 * Splits a line into words. Quotes keep words together where they enclose a word; inside double quotes `\` escapes.
 * An apostrophe inside a word is an apostrophe.
 *
 * @throws UsageError when a double quote is not closed
 */
export function splitWords(line: string): { text: string; quoted: boolean }[] {
  return [...line.trim().matchAll(new RegExp(WORD, "gy"))].map(([, option = "", double, single, plain]) => {
    if (plain?.startsWith('"'))
      throw new UsageError(`The quote before ${plain.slice(1)} in "${line}" is not closed.`);
    const text = double !== undefined ? double.replace(/\\(.)/g, "$1") : (single ?? plain!);
    return { text: option + text, quoted: plain === undefined && !option };
  });
}

/**
 * Reads the line of a magic. `--` ends the options.
 *
 * @throws UsageError that names the bad option and the nearest right one
 */
export function parseLine<S extends OptionSpecs>(magic: string, specs: S, line: string): ParsedLine<S> {
  const given: Record<string, string | number | boolean | undefined> = {};
  for (const [name, spec] of Object.entries(specs))
    given[name] = spec.default ?? (spec.type === "boolean" ? false : undefined);
  const words: string[] = [];
  const rest = splitWords(line);
  let options = true;
  while (rest.length) {
    const { text, quoted } = rest.shift()!;
    if (!options || quoted || !/^-(-|[A-Za-z]$)/.test(text)) words.push(text);
    else if (text === "--") options = false;
    else {
      const { name, spec, value } = findOption(magic, specs, text);
      if (spec.type === "boolean") given[name] = readBoolean(magic, name, text, value);
      else given[name] = readValue(magic, name, spec, value ?? rest.shift()?.text);
    }
  }
  return { options: given as OptionValues<S>, words };
}

function findOption(
  magic: string,
  specs: OptionSpecs,
  text: string,
): { name: string; spec: OptionSpec; value: string | undefined } {
  const [flag, value] = text.includes("=")
    ? [text.slice(0, text.indexOf("=")), text.slice(text.indexOf("=") + 1)]
    : [text];
  const wanted = flag!.replace(/^--?/, "");
  for (const [name, spec] of Object.entries(specs)) {
    const negated = spec.type === "boolean" && wanted === `no-${flagName(name)}`;
    const matches = flag!.startsWith("--")
      ? wanted === flagName(name) || wanted === name || negated
      : wanted === spec.short;
    if (matches) return { name, spec, value };
  }
  const flags = Object.keys(specs).map((name) => `--${flagName(name)}`);
  const help = flags.length
    ? ` Did you mean ${nearest(flag!, flags, 1)[0]}? Its options are ${flags.join(", ")}.`
    : " It has no options.";
  throw new UsageError(`%${magic} has no option ${flag}.${help}`);
}

/** `topK` is written `--top-k`. */
export function flagName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function readBoolean(magic: string, name: string, text: string, value: string | undefined): boolean {
  if (value !== undefined && value !== "true" && value !== "false") {
    throw new UsageError(
      `--${flagName(name)} of %${magic} is on or off: it takes true or false, not "${value}".`,
    );
  }
  const negated = text.startsWith("--no-") && !flagName(name).startsWith("no-");
  return (value !== "false") !== negated;
}

function readValue(magic: string, name: string, spec: OptionSpec, text: string | undefined): string | number {
  const option = `--${flagName(name)} of %${magic}`;
  if (text === undefined)
    throw new UsageError(`${option} needs a value: ${spec.choices?.join(", ") ?? article(spec.type)}.`);
  if (spec.choices && !spec.choices.includes(text)) {
    const [near] = nearest(text, spec.choices, 1);
    throw new UsageError(
      `${option} is one of ${spec.choices.join(", ")}, not "${text}". Did you mean ${near}?`,
    );
  }
  if (spec.type === "string") return text;
  const number = text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isFinite(number) || (spec.type === "integer" && !Number.isInteger(number))) {
    throw new UsageError(`${option} needs ${article(spec.type)}, not "${text}".`);
  }
  return number;
}

function article(type: OptionSpec["type"]): string {
  return type === "integer" ? "an integer" : type === "number" ? "a number" : "a text";
}
