/** One decision about an edge. */
export interface DecidedEdge {
  /** The number of the edge. */
  readonly edge: number;
  readonly before: number;
  /** Null where the edge led nowhere, so that it was dropped without a run. */
  readonly after: number | null;
  readonly kept: boolean;
}

/** What an animation is of, and how it asks the engine. */
export interface AnimationSource {
  readonly kind: "search" | "ranking";
  /** The names of the nodes in the order of computation. */
  readonly nodes: readonly string[];
  /** Every edge: the node that sends, and the input that receives, such as `a2.h3<q>`. */
  readonly edges: readonly { readonly from: string; readonly to: string }[];
  /** What a ranking is by, edge by edge. */
  readonly scores?: ArrayLike<number>;
  /** The steps that have been made. */
  readonly log: readonly DecidedEdge[];
  /** How many steps there are when all edges are decided. */
  readonly total: number;
  /** The metric of the whole graph, where it is known. */
  readonly full?: number;
  readonly metricName: string;
  readonly smallerIsBetter: boolean;
  readonly threshold?: number;
  /** The edges in the order in which a search tries them, so that the one under test can be shown. */
  readonly order?: ArrayLike<number>;
  readonly facts?: readonly string[];
  /**
   * The steps that are still to be made; `index` is the place of each in the log. The next is asked for when the reader
   * wants it; an aborted signal ends the work soon, and what has been decided by then is kept.
   */
  readonly search?: (signal: AbortSignal) => AsyncIterator<DecidedEdge & { readonly index: number }>;
  /** The metric of the graph without some edges (1 where an edge is cut). Without it nothing can be cut by hand. */
  readonly measure?: (cut: Uint8Array, signal: AbortSignal) => Promise<number>;
}
