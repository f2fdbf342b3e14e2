import type { MetricKind, NextTokens, PatchedPoint, PatchingChoices, PatchingResult } from "./state.js";

/** How a sweep tells how far it is, and learns that it is no longer wanted. */
export interface PatchingListener {
  onProgress(done: number, total: number): void;
  readonly signal: AbortSignal;
}

/** What a sweep gives. */
export interface PatchingSweep
  extends Pick<PatchingResult, "labels" | "clean" | "corrupt" | "notes" | "next"> {
  /** The metric with each cell patched, in row-major order; NaN where the sweep did not come to it. */
  readonly metric: Float32Array;
}

/** What the explorer knows of the engine. */
export interface PatchingEngine {
  /** What can be patched. */
  readonly points: readonly PatchedPoint[];
  /** What can be measured. */
  readonly metrics: readonly MetricKind[];
  /** The tokens of a text. */
  tokens(text: string): string[];
  /**
   * Patches every cell of a table.
   *
   * @returns a promise that rejects with a sentence for the reader, such as of prompts that do not correspond. When the
   *   signal is aborted it settles soon, with what was measured by then, or rejects.
   */
  sweep(choices: PatchingChoices, listener: PatchingListener): Promise<PatchingSweep>;
  /** What one cell, by its places along the axes, does to the next token: `patched` has one row. */
  cell(choices: PatchingChoices, place: readonly number[], signal: AbortSignal): Promise<NextTokens>;
}
