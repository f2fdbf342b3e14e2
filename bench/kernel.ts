/** The kernel beside tslab's, Deno's and ipykernel: from its start to its first cell, a trivial cell, a completion. */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { kernelSpec } from "../kernel/install/install.js";
import { packageFolder } from "../src/array/index.js";
import { BenchKernel, type KernelCommand } from "./lib/kernel-client.js";
import { readOptions } from "./lib/options.js";
import { type Contestant, race, summary, type Timing } from "./lib/race.js";
import { printTable, record } from "./lib/report.js";

/** A kernel, and code that each language understands in its own way. */
interface Subject {
  readonly name: string;
  readonly command: KernelCommand;
  /** A cell that computes a number from the round. */
  readonly cell: (round: number) => string;
  /** Code at whose end names are completed. */
  readonly completed: (round: number) => string;
}

const options = readOptions();
const main = join(packageFolder(), "dist", "kernel", "main.js");
if (!existsSync(main)) throw new Error(`There is no ${main}: run "npm run build" first.`);
const TYPESCRIPT = {
  cell: (round: number) => `const value${round % 7}: number = ${round} + 1; value${round % 7}`,
  completed: (round: number) => `const text${round} = "a";\ntext${round}.toU`,
};
const subjects = findSubjects();
console.log("(tslens should be ready within 1200 ms, run a trivial cell in 50 ms, complete in 150 ms)");

report(
  "kernel ready: process start to first reply to first cell",
  1.2,
  await race(readyContestants(), slowly()),
);

const kernels = new Map<string, BenchKernel>();
for (const { name, command } of subjects) kernels.set(name, await BenchKernel.start(command));
for (const { name, cell } of subjects) await kernels.get(name)!.run(cell(0));
const tasks = [
  ["trivial cell, to its reply and idle", 0.05, runCell],
  ["completion", 0.15, complete],
] as const;
for (const [task, wanted, work] of tasks) {
  let round = 0;
  const contestants = subjects.map((subject) => ({ name: subject.name, once: () => work(subject, ++round) }));
  report(task, wanted, await race(contestants, options));
}
const ours = kernels.get("tslens")!;
await ours.run('import { loadModel } from "tslens";\nconst model = await loadModel("tiny-world");');
let round = 0;
const engine = { ...subjects[0]!, completed: () => `const run${++round} = 1;\nmodel.runW` };
report(
  "completion, with the engine and a model",
  0.15,
  await race([{ name: "tslens", once: () => complete(engine, round) }], options),
);
for (const kernel of kernels.values()) await kernel.stop();

/** The kernels that are here; a line for each that is not. */
function findSubjects(): Subject[] {
  const tslab = join(dirname(createRequire(import.meta.url).resolve("tslab/package.json")), "bin", "tslab");
  const argv = [process.execPath, tslab, "kernel", "--config-path", "{connection_file}"];
  const found: Subject[] = [
    { name: "tslens", command: kernelSpec() as unknown as KernelCommand, ...TYPESCRIPT },
    { name: "tslab", command: { argv }, ...TYPESCRIPT },
  ];
  if (spawnSync("deno", ["--version"]).status === 0) {
    const argv = ["deno", "jupyter", "--kernel", "--conn", "{connection_file}"];
    // It completes what lives, and does not read the cell.
    found.push({ name: "Deno", command: { argv }, ...TYPESCRIPT, completed: () => "Math.flo" });
  } else console.log("Deno is not measured: there is no deno on the PATH.");
  const windows = process.platform === "win32";
  const python = join(packageFolder(), ".python", windows ? "Scripts/python.exe" : "bin/python");
  if (spawnSync(python, ["-c", "import ipykernel"]).status === 0) {
    found.push({
      name: "ipykernel",
      command: { argv: [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"] },
      cell: (n) => `value${n % 7}: int = ${n} + 1; value${n % 7}`,
      completed: (n) => `text${n} = "a"\ntext${n}.up`,
    });
  } else console.log("ipykernel is not measured: npm run setup installs it in .python/.");
  return found;
}

function readyContestants(): Contestant[] {
  return subjects.map(({ name, command, cell }) => ({
    name,
    slow: true,
    once: async () => {
      const start = performance.now();
      const kernel = await BenchKernel.start(command);
      await kernel.request("kernel_info_request", {});
      await kernel.run(cell(0));
      const seconds = (performance.now() - start) / 1000;
      await kernel.stop();
      return seconds;
    },
  }));
}

/** Processes are started less often than cells. */
function slowly(): typeof options {
  return { ...options, rounds: Math.min(options.rounds, 7) };
}

async function runCell({ name, cell }: Subject, round: number): Promise<number> {
  const start = performance.now();
  await kernels.get(name)!.runToIdle(cell(round));
  return (performance.now() - start) / 1000;
}

async function complete({ name, completed }: Subject, round: number): Promise<number> {
  const code = completed(round);
  const start = performance.now();
  const { content } = await kernels.get(name)!.request("complete_request", { code, cursor_pos: code.length });
  const seconds = (performance.now() - start) / 1000;
  if (!(content.matches as unknown[]).length) throw new Error(`${name} completes nothing after ${code}.`);
  return seconds;
}

/** Prints and records a race whose goal is a time, of tslens alone. */
function report(task: string, wanted: number, timings: readonly Timing[]): void {
  const { n, quiet } = summary(timings[0]!);
  console.log(`\n${task}: ${n === quiet ? `${n} quiet rounds` : `${n} rounds, ${quiet} of them quiet`}`);
  const rows = timings.map((timing) => {
    const { contestant, first } = timing;
    const { median, min } = summary(timing);
    const own = contestant.name === "tslens";
    record({
      task,
      who: contestant.name,
      medianSeconds: median,
      minSeconds: min,
      n,
      quietRounds: quiet,
      firstSeconds: first,
      ...(own && { wantedSeconds: wanted }),
    });
    const verdict = own ? [`≤ ${1000 * wanted}`, median <= wanted ? "yes" : "no"] : ["", ""];
    return [
      contestant.name,
      ...[first, median, min].map((seconds) => (1000 * seconds).toFixed(1)),
      ...verdict,
    ];
  });
  printTable(["ms", "first", "median", "min", "wanted", "reached"], rows);
}
