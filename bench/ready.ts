/** From nothing to the first logits, in fresh processes; and what loading a model a second time costs. */

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { packageFolder } from "../src/array/index.js";
import type { Memory } from "./lib/machine.js";
import { randomModel, randomTokens } from "./lib/model.js";
import { readOptions } from "./lib/options.js";
import { peerCommand } from "./lib/peers.js";
import { type Contestant, median, race } from "./lib/race.js";
import { megabytes, printTable, record, reportRace } from "./lib/report.js";

/** What a fresh process says at its end. */
interface Report {
  readonly importSeconds: number;
  readonly loadSeconds: number;
  readonly firstSeconds: number;
  /** After the first logits, of each model that it loaded. */
  readonly memory: readonly (Memory | undefined)[];
}

const options = readOptions();
const folder = await randomModel(options);
const built = join(packageFolder(), "dist", "src", "index.js");
if (!existsSync(built)) throw new Error(`There is no ${built}: run "npm run build" first.`);
const tokens = JSON.stringify(randomTokens(256, 1, 15));
const child = join(packageFolder(), "bench", "lib", "ready-child.mjs");
const peers = peerCommand();
const reports = new Map<string, Report[]>();

const ours = (loads: number): string[] => [child, pathToFileURL(built).href, folder, tokens, String(loads)];
const contestants: Contestant[] = [
  { ...contestant("tslens", process.execPath, ours(1)) },
  ...(["hf", "tl"] as const).flatMap((peer) =>
    peers
      ? [
          contestant(
            peer === "hf" ? "transformers" : "TransformerLens",
            peers.command,
            [...peers.arguments, "ready", peer, folder, tokens],
            peers.environment,
          ),
        ]
      : [],
  ),
];
const timings = await race(contestants, { ...options, rounds: Math.min(options.rounds, 7) });
reportRace("ready: process start to first logits", [1, 15], timings);

const seconds = (name: string, key: "importSeconds" | "loadSeconds" | "firstSeconds"): string =>
  (1000 * median(reports.get(name)!.map((report) => report[key]))).toFixed(0);
console.log("\nparts, and memory after the first logits");
if (!options.quick)
  console.log("(tslens should be ready within 1000 ms, and have its weights in memory once)");
await contestant("tslens, loaded twice", process.execPath, ours(2)).once();
const rows = [...reports].map(([name, all]) => {
  const memory = all.at(-1)!.memory.at(-1);
  record({ task: "ready: parts", who: name, reports: all });
  return [
    name,
    seconds(name, "importSeconds"),
    seconds(name, "loadSeconds"),
    seconds(name, "firstSeconds"),
    ...(memory ? [memory.resident, memory.anonymous, memory.peak].map(megabytes) : ["", "", ""]),
  ];
});
printTable(["ms and MB", "import", "load", "first logits", "resident", "anonymous", "peak"], rows);

/** A process that is started, says what it measured, and ends. */
function contestant(name: string, command: string, args: readonly string[], env = process.env): Contestant {
  const once = async (): Promise<number> => {
    const start = performance.now();
    const process = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"], cwd: packageFolder(), env });
    const ended = new Promise((resolve) => process.once("exit", resolve));
    let took: number | undefined;
    for await (const line of createInterface({ input: process.stdout })) {
      took = (performance.now() - start) / 1000;
      reports.set(name, [...(reports.get(name) ?? []), JSON.parse(line)]);
    }
    await ended;
    if (took === undefined) throw new Error(`The process of ${name} ended without a word.`);
    return took;
  };
  return { name, once };
}
