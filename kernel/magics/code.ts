/** The TypeScript that a call of a magic stands for. */
import type { Magic, MagicCall } from "./magic.js";
import { type OptionSpecs, parseLine } from "./options.js";

/** The options that a magic takes: its own, and `--show-code` where it can say what it stands for. */
export function optionsOf(magic: Magic): OptionSpecs {
  if (typeof magic.typescript === "string") return magic.options ?? {};
  const help = "show the TypeScript that the line stands for, instead of running it";
  return { ...magic.options, showCode: { type: "boolean", help } };
}

/** The TypeScript of a call; without one, of the magic's example. */
export function codeOf(magic: Magic, call: MagicCall = exampleCall(magic)): string {
  return typeof magic.typescript === "string" ? magic.typescript : magic.typescript(call);
}

function exampleCall(magic: Magic): MagicCall {
  const [, line = "", body = ""] = /^%%?[\w-]+ ?([^\n]*)\n?([\s\S]*)$/.exec(magic.example)!;
  return { ...parseLine(magic.name, optionsOf(magic), line), body };
}

/** A name of an import of the package. */
export function importCode(
  name: string,
  path: "tslens" | "tslens/widgets" | "tslens/circuits" | "tslens/tasks" = "tslens",
): string {
  return `import { ${name} } from "${path}";\n`;
}

/** An object of options as TypeScript, without what is undefined. */
export function objectCode(options: Readonly<Record<string, unknown>>): string {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return given.length
    ? `{ ${given.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(", ")} }`
    : "";
}

/** A call as TypeScript: arguments that are empty texts are left out. */
export function callCode(name: string, ...values: readonly string[]): string {
  return `${name}(${values.filter(Boolean).join(", ")})`;
}

/** A value that is left out where it is the default. */
export function unless<T>(standard: T, value: T): T | undefined {
  return value === standard ? undefined : value;
}
