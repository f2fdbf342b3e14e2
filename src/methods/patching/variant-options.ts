/** What variants of a run are made of, and what becomes of them. */

import type { Edit, Metric } from "../../model/index.js";
import type { Batch } from "../../model/input.js";
import type { Progress } from "../../runtime/host.js";
import type { Replacing, Variant } from "./changed-points.js";

/** What variants are made of. */
export interface VariantsOptions {
  /** The prompts of the run that is changed. */
  readonly batch: Batch;
  readonly variants: readonly Variant[];
  readonly replacing: Replacing;
  /** What is measured of each variant; or the points whose values are kept. */
  readonly measure: Metric | readonly string[];
  /** Whether the logits that the metric reads (of the last position, where it reads more) are kept too, as `logits`. */
  readonly logits?: boolean;
  /** Points whose values stay those of the known run. */
  readonly frozen?: readonly string[];
  /** Edits of the known run alone, at points in front of all that variants change. */
  readonly disturbed?: readonly Edit[];
  /** Whether prompts of other runs are padded. */
  readonly padded?: boolean;
}

/** How variants are run. */
export interface VariantsRunOptions {
  /** What is done, as progress is reported. */
  readonly task: string;
  readonly signal?: AbortSignal;
  /** Told how far it has come; the host's by default. */
  readonly onProgress?: (progress: Progress) => void;
}

/** What became of the variants. */
export interface Measured {
  /** For each output its numbers, variant by variant and in each prompt by prompt; NaN where the work was ended before. */
  readonly outputs: Readonly<Record<string, Float32Array>>;
  /** 1 for each variant that was run. */
  readonly done: Uint8Array;
}
