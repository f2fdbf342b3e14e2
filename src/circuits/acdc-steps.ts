/** The steps of ACDC: the log of a search, what an animation shows, and what a search is resumed from. */

/** One edge that was tried. Plain data. */
export interface AcdcStep {
  /** Its place in the order of the search, from 0 on. */
  readonly index: number;
  /** How many edges there are to try in all. */
  readonly total: number;
  /** The edge, such as `a0.h1->a2.h3<q>`. */
  readonly edge: string;
  /** The metric of the circuit before. */
  readonly metricBefore: number;
  /** The metric without the edge; null where the edge led nowhere, so that it was dropped without a run. */
  readonly metricAfter: number | null;
  /** Whether the edge stays in the circuit. */
  readonly kept: boolean;
  /** Edges that are left in the circuit, those not yet tried among them. */
  readonly edgesLeft: number;
  /** Evaluations of the metric so far, counted as in the paper: one for the full model and one for each edge tried. */
  readonly evaluations: number;
}

/** What is shown of a search beside its steps. */
export interface AcdcSettings {
  readonly threshold: number;
  readonly ablation: "resample" | "zero" | "mean";
  readonly mode: "exact" | "fast";
  readonly order: "reverse" | "normal";
}
