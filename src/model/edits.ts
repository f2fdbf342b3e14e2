/**
 * Edits: plain data that says how the value at a point is changed while the model runs.
 *
 * What a user turns (a coefficient, a vector, which heads and positions) is fed, not compiled in: another head or
 * coefficient runs the same plan.
 */

import type { NdArray } from "ndarray";
import { contiguous, type Tensor, tensor } from "../array/index.js";
import type { PointName } from "./names.js";

/** Where an edit acts: a point, or every point whose full name fits a pattern. */
export type PointTarget = PointName | RegExp;

/** Which part of a value an edit changes: all of it by default. Negative positions count from the end of the input. */
export interface Selection {
  /** Heads, for points that have them. */
  readonly head?: number | readonly number[];
  /** Positions; queries for scores and patterns. */
  readonly pos?: number | readonly number[];
}

/** Numbers as users give them: an array, a typed array or an NdArray. */
export type Numbers = Tensor | NdArray<Float32Array | Float64Array> | Float32Array | readonly number[];

/** Where a replacement comes from: a tensor, or a cache of another run. */
export type Source = Numbers | number | { get(name: string): Tensor };

/** Replaces values by zero, by their mean, or by those of another run. */
export interface AblateEdit extends Selection {
  readonly kind: "ablate";
  readonly point: PointTarget;
  readonly mode: "zero" | "mean" | "resample";
  readonly source?: Source;
}
/** Replaces values by those of another run. */
export interface PatchEdit extends Selection {
  readonly kind: "patch";
  readonly point: PointTarget;
  readonly source: Source;
}
/** Adds a vector, times a coefficient: one for all rows of the batch, or one for each. */
export interface AddEdit extends Selection {
  readonly kind: "add";
  readonly point: PointTarget;
  readonly vector: Numbers;
  readonly coefficient: number | readonly number[];
}
/** Multiplies by a factor. */
export interface ScaleEdit extends Selection {
  readonly kind: "scale";
  readonly point: PointTarget;
  readonly factor: number;
}
/** Keeps values within bounds. */
export interface ClampEdit extends Selection {
  readonly kind: "clamp";
  readonly point: PointTarget;
  readonly min: number;
  readonly max: number;
}
/** Removes a direction from the vectors along the last axis, or keeps it alone. */
export interface ProjectEdit extends Selection {
  readonly kind: "project";
  readonly point: PointTarget;
  readonly direction: Numbers;
  readonly keep: boolean;
}

/** A change of the value at a point. */
export type Edit = AblateEdit | PatchEdit | AddEdit | ScaleEdit | ClampEdit | ProjectEdit;

/** What `ablate` does beside choosing heads and positions. */
export interface AblateOptions extends Selection {
  /**
   * `zero` (the default); `mean`: the mean over batch and positions of `source`, or of the values themselves without
   * one; `resample`: the values of `source`, a run on other prompts.
   */
  readonly mode?: "zero" | "mean" | "resample";
  readonly source?: Source;
}

/**
 * Ablates values at a point.
 *
 * @example
 * ```ts
 * await model.loss(text, { edits: [ablate("blocks.0.attn.hook_z", { head: 3 })] });
 * ```
 */
export function ablate(
  point: PointTarget,
  { mode = "zero", source, head, pos }: AblateOptions = {},
): AblateEdit {
  if (mode === "resample" && source === undefined)
    throw new Error(
      `ablate(${point instanceof RegExp ? point : JSON.stringify(point)}): mode "resample" needs a source, the cache of another run.`,
    );
  return { kind: "ablate", point, mode, source, head, pos };
}

/**
 * Patches values at a point with those of another run.
 *
 * @param source the cache of that run, or a tensor of the value's shape (a batch of 1 serves all rows)
 *
 * @example
 * ```ts
 * const { cache } = await model.runWithCache(clean);
 * await model.forward(corrupt, { edits: [patch("blocks.1.hook_resid_pre", cache, { pos: 4 })] });
 * ```
 */
export function patch(point: PointTarget, source: Source, { head, pos }: Selection = {}): PatchEdit {
  return { kind: "patch", point, source, head, pos };
}

/** What `add` does beside choosing heads and positions. */
export interface AddOptions extends Selection {
  /** What the vector is multiplied by; 1 by default. With a list, row *i* of the batch has coefficient *i*. */
  readonly coefficient?: number | readonly number[];
}

/**
 * Adds a vector at a point: steering.
 *
 * @param vector of the size of the last axis, or of the last two (`[head, dHead]`)
 *
 * @example
 * ```ts
 * await model.generate(prompt, { edits: [add("blocks.2.hook_resid_pre", direction, { coefficient: 4 })] });
 * ```
 */
export function add(
  point: PointTarget,
  vector: Numbers,
  { coefficient = 1, head, pos }: AddOptions = {},
): AddEdit {
  return { kind: "add", point, vector, coefficient, head, pos };
}

/** Multiplies the values at a point. */
export function scale(point: PointTarget, factor: number, { head, pos }: Selection = {}): ScaleEdit {
  return { kind: "scale", point, factor, head, pos };
}

/** Keeps the values at a point between `min` and `max`. */
export function clamp(
  point: PointTarget,
  {
    min = Number.NEGATIVE_INFINITY,
    max = Number.POSITIVE_INFINITY,
    head,
    pos,
  }: Selection & { min?: number; max?: number },
): ClampEdit {
  return { kind: "clamp", point, min, max, head, pos };
}

/**
 * Removes a direction from the vectors at a point (`x − (x·d̂) d̂`), or with `keep` removes everything else.
 *
 * @param direction of the size of the last axis; its length does not matter
 */
export function project(
  point: PointTarget,
  direction: Numbers,
  { keep = false, head, pos }: Selection & { keep?: boolean } = {},
): ProjectEdit {
  return { kind: "project", point, direction, keep, head, pos };
}

/** Numbers as a row-major tensor. @throws where something else came */
export function toTensor(numbers: Numbers): Tensor {
  if (numbers instanceof Float32Array) return tensor(numbers, [numbers.length]);
  if (Array.isArray(numbers)) return tensor(Float32Array.from(numbers), [numbers.length]);
  const { shape, stride, data } = (numbers ?? {}) as Partial<Tensor>;
  if (!Array.isArray(shape) || !Array.isArray(stride) || !ArrayBuffer.isView(data))
    throw new TypeError(
      `An edit takes numbers as an ndarray, a Float32Array or a list; ${typeof numbers === "object" ? "an object that is none of these" : String(numbers)} came. \`tensor(data, shape)\` makes an ndarray.`,
    );
  const array = contiguous(numbers as Tensor);
  return array.data instanceof Float32Array
    ? array
    : tensor(Float32Array.from(array.data as ArrayLike<number>), array.shape);
}
