/** The table of what families can do: written by the tests that show it. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../shared.js";

/** How a feature was shown: beside transformers, by the model's own arithmetic, or not at all since it makes no sense. */
export type Mark = "✓" | "○" | "–";

/** The columns of the table. */
export const features = [
  "logits of",
  "points",
  "values",
  "gradients",
  "of parameters",
  "edits",
  "padding",
  "memory",
] as const;

/** A column. */
export type Feature = (typeof features)[number];

const path = join(repository, "src", "model", "families", "README.md");
const start = "<!-- table -->\n";
const end = "<!-- end of table -->\n";

/** What tests have found out, family by family. */
export class FeatureTable {
  private readonly rows = new Map<string, Map<Feature, string>>();

  /** Notes a feature of a family. */
  record(family: string, feature: Feature, text: string): void {
    const row = this.rows.get(family) ?? new Map<Feature, string>();
    this.rows.set(family, row.set(feature, text));
  }

  /** Whether every feature of every family was looked at: not so where tests were left out or failed. */
  isWhole(families: readonly string[]): boolean {
    return families.every((family) => this.rows.get(family)?.size === features.length);
  }

  /** The table as Markdown. */
  toString(): string {
    const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |\n`;
    const rows = [...this.rows].map(([family, row]) =>
      line([family, ...features.map((name) => row.get(name)!)]),
    );
    return line(["family", ...features]) + line(["---", ...features.map(() => "---")]) + rows.join("");
  }
}

/** The table that the documentation shows. */
export function readTable(): string {
  const text = readFileSync(path, "utf8");
  return text.slice(text.indexOf(start) + start.length, text.indexOf(end));
}

/** Writes a table into the documentation. */
export function writeTable(table: string): void {
  const text = readFileSync(path, "utf8");
  writeFileSync(
    path,
    text.slice(0, text.indexOf(start) + start.length) + table + text.slice(text.indexOf(end)),
  );
}
