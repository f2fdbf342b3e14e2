/** The pruning animation of ACDC, and of circuits that have been found. */

import {
  type AcdcOptions,
  type AcdcStep,
  acdcOrder,
  acdcSteps,
  type Circuit,
  type CircuitTask,
  circuitGraph,
  circuitOfSteps,
  metricName,
} from "../../src/circuits/index.js";
import type { Model } from "../../src/index.js";
import { workSignal } from "../../src/runtime/host.js";
import {
  type AcdcAnimationOptions,
  type AnimationSource,
  createAcdcAnimation,
} from "../../widgets/acdc-animation/model.js";
import { currentKernel, widgetHost } from "../current.js";
import { mimeBundle } from "../display/mime.js";
import { quietly } from "../execution/quietly.js";
import {
  circuitMeter,
  curvePlaces,
  decidedEdges,
  metricFacts,
  metricKindFacts,
  rankingSteps,
} from "./circuit-sources.js";
import { type ShownWidget, shown } from "./widget.js";

export type { AcdcAnimationOptions } from "../../widgets/acdc-animation/model.js";

/** A search for a circuit that is shown while it runs. */
export interface AcdcRun extends ShownWidget {
  /** The circuit, when the search is over or stopped; rejects where the search has failed. */
  readonly circuit: Promise<Circuit>;
  /** The circuit as it is now; `acdc` and `acdcAnimation` resume from its `log`. */
  readonly soFar: Circuit;
  /** Makes the search wait behind the step that is being made. */
  pause(): void;
  /** Lets a search that waits go on. */
  resume(): void;
  /** Lets a search that waits make one step. */
  step(): void;
  /** Ends the search: `circuit` is then what is left of the graph. */
  stop(): void;
  /**
   * Shows the animation beside the cell, and gives the circuit when the search is over. The picture for places where no
   * widget runs then shows the end.
   */
  show(): Promise<Circuit>;
}

/**
 * Searches for the circuit of a task by ACDC, and shows each decision while it is made. The reader can pause, step and
 * stop the search, look back at any step, and cut edges by hand.
 *
 * The search goes on behind the cell until it is over, stopped in the widget or interrupted: what has been decided by then
 * is a circuit from which it can be resumed.
 *
 * @throws what `acdc` throws; Error outside a notebook
 *
 * @example
 * ```ts
 * const prompts = ioi({ count: 16, seed: 1 });
 * const run = await acdcAnimation(model, {
 *   clean: prompts.map(({ clean }) => clean),
 *   corrupt: prompts.map(({ corrupt }) => corrupt),
 *   threshold: 0.02,
 * });
 * const circuit = await run.show();
 * ```
 */
export async function acdcAnimation(
  model: Model,
  options: AcdcOptions & AcdcAnimationOptions,
): Promise<AcdcRun> {
  const host = widgetHost();
  const { title, position, colour, paused, onStep, resume = [], splitInput = false, ...rest } = options;
  const graph = circuitGraph(model.config, splitInput);
  const facts = metricFacts(options.metric);
  const { threshold, ablation = "resample", mode = "exact", order = "reverse" } = options;
  const settings = { threshold, ablation, mode, order };
  const origin = { model: model.name, splitInput, settings, metricKind: metricName(options.metric) };
  const log: AcdcStep[] = [...resume];
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([stop.signal, options.signal]) : stop.signal;

  // Not as part of the cell: its end must not end the search, and the animation is its progress.
  return quietly(async () => {
    workSignal()?.addEventListener("abort", () => stop.abort(), { once: true });
    const steps = acdcSteps(model, { ...rest, splitInput, resume, signal });
    // The first step tells of what is wrong with the task, before anything is shown.
    let next: Promise<IteratorResult<AcdcStep, Circuit>> | undefined = Promise.resolve(await steps.next());
    let found: Circuit | undefined;
    const decided = decidedEdges(graph.edges);
    const meter = circuitMeter(model, { ...rest, splitInput });
    const source: AnimationSource = {
      kind: "search",
      nodes: graph.nodes,
      edges: graph.edges,
      log: resume.map(decided),
      total: graph.edgeCount,
      order: acdcOrder(graph, order),
      threshold,
      facts: [`threshold ${threshold}`, `${ablation} ablation`, ...(mode === "fast" ? ["fast mode"] : [])],
      ...facts,
      search: (ended) => {
        ended.addEventListener("abort", () => stop.abort(), { once: true });
        return {
          async next() {
            const { done, value } = await (next ?? steps.next());
            next = undefined;
            if (done) {
              found = value;
              return { done, value: undefined };
            }
            log.length = value.index;
            log.push(value);
            await onStep?.(value);
            return { done: false, value: decided(value) };
          },
        };
      },
      measure: async (cut, ended) => (await meter([cut], ended))[0]!,
    };
    const animation = createAcdcAnimation(host, source, { title, position, colour, paused });
    const soFar = (): Circuit => found ?? circuitOfSteps(graph, log, origin);
    const circuit = animation.finished.then(soFar);
    circuit.catch(() => {}); // the widget says so too
    // Also a search that the reader has paused is ended by an interrupt.
    signal.addEventListener("abort", animation.stop, { once: true });
    const face = shown(animation);
    return Object.defineProperties(face, {
      circuit: { value: circuit },
      soFar: { get: soFar },
      pause: { value: animation.pause },
      resume: { value: animation.resume },
      step: { value: animation.step },
      stop: { value: animation.stop },
      show: { value: () => showUntil(face, circuit) },
    }) as AcdcRun;
  });
}

/** Shows a widget beside the cell, and again when something is over, so that its static picture is the last one. */
async function showUntil<T>(widget: ShownWidget, over: Promise<T>): Promise<T> {
  const place = currentKernel().displayer.replaceable();
  const show = async (): Promise<void> => place((await mimeBundle(widget))!);
  await show();
  const value = await over.finally(show);
  return value;
}

/** What `circuitAnimation` shows and can measure. */
export interface CircuitAnimationOptions extends AcdcAnimationOptions, Partial<CircuitTask> {
  /** The model of the circuit: with it, and the prompts, edges can be cut by hand and are measured. */
  readonly model?: Model;
  /** At how many sizes a ranking of edges is measured for its chart; 12 by default, 0 for none. */
  readonly curve?: number;
}

/**
 * Shows a circuit that has been found: the steps of ACDC as a replay; scores of edges, as `edgeAttribution` gives them, as
 * a ranking with a threshold slider.
 *
 * @throws where the model is given without its prompts, or is not the circuit's; Error outside a notebook
 *
 * @example
 * ```ts
 * const scored = await edgeAttribution(model, { clean, corrupt, metric });
 * await circuitAnimation(scored, { model, clean, corrupt, metric });
 * ```
 */
export async function circuitAnimation(
  circuit: Circuit,
  options: CircuitAnimationOptions = {},
): Promise<ShownWidget> {
  const host = widgetHost();
  const { title, position, colour, model, clean, curve = 12, ...task } = options;
  const { origin, log } = circuit;
  if (model && clean === undefined)
    throw new Error("To measure circuits, the animation takes the prompts of the task too: give `clean`.");
  if (model) checkModel(model, circuit);
  const meter =
    model && clean !== undefined
      ? circuitMeter(model, { ...task, clean, splitInput: origin.splitInput })
      : undefined;
  const measured: Measured = {
    ...(meter ? metricFacts(options.metric) : metricKindFacts(origin.metricKind)),
    measure: meter && (async (cut, signal) => (await meter([cut], signal))[0]!),
  };
  const { settings } = origin;
  const { source, start } =
    log.length > 0 && settings
      ? replayOf(circuit, settings, measured)
      : await rankingOf(circuit, measured, curve > 0 ? meter : undefined, curve);
  return shown(createAcdcAnimation(host, source, { title, colour, position: position ?? start }));
}

type Measured = Pick<AnimationSource, "metricName" | "smallerIsBetter" | "measure">;

/** What is shown, and after how many steps the animation stands at first; at the end by default. */
interface Show {
  readonly source: AnimationSource;
  readonly start?: number;
}

/** The steps of a search that is over. */
function replayOf(
  { nodes, edges, log }: Circuit,
  { threshold, ablation }: NonNullable<Circuit["origin"]["settings"]>,
  measured: Measured,
): Show {
  const source: AnimationSource = {
    ...measured,
    kind: "search",
    nodes,
    edges,
    total: edges.length,
    log: log.map(decidedEdges(edges)),
    threshold,
    facts: [`threshold ${threshold}`, `${ablation} ablation`],
  };
  return { source };
}

/** A ranking of edges, at the circuit's own size, with the metric at some sizes where it can be measured. */
async function rankingOf(
  { nodes, edges, origin }: Circuit,
  measured: Measured,
  meter: ReturnType<typeof circuitMeter> | undefined,
  curve: number,
): Promise<Show> {
  const scores = Float64Array.from(edges, ({ score }) => score);
  const steps = rankingSteps(scores);
  const weakest = steps.findIndex(({ edge }) => edges[edge]!.kept);
  let full: number | undefined;
  if (meter) {
    const places = [...new Set([...curvePlaces(edges.length, curve), Math.max(0, weakest)])];
    const values = await meter(places.map((count) => cutsOf(steps.slice(0, count), edges.length)));
    full = values[0];
    places.forEach((count, i) => {
      if (count > 0) steps[count - 1] = { ...steps[count - 1]!, after: values[i]! };
      if (count < steps.length) steps[count] = { ...steps[count]!, before: values[i]! };
    });
  }
  const source: AnimationSource = {
    ...measured,
    kind: "ranking",
    nodes,
    edges,
    total: edges.length,
    scores,
    log: steps,
    facts: [origin.method],
    full,
  };
  return { source, start: weakest < 0 ? edges.length : weakest };
}

function cutsOf(steps: readonly { readonly edge: number }[], edges: number): Uint8Array {
  const cuts = new Uint8Array(edges);
  for (const { edge } of steps) cuts[edge] = 1;
  return cuts;
}

function checkModel(model: Model, { edges, origin }: Circuit): void {
  const own = circuitGraph(model.config, origin.splitInput).edges;
  const at = edges.findIndex(({ name }, i) => name !== own[i]?.name);
  if (own.length !== edges.length || at >= 0)
    throw new Error(
      `The circuit is of ${origin.model} and has ${edges.length} edges; the graph of ${model.name} has ${own.length}${at >= 0 ? `, without ${edges[at]!.name} in its place` : ""}.`,
    );
}
