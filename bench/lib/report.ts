/** What was measured: as tables to read, and as lines of JSON in `.cache/bench/results.jsonl`. */

import { appendFileSync, mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { packageFolder } from "../../src/array/index.js";
import { type Contestant, summary, type Timing } from "./race.js";

/** Where the lines of JSON go. */
export const resultsFile: string = join(packageFolder(), ".cache", "bench", "results.jsonl");

const began = new Date().toISOString();

/** Adds a line to the results. */
export function record(line: Readonly<Record<string, unknown>>): void {
  mkdirSync(dirname(resultsFile), { recursive: true });
  const machine = { node: process.version, platform: process.platform, cores: availableParallelism() };
  appendFileSync(resultsFile, `${JSON.stringify({ began, ...line, ...machine })}\n`);
}

/** Prints rows under their heads, numbers to the right. */
export function printTable(heads: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = heads.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join("  ")
      .trimEnd();
  console.log(line(heads));
  console.log(widths.map((width) => "-".repeat(width)).join("  "));
  for (const row of rows) console.log(line(row));
}

/** Prints and records a race. */
export function reportRace(task: string, shape: readonly number[], timings: readonly Timing[]): void {
  const byName = new Map(timings.map((timing) => [timing.contestant.name, summary(timing)]));
  const others = timings[0]!.others;
  const { n, quiet } = summary(timings[0]!);
  console.log(
    `\n${task} [${shape.join(", ")}]: ${n === quiet ? `${n} quiet rounds` : `${n} rounds, ${quiet} of them quiet`}`,
  );
  const rows = timings.map((timing) => {
    const { contestant, first, cold } = timing;
    const own = byName.get(contestant.name)!;
    const base = byName.get(contestant.against ?? timings[0]!.contestant.name)!;
    const medians = own.median / base.median;
    const minima = own.min / base.min;
    record({
      task,
      shape,
      who: contestant.name,
      medianSeconds: own.median,
      minSeconds: own.min,
      n: own.n,
      quietRounds: own.quiet,
      firstSeconds: first,
      coldSeconds: cold,
      othersCores: others,
      against: contestant.against ?? timings[0]!.contestant.name,
      ratioOfMedians: medians,
      ratioOfMinima: minima,
      wanted: contestant.wanted,
    });
    return [
      contestant.name,
      ...[first, cold, own.median, own.min].map(milliseconds),
      base === own ? "" : medians.toFixed(2),
      base === own ? "" : minima.toFixed(2),
      ...verdict(contestant, medians, minima),
    ];
  });
  printTable(["ms", "first", "cold", "median", "min", "ratio", "of minima", "wanted", "reached"], rows);
}

function verdict({ wanted }: Contestant, medians: number, minima: number): [string, string] {
  if (!wanted) return ["", ""];
  const ok = (ratio: number): boolean =>
    "atLeast" in wanted ? ratio >= wanted.atLeast : ratio <= wanted.atMost;
  const shown = "atLeast" in wanted ? `≥ ${wanted.atLeast}` : `≤ ${Number(wanted.atMost.toFixed(2))}`;
  return [shown, ok(medians) === ok(minima) ? (ok(medians) ? "yes" : "no") : "by one of the two"];
}

function milliseconds(seconds: number | undefined): string {
  if (seconds === undefined) return "";
  return (1000 * seconds).toFixed(seconds < 0.1 ? 1 : 0);
}

/** Bytes in MB (10⁶). */
export const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);
