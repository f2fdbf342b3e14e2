import { codeOf, optionsOf } from "./code.js";
import type { Magic } from "./magic.js";
import { flagName, type OptionSpec } from "./options.js";

/** How a magic is called. */
export function usageLine(magic: Magic): string {
  const { name, kind, usage } = magic;
  const sigil = kind === "cell" ? "%%" : "%";
  return [`${sigil}${name}`, usage, Object.keys(optionsOf(magic)).length ? "[options]" : ""]
    .filter(Boolean)
    .join(" ");
}

/** The help of a magic, in Markdown: what it does, its options, an example, and the TypeScript that it stands for. */
export function helpText(magic: Magic): string {
  const { summary, kind, name, example } = magic;
  const both = kind === "both" ? ` It also stands in front of a cell, as \`%%${name}\`.` : "";
  const parts = [`**${usageLine(magic)}**`, `${summary}${both}`];
  const rows = Object.entries(optionsOf(magic)).map(([option, spec]) => `- ${optionText(option, spec)}`);
  if (rows.length) parts.push(rows.join("\n"));
  parts.push(
    `Example\n\`\`\`\n${example}\n\`\`\``,
    `The same in TypeScript\n\`\`\`ts\n${codeOf(magic)}\n\`\`\``,
  );
  return parts.join("\n\n");
}

function optionText(name: string, spec: OptionSpec): string {
  const value = spec.type === "boolean" ? "" : ` ${spec.choices?.join("|") ?? spec.placeholder ?? spec.type}`;
  const short = spec.short ? `, \`-${spec.short}\`` : "";
  const standard = spec.default === undefined ? "" : ` Default: ${String(spec.default)}.`;
  return `\`--${flagName(name)}${value}\`${short}: ${spec.help}${standard}`;
}
