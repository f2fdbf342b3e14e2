/** The memory that a run with all points takes, in fresh processes, against the bytes that it gives back. */

import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { packageFolder } from "../../src/array/index.js";
import { anonymousOf, hasProc, memoryOf, resetPeak } from "./machine.js";
import { randomTokens } from "./model.js";
import { peerCommand } from "./peers.js";
import { megabytes, printTable, record } from "./report.js";

/** What a run took, in bytes. */
interface Growth {
  /** What it gave back. */
  readonly returned: number;
  /** What the process had more than before at its peak: all, and what is no file's. */
  readonly resident: number;
  readonly anonymous: number;
}

/**
 * Measures and prints; TransformerLens too where it is installed.
 *
 * @param most how many times the bytes given back the engine should take at most
 */
export async function reportMemory(
  folder: string,
  shape: readonly [number, number],
  most?: number,
): Promise<void> {
  if (!hasProc) return console.log("\nMemory is measured on Linux only.");
  const tokens = JSON.stringify(randomTokens(256, ...shape));
  const peers = peerCommand();
  const ours = join(packageFolder(), "bench", "lib", "all-points-child.ts");
  const subjects = [
    {
      who: "tslens",
      command: process.execPath,
      options: ["--import", "tsx", ours, folder, tokens],
      env: process.env,
    },
    ...(peers
      ? [
          {
            who: "TransformerLens",
            command: peers.command,
            options: [...peers.arguments, "memory", "tl", folder, tokens],
            env: peers.environment,
          },
        ]
      : []),
  ];
  console.log(`\nmemory of all points and logits [${shape.join(", ")}], fresh process`);
  const rows: string[][] = [];
  for (const { who, command, options, env } of subjects) {
    const growth = await measure(command, options, env);
    growth.forEach(({ returned, resident, anonymous }, i) => {
      const ratio = anonymous / returned;
      const wanted = who === "tslens" && most !== undefined ? { atMost: most } : undefined;
      record({
        task: "memory of all points",
        shape,
        who,
        run: i,
        returned,
        resident,
        anonymous,
        ratio,
        wanted,
      });
      const verdict = wanted ? [`≤ ${wanted.atMost}`, ratio <= wanted.atMost ? "yes" : "no"] : ["", ""];
      const sizes = [returned, anonymous, resident].map(megabytes);
      rows.push([`${who}, run ${i + 1}`, ...sizes, ratio.toFixed(2), ...verdict]);
    });
  }
  printTable(["MB", "returned", "anonymous", "resident", "anonymous/returned", "wanted", "reached"], rows);
}

/** Peak growth over what the process held before its first run; the first run and one when plans have warmed up. */
async function measure(
  command: string,
  options: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Growth[]> {
  const child = spawn(command, options, { stdio: ["pipe", "pipe", "inherit"], cwd: packageFolder(), env });
  const pid = child.pid!;
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<Record<string, unknown>> => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${command} ended while its memory was measured.`);
    return JSON.parse(value);
  };
  await answer();
  const before = memoryOf(pid)!;
  const runs: Growth[] = [];
  for (let run = 0; run < 3; run++) {
    resetPeak(pid);
    let anonymous = 0;
    const watch = setInterval(() => {
      anonymous = Math.max(anonymous, anonymousOf(pid));
    }, 2);
    child.stdin.write("go\n");
    const { returned } = await answer();
    clearInterval(watch);
    anonymous = Math.max(anonymous, anonymousOf(pid)) - before.anonymous;
    const resident = memoryOf(pid)!.peak - before.resident;
    runs.push({ returned: returned as number, resident, anonymous });
  }
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.stdin.end();
  await ended;
  return runs;
}
