/** How the rows of many variants are shared out among runs. */

import { sizeOf } from "../../array/index.js";
import type { Engine } from "../../model/engine.js";

/** One prompt of a variant. */
export interface Row {
  readonly variant: number;
  readonly prompt: number;
  /** The point at which the variant begins to differ from the known run. */
  readonly point: string;
  /** The first position that is computed for it. */
  readonly start: number;
}

/** The rows of one run, in the order in which they join, the points at which they do, and the first position of all. */
export interface Run {
  readonly rows: readonly Row[];
  readonly points: readonly string[];
  readonly start: number;
}

/** Products with so many rows run at the machine's full rate. */
const FULL_RATE_TOKENS = 256;
/** Tokens times bytes of parameters of one run: about a second of work, so that it can be interrupted. */
const RUN_WORK = 1e12;
/** Bytes that the values of one run may take. */
const RUN_MEMORY = 5e8;
/** Where rows begin at different positions, they are sorted into so many runs, each from its own first position on. */
const WINDOWS = 3;

/** What the schedule depends on. */
export interface ScheduleOptions {
  readonly rows: readonly Row[];
  /** All points in the order of computation. */
  readonly order: readonly string[];
  /** Positions of the prompts. */
  readonly length: number;
  /** Whether rows of several variants may be in one run. */
  readonly together: boolean;
  /** Whether logits of all positions are computed. */
  readonly everyPosition: boolean;
  readonly engine: Engine;
}

/** Shares rows out among runs. Runs whose rows join at the same points have one plan. */
export function runsOf(options: ScheduleOptions): Run[] {
  const { rows, together, length, engine } = options;
  if (!together) {
    const variants = new Map<number, Row[]>();
    for (const row of rows) variants.set(row.variant, [...(variants.get(row.variant) ?? []), row]);
    return [...variants.values()].map(runOf);
  }
  const places = new Map(options.order.map((name, i) => [name, i]));
  const byPoint = new Map<string, Row[]>();
  for (const row of rows) {
    const known = byPoint.get(row.point);
    if (known) known.push(row);
    else byPoint.set(row.point, [row]);
  }
  const levels = [...byPoint.entries()]
    .sort(([a], [b]) => places.get(a)! - places.get(b)!)
    .map(([, level]) => level.sort((a, b) => a.start - b.start));
  const most = Math.max(1, Math.floor(tokensAtOnce(options, engine) / length));
  const runs: Run[] = [];
  // A plan has a row for each of its points at least.
  for (let first = 0; first < levels.length; first += most) {
    const group = levels.slice(first, first + most);
    const tokens = group.flat().reduce((sum, { start }) => sum + length - start, 0);
    const isWindowed = group.some((level) => level[0]!.start !== level.at(-1)!.start);
    const windows = isWindowed ? Math.min(WINDOWS, Math.ceil(tokens / (2 * FULL_RATE_TOKENS))) : 1;
    const count = Math.max(windows, Math.ceil(tokens / (most * length)));
    for (let i = 0; i < count; i++) {
      const part = group.flatMap((level) =>
        level.slice(Math.round((i * level.length) / count), Math.round(((i + 1) * level.length) / count)),
      );
      if (part.length > 0) runs.push(runOf(part));
    }
  }
  return runs;
}

const runOf = (rows: readonly Row[]): Run => ({
  rows,
  points: [...new Set(rows.map(({ point }) => point))],
  start: Math.min(...rows.map(({ start }) => start)),
});

/** How many tokens one run may have. */
function tokensAtOnce({ length, everyPosition }: ScheduleOptions, { config, parameters }: Engine): number {
  const { dModel, dMlp, nHeads, dVocab } = config;
  const logits = (3 * dVocab) / (everyPosition ? 1 : length);
  const bytesOfToken = 4 * (8 * dModel + 4 * dMlp + 4 * nHeads * length + logits);
  const bytes = parameters.names.reduce((sum, name) => sum + 4 * sizeOf(parameters.info(name).shape), 0);
  const byWork = Math.max(FULL_RATE_TOKENS, RUN_WORK / Math.max(1, bytes));
  return Math.min(byWork, Math.max(length, RUN_MEMORY / bytesOfToken), 16_384);
}
