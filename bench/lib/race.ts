/** Races: contestants that do the same work, timed in turns so that whatever else the machine does meets all alike. */

import { setTimeout as sleep } from "node:timers/promises";
import { waitForQuiet, watchOthers } from "./machine.js";
import type { BenchOptions } from "./options.js";

/** Who takes part. */
export interface Contestant {
  readonly name: string;
  /** Does the work once and gives the seconds that it took. */
  readonly once: () => Promise<number>;
  /** How many plans there are and how many of them have packed weights; for contestants that warm up that way. */
  readonly plans?: () => { plans: number; packed: number };
  /** Whether it takes so long that its first run is all of its warming up. */
  readonly slow?: boolean;
  /** Whose time this one's is divided by: the first contestant's by default. */
  readonly against?: string;
  /** What that ratio should be. */
  readonly wanted?: { readonly atLeast: number } | { readonly atMost: number };
}

/** How long a contestant took, in seconds. */
export interface Timing {
  readonly contestant: Contestant;
  /** The first time of all, with what is compiled then. */
  readonly first: number;
  /** The median of the runs before weights were packed; undefined where there were none. */
  readonly cold?: number;
  /** Each round. */
  readonly rounds: readonly number[];
  /** The cores that other processes used in each round. */
  readonly others: readonly number[];
}

/** A round in which other processes used fewer cores than this counts as quiet. */
const QUIET = 0.25;
/** Seconds that a race may wait in all for other processes to end. */
const PATIENCE = 20;
/** Runs and seconds after which warming up ends, even if nothing was packed. */
const WARM_RUNS = 60;
const WARM_SECONDS = 20;
/** Milliseconds in which the worker threads of the contestant before stop spinning. */
const PAUSE = 50;

/** Warms all contestants up, then times them in turns: A B C, A B C, … */
export async function race(contestants: readonly Contestant[], options: BenchOptions): Promise<Timing[]> {
  const warm: Awaited<ReturnType<typeof warmUp>>[] = [];
  for (const contestant of contestants) warm.push(await warmUp(contestant));
  const rounds = contestants.map((): number[] => []);
  const others: number[] = [];
  let patience = options.quick ? 0 : PATIENCE;
  patience -= await waitForQuiet(patience);
  let spent = 0;
  while (others.length < options.rounds && (spent < options.budget || others.length < 3)) {
    if (others.length > 0 && others.at(-1)! > QUIET) patience -= await waitForQuiet(patience);
    const start = performance.now();
    const watch = watchOthers();
    for (const [i, { once }] of contestants.entries()) {
      await sleep(PAUSE);
      rounds[i]!.push(await once());
    }
    others.push(watch());
    spent += (performance.now() - start) / 1000;
  }
  return contestants.map((contestant, i) => ({ contestant, ...warm[i]!, rounds: rounds[i]!, others }));
}

/** Runs until weights are packed, as they are for someone who repeats a call. */
async function warmUp({ once, plans, slow }: Contestant): Promise<{ first: number; cold?: number }> {
  const start = performance.now();
  const before = plans?.().packed ?? 0;
  const first = await once();
  if (slow) return { first };
  const cold: number[] = [];
  const isPacked = (): boolean => {
    const now = plans?.();
    return now === undefined || now.packed === now.plans;
  };
  while (!isPacked() && cold.length < WARM_RUNS && performance.now() - start < 1000 * WARM_SECONDS) {
    const seconds = await once();
    if ((plans?.().packed ?? 0) === before) cold.push(seconds);
  }
  for (let i = 0; i < 2; i++) await once();
  return { first, cold: cold.length > 0 ? median(cold) : undefined };
}

/** Times a function in this process. */
export function timed(work: () => Promise<unknown>): () => Promise<number> {
  return async () => {
    const start = performance.now();
    await work();
    return (performance.now() - start) / 1000;
  };
}

/** What a timing says: over the quiet rounds where there are three of them at least, else over all. */
export function summary({ rounds, others }: Timing): {
  median: number;
  min: number;
  n: number;
  quiet: number;
} {
  const quiet = rounds.filter((_, i) => others[i]! < QUIET);
  const used = quiet.length >= 3 ? quiet : rounds;
  return { median: median(used), min: Math.min(...used), n: used.length, quiet: quiet.length };
}

/** The middle value; the mean of the two in the middle where their number is even. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
