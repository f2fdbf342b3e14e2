/**
 * ACDC (Conmy et al. 2023, "Towards Automated Circuit Discovery for Mechanistic Interpretability"): edges are tried one by
 * one from the logits backwards, and an edge whose removal makes the metric worse by less than a threshold is removed.
 */

import type { Model } from "../model/index.js";
import { reportProgress, workSignal } from "../runtime/host.js";
import type { AcdcSettings, AcdcStep } from "./acdc-steps.js";
import type { Circuit } from "./circuit.js";
import { acdcOrder } from "./circuit-graph.js";
import { circuitOfSteps } from "./circuit-of-steps.js";
import { EdgePatching } from "./edge-patching.js";
import { type Cuts, reachingLogits, receiverOwners } from "./reach.js";
import { graphOf } from "./setting.js";
import { type CircuitTask, metricName, smallerIsBetter } from "./task.js";

/** Options of `acdc`. */
export interface AcdcOptions extends CircuitTask, Partial<AcdcSettings> {
  /**
   * An edge is removed where the metric becomes worse by less than this, in the metric's unit. Worse is larger for
   * divergences, losses and functions, and smaller for logit differences, log probabilities and differences of
   * probabilities.
   */
  readonly threshold: number;
  /**
   * `"exact"` (default): the decisions of the paper's algorithm. `"fast"`: all edges into one input are tried on the same
   * circuit and removed together, which takes fewer runs and may remove more.
   */
  readonly mode?: "exact" | "fast";
  /** The senders of each input from the last to the first (`"reverse"`, the default) or from the first on (`"normal"`). */
  readonly order?: "reverse" | "normal";
  /**
   * Whether edges into nodes that no longer lead to the logits are dropped without trying them; true by default. It changes
   * how many evaluations are made, and not the circuit, unless the threshold is below or at zero.
   */
  readonly removeRedundant?: boolean;
  /** Called after each step; the search goes on when what it returns is settled, so that it can be paused. */
  readonly onStep?: (step: AcdcStep) => void | Promise<void>;
  /** The steps of a search that was ended: it goes on behind them. */
  readonly resume?: readonly AcdcStep[];
}

/**
 * Searches for the circuit of a task.
 *
 * Several edges are tried in one run: each row guesses how the edges before it are decided, and rows behind a wrong guess
 * are thrown away, so that the decisions are those of trying them one by one.
 *
 * @returns the circuit; where the work was ended by a signal, what is left of the graph by then (`finished` is false, and
 * its `log` resumes the search). The score of an edge is how much worse the metric became without it; 0 where the edge led
 * nowhere.
 * @throws where the threshold is below zero, prompts do not correspond, or the metric is not finite
 *
 * @example
 * ```ts
 * const { model: program, prompts } = inductionProgram();
 * const drawn = prompts({ count: 8 });
 * const found = await acdc(program, {
 *   clean: drawn.map(({ clean }) => clean),
 *   corrupt: drawn.map(({ corrupt }) => corrupt),
 *   threshold: 0.01,
 * });
 * found.keptEdges.map(({ name }) => name); // five edges; positions are the same in all prompts
 * ```
 */
export async function acdc(model: Model, options: AcdcOptions): Promise<Circuit> {
  const steps = acdcSteps(model, options);
  for (;;) {
    const { done, value } = await steps.next();
    if (done) return value;
    await options.onStep?.(value);
  }
}

/**
 * The search of `acdc`, step by step: the next step is made when it is asked for.
 *
 * @returns the circuit, when all steps are made or the signal has ended the work
 */
export async function* acdcSteps(
  model: Model,
  options: Omit<AcdcOptions, "onStep">,
): AsyncGenerator<AcdcStep, Circuit> {
  const settings = settingsOf(options);
  const { threshold, mode, order } = settings;
  const { removeRedundant = true, resume = [], signal, splitInput = false } = options;
  const ended = (): boolean => workSignal(signal)?.aborted === true;
  const graph = graphOf(model, options);
  const sequence = acdcOrder(graph, order);
  const owner = receiverOwners(graph);
  const metricKind = metricName(options.metric);
  const sign = smallerIsBetter(metricKind) ? 1 : -1;
  const cuts: Cuts = new Uint8Array(graph.edgeCount);
  const log: AcdcStep[] = [];
  let metric = Number.NaN;
  let evaluations = 1;
  let edgesLeft = graph.edgeCount;
  const record = (edge: number, after: number | null, kept: boolean): AcdcStep => {
    const before = metric;
    if (!kept) {
      cuts[edge] = 1;
      edgesLeft--;
      if (after !== null) metric = after;
    }
    if (after !== null) evaluations++;
    const step: AcdcStep = {
      index: log.length,
      total: sequence.length,
      edge: graph.edges[edge]!.name,
      metricBefore: before,
      metricAfter: after,
      kept,
      edgesLeft,
      evaluations,
    };
    log.push(step);
    return step;
  };
  const circuit = (): Circuit =>
    circuitOfSteps(graph, log, { model: model.name, splitInput, settings, metric, metricKind });

  const tell = (): void =>
    reportProgress({
      task: "circuit search",
      done: log.length,
      total: sequence.length,
      values: { edgesLeft },
    });

  let patching: EdgePatching | undefined;
  try {
    patching = await EdgePatching.prepare(model, options);
    const guess = new Guesses(mode === "fast" ? Number.POSITIVE_INFINITY : patching.rowsAtOnce);
    metric = resume[0]?.metricBefore ?? (await patching.evaluate([cuts], signal))[0]!;
    const known = mode === "fast" ? wholeInputs(resume, sequence, graph.edges) : resume;
    for (const step of known) {
      const edge = sequence[log.length];
      if (edge === undefined || graph.edges[edge]!.name !== step.edge)
        throw new Error(
          `Step ${log.length} of the log tries ${step.edge}; this search tries ${edge === undefined ? "no more edges" : graph.edges[edge]!.name}. Resume with the model and the order of the log.`,
        );
      record(edge, step.metricAfter, step.kept);
    }
    if (mode === "fast" && known.length > 0) [metric] = (await patching.evaluate([cuts], signal)) as [number];
    while (log.length < sequence.length) {
      const first = graph.edges[sequence[log.length]!]!;
      const node = owner[first.group]![first.receiver]!;
      const into = upcoming(sequence, log.length, (edge) => sameReceiver(graph.edges[edge]!, first));
      const reaching = reachingLogits(graph, cuts);
      if (removeRedundant && node >= 0 && !reaching[node]) {
        for (const edge of into) yield record(edge, null, false);
        continue;
      }
      // Whether a head leads anywhere does not change while inputs of its own kind are tried.
      const live = (edge: number): boolean => {
        const { group, receiver } = graph.edges[edge]!;
        const own = owner[group]![receiver]!;
        return group === first.group && (!removeRedundant || own < 0 || reaching[own] === 1);
      };
      const batch = mode === "fast" ? into : upcoming(sequence, log.length, live).slice(0, guess.count);
      const values = await patching.evaluate(
        rowsOf(cuts, batch, mode === "fast" ? false : guess.removed),
        signal,
      );
      tell();
      if (mode === "fast") {
        const before = metric;
        for (const [i, edge] of batch.entries()) {
          const kept = sign * (values[i]! - before) >= threshold;
          const step = record(edge, values[i]!, kept);
          metric = before;
          yield step;
        }
        [metric] = (await patching.evaluate([cuts], signal)) as [number];
        continue;
      }
      for (const [i, edge] of batch.entries()) {
        const kept = !(sign * (values[i]! - metric) < threshold);
        const guessed = guess.removed !== kept;
        guess.learn(!kept, guessed, i === batch.length - 1);
        yield record(edge, values[i]!, kept);
        if (!guessed) break;
      }
    }
    tell();
  } catch (error) {
    if (!ended()) throw error;
  } finally {
    await patching?.release();
  }
  return circuit();
}

/** How the next edges are decided, as far as that can be guessed: as the last one was. */
class Guesses {
  /** Whether the next edges are guessed to be removed. */
  removed = true;
  /** How many edges are tried at once. */
  count = 1;

  constructor(private readonly most: number) {}

  learn(removed: boolean, guessed: boolean, isLast: boolean): void {
    if (!guessed) {
      this.removed = removed;
      this.count = Math.max(1, Math.ceil(this.count / 2));
    } else if (isLast) this.count = Math.min(this.most, this.count * 2);
  }
}

/** The edges from a place of the sequence on, as long as they belong together. */
function upcoming(sequence: readonly number[], from: number, belongs: (edge: number) => boolean): number[] {
  let end = from;
  while (end < sequence.length && belongs(sequence[end]!)) end++;
  return sequence.slice(from, end);
}

type Place = { readonly group: number; readonly receiver: number };
const sameReceiver = (a: Place, b: Place): boolean => a.group === b.group && a.receiver === b.receiver;

/** The steps of a log up to the last input whose edges are all in it: the fast mode decides on those together. */
function wholeInputs(
  log: readonly AcdcStep[],
  sequence: readonly number[],
  edges: readonly Place[],
): readonly AcdcStep[] {
  let end = Math.min(log.length, sequence.length);
  while (end > 0 && end < sequence.length && sameReceiver(edges[sequence[end]!]!, edges[sequence[end - 1]!]!))
    end--;
  return log.slice(0, end);
}

/** For each edge of a batch the circuit without it; with those before it removed, where that is the guess. */
function rowsOf(cuts: Cuts, batch: readonly number[], removed: boolean): Cuts[] {
  const current = cuts.slice();
  return batch.map((edge) => {
    const row = current.slice();
    row[edge] = 1;
    if (removed) current[edge] = 1;
    return row;
  });
}

function settingsOf(options: Omit<AcdcOptions, "onStep">): AcdcSettings {
  const { threshold, ablation = "resample", mode = "exact", order = "reverse" } = options;
  if (typeof threshold !== "number" || !(threshold >= 0))
    throw new Error(
      `ACDC takes a threshold of 0 or more; ${threshold} came. Below zero, edges without any effect would be kept.`,
    );
  if (mode !== "exact" && mode !== "fast")
    throw new TypeError(`A mode is "exact" or "fast"; "${mode}" came.`);
  if (order !== "reverse" && order !== "normal")
    throw new TypeError(`An order is "reverse" or "normal"; "${order}" came.`);
  return { threshold, ablation, mode, order };
}
