import type { AnimationSource, DecidedEdge } from "../../widgets/acdc-animation/model.js";

/** The nodes and edges of a model of a size, as circuits have them. */
export function modelGraph(layers: number, heads: number): Pick<AnimationSource, "nodes" | "edges"> {
  const senders = ["input"];
  const edges: { from: string; to: string }[] = [];
  const receive = (to: string, from: readonly string[]): void => {
    for (const sender of from) edges.push({ from: sender, to });
  };
  for (let layer = 0; layer < layers; layer++) {
    const before = [...senders];
    for (const input of ["q", "k", "v"])
      for (let head = 0; head < heads; head++) receive(`a${layer}.h${head}<${input}>`, before);
    for (let head = 0; head < heads; head++) senders.push(`a${layer}.h${head}`);
    receive(`m${layer}`, senders);
    senders.push(`m${layer}`);
  }
  receive("logits", senders);
  return { nodes: [...senders, "logits"], edges };
}

/** The steps of a search that tries edges from the last on and keeps every so many of them. */
export function searchSteps(edges: number, every: number): DecidedEdge[] {
  let metric = 0;
  return Array.from({ length: edges }, (_, index) => {
    const edge = edges - 1 - index;
    const before = metric;
    const kept = index % every === 0;
    const dropped = !kept && index % 5 === 1;
    const after = dropped ? null : before + (kept ? 0.5 : 0.001);
    if (!kept && after !== null) metric = after;
    return { edge, before, after, kept };
  });
}

/** A search of which nothing has been done, or all of it. */
export function circuitSource(
  { layers = 2, heads = 2, every = 4, done = false } = {},
  more: Partial<AnimationSource> = {},
): AnimationSource & { readonly steps: readonly DecidedEdge[] } {
  const graph = modelGraph(layers, heads);
  const steps = searchSteps(graph.edges.length, every);
  return {
    kind: "search",
    ...graph,
    steps,
    log: done ? steps : [],
    total: steps.length,
    metricName: "KL divergence",
    smallerIsBetter: true,
    threshold: 0.01,
    facts: ["threshold 0.01", "resample ablation"],
    ...more,
  };
}

/** A search whose steps are there when they are asked for. */
export class SteppedSearch {
  /** How many steps have been asked for. */
  asked = 0;
  signal: AbortSignal | undefined;
  /** Awaited before each step. */
  pause: (index: number) => Promise<void> | void = () => {};

  constructor(private readonly steps: readonly DecidedEdge[]) {}

  readonly start = (signal: AbortSignal): AsyncIterator<DecidedEdge & { readonly index: number }> => {
    this.signal = signal;
    return {
      next: async () => {
        const index = this.asked++;
        await this.pause(index);
        if (signal.aborted || index >= this.steps.length) return { done: true, value: undefined };
        return { done: false, value: { ...this.steps[index]!, index } };
      },
    };
  };
}
