/** A run whose values are kept, so that variants of it are computed from where they differ. */

import { sizeOf, type Tensor, type TypedArray } from "../../array/index.js";
import type { Shape, Value } from "../../graph/index.js";
import type { Engine } from "../../model/engine.js";
import type { Batch } from "../../model/input.js";
import type { LoweredEdit } from "../../model/lower-edits.js";
import { newMemory } from "../../model/memory.js";
import { pastName, presentName } from "../../model/parts/context.js";
import type { Feed } from "../../runtime/ort.js";

/** What a run left. */
export interface KnownRun {
  /** Values by the names under which they are fed, and of points by theirs. */
  readonly values: ReadonlyMap<string, { readonly value: Tensor; readonly dims: Shape }>;
  /** The metric of each prompt, or of all of them where it is a function; empty where none was measured. */
  readonly metric: Float32Array;
  /** What a run from a position on is fed beside these. */
  readonly feeds: (start: number) => Record<string, Feed>;
}

/** How a run is made. */
export interface ObserveOptions {
  readonly batch: Batch;
  readonly edits: readonly LoweredEdit[];
  /** Those of them that act in variants too. */
  readonly own: readonly LoweredEdit[];
  /** What the metric is fed. */
  readonly feeds: Readonly<Record<string, Feed>>;
  /** Whether the graph reads a mask. */
  readonly padded: boolean;
  /** The new keys and values by the names of `presentName`, in a graph that reads the keys and values of earlier positions. */
  readonly present?: Readonly<Record<string, Value>>;
  readonly signal?: AbortSignal;
}

/** Runs the model and keeps values. */
export async function observe(
  engine: Engine,
  values: Readonly<Record<string, Value>>,
  { batch: given, edits, own: shared, feeds, padded, present = {}, signal }: ObserveOptions,
): Promise<KnownRun> {
  const { config } = engine;
  const batch =
    padded && !given.mask ? { ...given, mask: given.tokens.map((row) => row.map(() => 1)) } : given;
  const windowed = Object.keys(present).length > 0;
  const plan = engine.runtime.plan({ outputs: { ...values, ...present } });
  const memory = windowed ? newMemory(config, batch.tokens.length, 0).feeds() : {};
  const all = { ...engine.feeds(batch, edits), ...feeds };
  const rowwise = edits.every((edit) => edit.rowwise);
  const run = await engine.execute(plan, { ...all, ...memory }, batch, { signal, rowwise });
  const kept = Object.entries(values).map(
    ([name, { shape }]) => [name, { value: run[name] as Tensor, dims: shape }] as const,
  );
  return {
    values: new Map(kept.filter(([name]) => name !== "metric")),
    metric: (run.metric?.data as Float32Array | undefined) ?? new Float32Array(),
    feeds(start) {
      const own = start === 0 ? all : { ...engine.feeds(batch, shared, { start }), ...feeds };
      if (!windowed) return own;
      const past: Record<string, Feed> = {};
      for (let layer = 0; layer < config.nLayers; layer++)
        for (const kind of ["key", "value"] as const) {
          const { data, shape } = run[presentName(kind, layer)] as Tensor;
          const [, ...rest] = shape;
          const size = sizeOf(rest);
          past[pastName(kind, layer)] = {
            dtype: "float32",
            shape: [start, ...rest],
            data: data.subarray(0, start * size),
          };
        }
      return { ...own, ...past };
    },
  };
}

/** What a run of variants from a position on is fed of the known run. */
export function partOfKnown(known: KnownRun, start: number): Record<string, Feed> {
  const feeds = known.feeds(start);
  for (const [name, { value, dims }] of known.values) {
    const axis = dims.indexOf("pos");
    const part = start > 0 && axis >= 0 ? fromPosition(value, axis, start) : value;
    feeds[name] = { dtype: dtypeOf(value.data), shape: part.shape, data: part.data };
  }
  return feeds;
}

/** The part of a row-major tensor from a place along an axis on. */
export function fromPosition(
  { data, shape }: Pick<Tensor, "data" | "shape">,
  axis: number,
  start: number,
): { data: Float32Array; shape: number[] } {
  const outer = sizeOf(shape.slice(0, axis));
  const inner = sizeOf(shape.slice(axis + 1));
  const [before, after] = [shape[axis]! * inner, (shape[axis]! - start) * inner];
  const part = data.constructor as new (length: number) => Float32Array;
  const kept = new part(outer * after);
  for (let i = 0; i < outer; i++)
    kept.set(data.subarray((i + 1) * before - after, (i + 1) * before), i * after);
  return { data: kept, shape: shape.map((size, i) => (i === axis ? size - start : size)) };
}

const dtypeOf = (data: TypedArray): Feed["dtype"] => {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Uint8Array) return "bool";
  throw new Error(`A value of the known run came as ${data.constructor.name}, which cannot be fed again.`);
};
