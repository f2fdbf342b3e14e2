import type { WireTensor } from "../tensor.js";

/** Where a search stands; a ranking, and a search that is only replayed, are `done`. */
export type SearchStatus = "running" | "paused" | "stopping" | "stopped" | "done" | "error";

/** The metric of a circuit in which the reader has cut edges. */
export interface Measurement {
  /** How many steps had been taken in the circuit that was cut. */
  readonly position: number;
  /** The numbers of the edges that the reader has cut. */
  readonly cuts: readonly number[];
  readonly metric: number;
}

/** What the reader chose; saved with the notebook. The browser sets these. */
export interface AnimationChoices {
  /** The step that is shown: so many edges have been decided; −1 follows the newest. */
  position: number;
  /** Steps a second of a replay; 0 lets the browser choose by the number of steps. */
  speed: number;
  /** What the colour of edges says: the input that they lead into, or their score. */
  colour: "input" | "score";
  /** Whether edges that were removed leave a trace. */
  show_removed: boolean;
  /** The numbers of the edges that the reader has cut. */
  cuts: readonly number[];
  /** The metric with those edges cut; null until the kernel has measured it. */
  measured: Measurement | null;
}

/**
 * The synchronised state of a pruning animation: a graph, and the steps by which its edges were decided. In a search the
 * steps are those of ACDC; in a ranking the edges are removed from the weakest to the strongest.
 */
export interface AcdcAnimationState extends AnimationChoices {
  title: string;
  kind: "search" | "ranking";
  /** The names of the nodes in the order of computation: `input`, `a0.h1`, `m2`, `logits`. */
  nodes: readonly string[];
  /** int32 `[3, edge]`: the number of the node that sends, of the node that receives, and of its input (`inputNames`). */
  edges: WireTensor | null;
  /** float32 `[edge]`: what a ranking is by; null in a search, whose steps tell. */
  scores: WireTensor | null;
  /** float32 `[step, 4]`: the edge, the metric before, the metric after (NaN where it was not measured), 1 where kept. */
  log: WireTensor | null;
  /** The steps after those of `log`: live steps come here, so that a message stays small. */
  tail: WireTensor | null;
  /** How many steps there are when all edges are decided. */
  total: number;
  /** The edge that a search tries next, behind all steps; −1 where that is not known. */
  next: number;
  /** The metric of the whole graph; null until it is known. */
  full: number | null;
  /** Such as `KL divergence`. */
  metric_name: string;
  smaller_is_better: boolean;
  /** An edge was removed where the metric became worse by less than this; null in a ranking. */
  threshold: number | null;
  /** What else a reader should know, such as `resample ablation`. */
  facts: readonly string[];
  status: SearchStatus;
  /** A sentence where the search has failed. */
  error: string;
  /** Whether the kernel can measure circuits in which edges are cut. */
  can_measure: boolean;
}

/** The inputs that edges lead into, by the numbers in `edges`. */
export const inputNames = ["other", "q", "k", "v"] as const;

/** Numbers in one step of a log. */
export const stepWidth = 4;

/** Browser → kernel: what the search shall do. */
export interface SearchCommand {
  readonly method: "pause" | "resume" | "step" | "stop";
}

/** Browser → kernel: what is the metric after so many steps, and without these edges? */
export interface MeasureRequest {
  readonly method: "measure";
  readonly id: number;
  readonly position: number;
  readonly without: readonly number[];
}

/** Kernel → browser: the answer; `metric` is null where a later request came first, or it failed. */
export interface MeasureAnswer {
  readonly method: "measure";
  readonly id: number;
  readonly metric: number | null;
  readonly error: string;
}

/** An animation before anything is known. */
export const acdcAnimationDefaults: AcdcAnimationState = {
  title: "",
  kind: "search",
  nodes: [],
  edges: null,
  scores: null,
  log: null,
  tail: null,
  total: 0,
  next: -1,
  full: null,
  metric_name: "metric",
  smaller_is_better: true,
  threshold: null,
  facts: [],
  status: "done",
  error: "",
  can_measure: false,
  position: -1,
  speed: 0,
  colour: "input",
  show_removed: false,
  cuts: [],
  measured: null,
};
