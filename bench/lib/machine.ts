/** What the machine does beside the measurement, and what memory processes hold. Known on Linux only. */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const TICKS_PER_SECOND = 100;

/** Whether the system tells what its processes use. */
export const hasProc: boolean = existsSync("/proc/self/smaps_rollup");

/** Processes whose work belongs to the measurement. */
const children = new Set<number>();

/** Counts a child process as part of the measurement. */
export const countChild = (pid: number): void => void children.add(pid);

/** No longer counts a child process. */
export const forgetChild = (pid: number): void => void children.delete(pid);

/** Seconds of all cores that have been spent by the whole machine, and by the measurement itself. */
function spent(): { machine: number; own: number } {
  const times = readFileSync("/proc/stat", "utf8")
    .split("\n")[0]!
    .trim()
    .split(/\s+/)
    .slice(1, 9)
    .map(Number);
  const machine = times.reduce((a, b) => a + b, 0) - times[3]! - times[4]!;
  const { user, system } = process.cpuUsage();
  let own = (user + system) / 1e6;
  for (const pid of children) {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\)\s/, "")
      .split(" ");
    own += (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }
  return { machine: machine / TICKS_PER_SECOND, own };
}

/** Watches other processes from now on; gives the cores that they used, on average; 0 where that is unknown. */
export function watchOthers(): () => number {
  if (!hasProc) return () => 0;
  const before = spent();
  const start = performance.now();
  return () => {
    const after = spent();
    const others = after.machine - before.machine - (after.own - before.own);
    return Math.max(0, (1000 * others) / (performance.now() - start));
  };
}

/** Waits until other processes use little, `limit` seconds at most; gives the seconds waited. */
export async function waitForQuiet(limit: number): Promise<number> {
  const start = performance.now();
  const waited = (): number => (performance.now() - start) / 1000;
  while (waited() < limit) {
    const others = watchOthers();
    await sleep(500);
    if (others() < 0.35) break;
  }
  return waited();
}

/** Memory of a process, in bytes. */
export interface Memory {
  /** All that it has in memory, files that it has mapped counted in. */
  readonly resident: number;
  /** What is no file's: its own. */
  readonly anonymous: number;
  /** The most that it had in memory at once, since it began or since `resetPeak`. */
  readonly peak: number;
}

/** The memory of a process now; undefined where the system does not tell. */
export function memoryOf(pid: number | "self" = "self"): Memory | undefined {
  if (!hasProc) return undefined;
  const read = (file: string, key: string): number =>
    1024 *
    Number(
      new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(readFileSync(`/proc/${pid}/${file}`, "utf8"))?.[1] ?? 0,
    );
  return {
    resident: read("smaps_rollup", "Rss"),
    anonymous: read("smaps_rollup", "Anonymous"),
    peak: read("status", "VmHWM"),
  };
}

/** The anonymous memory of a process, in bytes: cheap enough to be asked all the time. */
export function anonymousOf(pid: number): number {
  const match = /^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return 1024 * Number(match?.[1] ?? 0);
}

/** Makes `peak` count from now on. */
export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}
