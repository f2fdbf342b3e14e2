/** From variants of a run to a table of one number for each cell. */

import { type Tensor, tensor } from "../../array/index.js";
import type { Progress } from "../../runtime/host.js";
import { onScale, placeOf, Sweep, type SweepData, type SweepLogits } from "../sweep.js";
import type { Grid } from "./grid.js";
import type { KnownRun } from "./known-run.js";
import type { SourceOf } from "./replacement.js";
import type { Variants } from "./variants.js";

/** The mean metric of a run. @throws if it is no finite number, since nothing can be compared with it */
export function metricOf({ metric }: KnownRun, which: string): number {
  const value = metric.reduce((sum, x) => sum + x, 0) / metric.length;
  if (Number.isFinite(value)) return value;
  const at = metric.findIndex((x) => !Number.isFinite(x));
  throw new Error(
    `The metric is ${value} on the ${which} prompts${metric.length > 1 ? ` (prompt ${at} is the first such one)` : ""}, so no change can be measured by it.`,
  );
}

/** What a table is made of, beside the numbers. */
export interface TableOptions {
  readonly grid: Grid;
  readonly title: string;
  readonly at: string;
  /** What is done, as progress is reported. */
  readonly task: string;
  readonly base: number;
  readonly clean?: number;
  readonly corrupt?: number;
  /** Whether `values` are on the scale of the corrupt (0) and the clean run (1), instead of the metric itself. */
  readonly normalize: boolean;
  /** 1 for each cell that can be measured; all by default. */
  readonly among?: Uint8Array;
  /** The logits of the unchanged runs, where those of the cells are kept too. */
  readonly logits?: Omit<SweepLogits, "cells">;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** Runs one variant for each cell of a grid. */
export async function tableOf(
  variants: Variants,
  known: KnownRun,
  source: SourceOf,
  { grid, task, normalize, among, logits, signal, onProgress, ...rest }: TableOptions,
): Promise<Sweep> {
  const { outputs, done: run } = await variants.run(known, source, { signal, task, onProgress });
  const done = among ? run.map((one, cell) => one & among[cell]!) : run;
  const total = grid.cells.length;
  const all = outputs.metric!;
  const prompts = all.length / total;
  const metric = Float32Array.from({ length: total }, (_, cell) => {
    if (!done[cell]) return Number.NaN;
    let sum = 0;
    for (let prompt = 0; prompt < prompts; prompt++) sum += all[cell * prompts + prompt]!;
    return sum / prompts;
  });
  const finished = done.reduce((a, b) => a + b, 0);
  const table = tensor(metric, [...grid.shape]);
  const points = grid.cells.map(({ point }) => point);
  const data = { ...rest, points, metric: table, over: grid.over, labels: grid.labels, done: finished };
  const scale = normalize ? scaleOf(rest) : undefined;
  return new Sweep({
    ...data,
    values: scale ? onScale(table, scale) : table,
    valueTitle: scale ? "share of the difference" : "metric",
    notes: notesOf(data, done, normalize && !scale),
    ...(logits && outputs.logits
      ? {
          logits: {
            ...logits,
            cells: tensor(outputs.logits, [...grid.shape, prompts, outputs.logits.length / all.length]),
          },
        }
      : {}),
  });
}

interface Scale {
  readonly clean: number;
  readonly corrupt: number;
}

const scaleOf = ({ clean, corrupt }: Partial<Scale>): Scale | undefined =>
  clean === undefined || corrupt === undefined || clean === corrupt ? undefined : { clean, corrupt };

function notesOf(
  { metric, over, done, clean }: Pick<SweepData, "metric" | "over" | "done" | "clean">,
  reached: Uint8Array,
  unscaled: boolean,
): string[] {
  const total = metric.data.length;
  const notes: string[] = [];
  if (done < total) notes.push(`Ended after ${done} of ${total} cells; the others are NaN`);
  const bad = [...metric.data].flatMap((value, cell) =>
    reached[cell] && !Number.isFinite(value) ? [cell] : [],
  );
  if (bad.length > 0)
    notes.push(
      `The metric is not finite in ${bad.length} cells, the first at ${nameOf(bad[0]!, metric, over)}`,
    );
  if (unscaled && clean !== undefined)
    notes.push(`Both runs have the metric ${clean}, so there is no scale between them: these are metrics`);
  return notes;
}

const nameOf = (cell: number, { shape }: Tensor, over: SweepData["over"]): string =>
  placeOf(cell, shape)
    .map((place, axis) => `${over[axis]} ${place}`)
    .join(", ");
