/** Judging circuits: how much of what a model does they do, and how well scores tell true edges from others. */

import { randomGenerator } from "../array/index.js";
import type { Model } from "../model/index.js";
import type { Circuit } from "./circuit.js";
import { type CircuitGraph, edgeNumbers } from "./circuit-graph.js";
import { EdgePatching } from "./edge-patching.js";
import { canJudgeOnce, judgeOnce } from "./judge-once.js";
import type { Cuts } from "./reach.js";
import { circuitSetting } from "./setting.js";
import type { CircuitTask } from "./task.js";

/** Options of `evaluateCircuit`. */
export interface EvaluateCircuitOptions extends CircuitTask {
  /** How many random circuits with as many edges are evaluated as the null; none by default. */
  readonly random?: number;
  /** For the random circuits and the interval; 0 by default. */
  readonly seed?: number | string;
}

/** How good a circuit is. */
export interface CircuitEvaluation {
  /** (metric − empty) / (full − empty): 1 where the circuit does all that the model does, 0 where it does nothing. */
  readonly faithfulness: number;
  /** The 95% interval of the faithfulness, by bootstrap over prompts; undefined for metrics that are functions. */
  readonly interval?: readonly [number, number];
  /** The metric of the circuit. */
  readonly metric: number;
  /** The metric of the model. */
  readonly full: number;
  /** The metric with every edge cut. */
  readonly empty: number;
  /** How many edges the circuit keeps. */
  readonly edges: number;
  /** The faithfulness of the random circuits. */
  readonly random: readonly number[];
}

/** How often prompts are drawn for the interval. */
const DRAWS = 2000;

/**
 * Evaluates a circuit: every edge that it does not keep is cut.
 *
 * @throws where the circuit is of another model, or model and empty circuit have the same metric
 *
 * @example
 * ```ts
 * const { model: program, prompts } = inductionProgram();
 * const drawn = prompts({ count: 8 });
 * const task = { clean: drawn.map(({ clean }) => clean), corrupt: drawn.map(({ corrupt }) => corrupt) };
 * const induction = await acdc(program, { ...task, threshold: 0.01 });
 * const judged = await evaluateCircuit(program, induction, { ...task, random: 10 });
 * judged.faithfulness; // such as 1
 * ```
 */
export async function evaluateCircuit(
  model: Model,
  circuit: Circuit,
  options: EvaluateCircuitOptions,
): Promise<CircuitEvaluation> {
  const { random = 0, seed = 0, signal } = options;
  const setting = await circuitSetting(model, { splitInput: circuit.origin.splitInput, ...options });
  const { graph, prompts } = setting;
  const kept = circuit.keptEdges.map(({ name }) => name);
  const own = keeping(graph, edgeNumbers(graph, kept));
  const generator = randomGenerator(seed);
  const all = Array.from({ length: graph.edgeCount }, (_, i) => i);
  const nulls = Array.from({ length: random }, () => keeping(graph, generator.sample(all, kept.length)));
  const evaluateAll = async (): Promise<Float64Array[]> => {
    const patching = await EdgePatching.on(setting, { signal });
    const choices = [keeping(graph, all), keeping(graph, []), own, ...nulls];
    return patching.evaluatePrompts(choices, signal).finally(() => patching.release());
  };
  const isOne = random === 0 && canJudgeOnce(setting);
  const values = isOne ? await judgeOnce(setting, own, { signal }) : await evaluateAll();
  const means = values.map(mean);
  const [full, empty, metric] = means as [number, number, number];
  checkRange(full, empty);
  const share = (value: number): number => (value - empty) / (full - empty);
  const [ofFull, ofEmpty, ofCircuit] = values as [Float64Array, Float64Array, Float64Array];
  const draws = generator.fork("interval");
  const interval =
    prompts > 1 && ofFull.length === prompts
      ? bootstrap(
          ofFull.length,
          (rows) => {
            const [a, b, c] = [ofFull, ofEmpty, ofCircuit].map((list) => mean(rows.map((row) => list[row]!)));
            return (c! - b!) / (a! - b!);
          },
          () => draws.integer(ofFull.length),
        )
      : undefined;
  return {
    faithfulness: share(metric),
    ...(interval ? { interval } : {}),
    metric,
    full,
    empty,
    edges: kept.length,
    random: means.slice(3).map(share),
  };
}

/** Options of `circuitCurve`. */
export interface CircuitCurveOptions extends CircuitTask {
  /** The shares of edges that circuits keep; by default those of MIB: 0.1% to 100% in ten steps. */
  readonly shares?: readonly number[];
  /** How the edges are chosen; `"greedy"` by default, as MIB does. */
  readonly choose?: "greedy" | "top";
  /** Whether large negative scores count as large; true by default. */
  readonly absolute?: boolean;
}

/** The faithfulness of circuits of growing size. */
export interface CircuitCurve {
  readonly shares: readonly number[];
  readonly faithfulness: readonly number[];
  /** Edges that each circuit keeps. */
  readonly edges: readonly number[];
  /** MIB's circuit performance ratio: the area under the faithfulness (trapezoids); larger is better. */
  readonly cpr: number;
  /** MIB's circuit–model distance: the area between the faithfulness and 1; smaller is better. */
  readonly cmd: number;
}

/**
 * The faithfulness of circuits of several sizes, chosen by the scores of one, and the two areas by which MIB compares
 * methods (Mueller et al. 2025, "MIB: A Mechanistic Interpretability Benchmark").
 *
 * @throws where the shares do not rise from above 0 to 1, or model and empty circuit have the same metric
 * @example
 * ```ts
 * const { model: program, prompts } = inductionProgram();
 * const [{ clean: one, corrupt: other, answer, wrongAnswer }] = prompts({ count: 1 });
 * const metric = logitDiff({ correct: answer, incorrect: wrongAnswer });
 * const scored = await edgeAttribution(program, { clean: one, corrupt: other, metric });
 * const { cpr } = await circuitCurve(program, scored, { clean: one, corrupt: other, metric });
 * ```
 */
export async function circuitCurve(
  model: Model,
  scored: Circuit,
  options: CircuitCurveOptions,
): Promise<CircuitCurve> {
  const { shares = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1], choose = "greedy" } = options;
  const { absolute = true, signal } = options;
  if (shares.length < 2 || shares.some((share, i) => !(share > (shares[i - 1] ?? 0) && share <= 1)))
    throw new RangeError("The shares of edges are rising numbers above 0 up to 1, two or more of them.");
  const patching = await EdgePatching.prepare(model, { splitInput: scored.origin.splitInput, ...options });
  const { graph } = patching;
  const circuits = shares.map((share) => scored[choose](Math.round(share * graph.edgeCount), { absolute }));
  const names = circuits.map(({ keptEdges }) => keptEdges.map(({ name }) => name));
  const all = graph.edges.map(({ name }) => name);
  const choices = [all, [], ...names].map((kept) => keeping(graph, edgeNumbers(graph, kept)));
  const values = await patching.evaluate(choices, signal).finally(() => patching.release());
  const [full, empty, ...metrics] = values as [number, number, ...number[]];
  checkRange(full, empty);
  const faithfulness = metrics.map((metric) => (metric - empty) / (full - empty));
  return {
    shares,
    faithfulness,
    edges: names.map(({ length }) => length),
    cpr: area(shares, faithfulness),
    cmd: area(
      shares,
      faithfulness.map((value) => Math.abs(1 - value)),
    ),
  };
}

/**
 * How well scores tell the true edges from others: the area under the receiver operating characteristic of |score|, the
 * chance that a true edge has a larger one than another edge; 1 at best, 0.5 by chance.
 *
 * @throws where no edge is true, or all are
 */
export function edgeAuc(scored: Circuit, trueEdges: readonly string[]): number {
  const known = new Set(scored.keep(trueEdges).keptEdges.map(({ name }) => name));
  const others = scored.edges.length - known.size;
  if (known.size === 0 || others === 0)
    throw new Error("The area under the curve needs true edges, and others beside them.");
  const sorted = [...scored.edges].sort((a, b) => Math.abs(a.score) - Math.abs(b.score));
  let sum = 0;
  for (let start = 0; start < sorted.length; ) {
    let end = start;
    while (end < sorted.length && Math.abs(sorted[end]!.score) === Math.abs(sorted[start]!.score)) end++;
    const rank = (start + end + 1) / 2; // equal scores share their mean rank
    sum += rank * sorted.slice(start, end).filter(({ name }) => known.has(name)).length;
    start = end;
  }
  return (sum - (known.size * (known.size + 1)) / 2) / (known.size * others);
}

/** Cuts of all edges but these. */
function keeping(graph: CircuitGraph, edges: readonly number[]): Cuts {
  const cuts = new Uint8Array(graph.edgeCount).fill(1);
  for (const edge of edges) cuts[edge] = 0;
  return cuts;
}

const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((a, b) => a + b, 0) / values.length;

function checkRange(full: number, empty: number): void {
  if (full === empty)
    throw new Error(
      `The metric is ${full} with all edges and with none, so a circuit cannot be placed between the two: choose another metric, or corrupt prompts with other answers.`,
    );
}

/** The 2.5% and 97.5% quantiles of a statistic of rows that are drawn with replacement. */
function bootstrap(
  count: number,
  statistic: (rows: readonly number[]) => number,
  draw: () => number,
): [number, number] {
  const values = Array.from({ length: DRAWS }, () => statistic(Array.from({ length: count }, draw)));
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))]!;
  return [at(0.025), at(0.975)];
}

/** The area under a line through points, by trapezoids. */
function area(x: readonly number[], y: readonly number[]): number {
  return x.slice(1).reduce((sum, right, i) => sum + ((right - x[i]!) * (y[i]! + y[i + 1]!)) / 2, 0);
}
