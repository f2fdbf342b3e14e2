import type { MimeBundle, WidgetHandle, WidgetHost } from "../host.js";
import { readState } from "../read-state.js";
import { encodeTensor } from "../tensor.js";
import { identityOf } from "../version.js";
import { animationFallback } from "./fallback.js";
import { encodeEdges } from "./graph.js";
import { StepLog } from "./log.js";
import { Measuring } from "./measuring.js";
import { SearchRun } from "./run.js";
import type { AnimationSource } from "./source.js";
import { type AcdcAnimationState, acdcAnimationDefaults, type SearchCommand } from "./state.js";

export type { AnimationSource, DecidedEdge } from "./source.js";
export type { AcdcAnimationState, SearchStatus } from "./state.js";

/** What an animation shows first; the reader can change all of it but the title. */
export interface AcdcAnimationOptions {
  /** A line above the graph. Default: none. */
  readonly title?: string;
  /** How many steps have been taken in what is shown first. Default: all. */
  readonly position?: number;
  /** What the colour of edges says. Default: the input that they lead into in a search, the score in a ranking. */
  readonly colour?: "input" | "score";
  /** Whether the search waits for the reader before its first step. Default false. */
  readonly paused?: boolean;
}

/** A live pruning animation. */
export interface AcdcAnimation {
  readonly handle: WidgetHandle<AcdcAnimationState>;
  /** Resolves when the search is over or stopped; rejects where it has failed. */
  readonly finished: Promise<void>;
  /** Resolves when the widget has caught up; at once, also while a search runs. */
  settled(): Promise<void>;
  /** Makes the search wait behind the step that is being made. */
  pause(): void;
  /** Lets a search that waits go on. */
  resume(): void;
  /** Lets a search that waits make one step. */
  step(): void;
  /** Ends the search; what it has decided stays. */
  stop(): void;
  /** What is shown where no widget runs. */
  fallback(): MimeBundle;
  /** Ends the widget and its work. */
  close(): void;
}

/**
 * Opens a pruning animation: of a search that runs, of one that is over, or of a ranking of edges. The steps of a search
 * are asked for one by one, so that it rests while the reader has it paused.
 *
 * @throws Error where an edge ends at no node
 *
 * @example
 * const animation = createAcdcAnimation(host, source);
 * await animation.finished; // the reader may pause, step and stop the search until then
 */
export function createAcdcAnimation(
  host: WidgetHost,
  source: AnimationSource,
  options: AcdcAnimationOptions = {},
): AcdcAnimation {
  const { search, measure } = source;
  const log = new StepLog(source.log);
  const state: AcdcAnimationState = {
    ...acdcAnimationDefaults,
    title: options.title ?? "",
    kind: source.kind,
    nodes: [...source.nodes],
    edges: encodeEdges(source.nodes, source.edges),
    scores: source.scores ? encodeTensor(Float32Array.from(source.scores), [source.scores.length]) : null,
    ...log.wire(),
    total: source.total,
    next: source.order?.[source.log.length] ?? -1,
    full: source.full ?? finite(source.log[0]?.before),
    metric_name: source.metricName,
    smaller_is_better: source.smallerIsBetter,
    threshold: source.threshold ?? null,
    facts: source.facts ?? [],
    status: search ? (options.paused ? "paused" : "running") : "done",
    can_measure: measure !== undefined,
    position: options.position ?? -1,
    colour: options.colour ?? (source.kind === "search" ? "input" : "score"),
  };
  const handle = host.create(identityOf("AcdcAnimation"), state, animationFallback);
  const run = new SearchRun(handle, log, source);
  const measuring = measure && new Measuring(handle, log, source.edges.length, measure);
  const forget = handle.onMessage((content) => {
    const { method } = (content ?? {}) as Partial<SearchCommand>;
    if (method === "pause" || method === "resume" || method === "step" || method === "stop") run[method]();
    return undefined;
  });
  return {
    handle,
    finished: run.finished,
    settled: () => Promise.resolve(),
    pause: () => run.pause(),
    resume: () => run.resume(),
    step: () => run.step(),
    stop: () => run.stop(),
    fallback: () => animationFallback(readState(handle, acdcAnimationDefaults)),
    close() {
      forget();
      run.stop();
      measuring?.close();
      handle.close();
    },
  };
}

const finite = (value: number | undefined): number | null => (Number.isFinite(value) ? value! : null);
