/** What a metric is in a graph. */

import type { Value } from "../../graph/index.js";
import * as g from "../../graph/index.js";
import type { Feed } from "../../runtime/ort.js";
import type { ModelConfig } from "../config.js";

/** The part of a batch that a metric is fed for. */
export interface MetricInput {
  readonly tokens: readonly (readonly number[])[];
  /** 1 at tokens and 0 at padding. */
  readonly mask?: readonly (readonly number[])[];
  /** What the logits are of. */
  readonly task: ModelConfig["task"];
  /** Texts of single tokens, or names of classes, to ids. */
  readonly tokenId: (text: string) => number;
}

/** A metric in a graph: its scalar, and what it is fed. */
export interface LoweredMetric {
  readonly scalar: Value;
  /** The metric of each row, `[batch]`, whose mean is the scalar; missing for metrics that are functions. */
  readonly perRow?: Value;
  readonly feeds: Record<string, Feed>;
}

/** A metric that is the mean over rows. */
export const meanOf = (perRow: Value, feeds: Record<string, Feed>): LoweredMetric => ({
  scalar: g.mean(perRow),
  perRow,
  feeds,
});
