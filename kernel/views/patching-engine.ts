/** A model as the engine of the patching explorer. */

import { nearest } from "../../src/graph/index.js";
import {
  type ActivationPatchingOptions,
  activationPatching,
  logitDiff,
  logProb,
  type Metric,
  type Model,
  probDiff,
  type SweepAxis,
  type SweepLogits,
  softmax,
  type Tensor,
  type TopK,
  tensor,
  topK,
} from "../../src/index.js";
import { gridOf } from "../../src/methods/patching/grid.js";
import { usualPoints } from "../../src/methods/patching/points.js";
import { actName } from "../../src/model/names.js";
import type {
  MetricKind,
  NextTokens,
  PatchedPoint,
  PatchingChoices,
  PatchingEngine,
} from "../../widgets/patching-explorer/model.js";
import { encodeTensor } from "../../widgets/tensor.js";

/** What can be measured by the answers that the reader types. */
export const metricKinds: readonly MetricKind[] = [
  { kind: "logitDiff", label: "logit difference", answers: 2 },
  { kind: "probDiff", label: "probability difference", answers: 2 },
  { kind: "logProb", label: "log probability", answers: 1 },
];

/** More cells are no map that can be read, and no longer a matter of moments. */
const mostCells = 4096;
/** So many logits of cells are kept at once (64 MB); of larger sweeps, those of one cell at a time. */
const mostLogits = 2 ** 24;
/** Numbers that the state of a widget holds for next tokens, and tokens of each run that are among them. */
const mostNumbers = 2 ** 18;
const tokensOfRun = 10;

/** What an explorer is made for, beside the model. */
export interface PatchingEngineOptions {
  /** A point, and axes, that are offered whether they are usual or not. */
  readonly at?: string;
  readonly over?: readonly SweepAxis[];
  /** A metric that readers can choose but not edit. */
  readonly given?: Metric;
}

/** A model as the explorer's engine. @throws where the point is none of the model's, or lacks the axes */
export function patchingEngine(
  model: Model,
  { at, over, given }: PatchingEngineOptions = {},
): PatchingEngine {
  const layer = 0;
  const has = (name: string): boolean => model.hookNames.includes(actName(name, layer));
  const names = usualPoints.filter(has);
  if (at !== undefined && !names.includes(at)) {
    if (!model.hookNames.includes(at) && !has(at))
      throw new Error(
        `The model has no "${at}" to patch. The nearest are ${nearest(at, usualPoints).join(", ")}.`,
      );
    names.push(at);
  }
  const points = names.map((name): PatchedPoint => {
    const usual = gridsOf(model, name);
    const wanted = name === at && over !== undefined ? [over.map(String)] : [];
    return {
      at: name,
      grids: [...wanted.filter((one) => !usual.some((grid) => `${grid}` === `${one}`)), ...usual],
    };
  });
  if (at !== undefined && over !== undefined) gridOf(model, model.read([[0]]), { at, over });
  return {
    points,
    metrics:
      given === undefined
        ? metricKinds
        : [{ kind: "given", label: "the given metric", answers: 0 }, ...metricKinds],
    tokens: (text) => model.toStrTokens(text),
    async sweep(choices, { onProgress, signal }) {
      const options = sweepOptions(model, choices, given);
      const cells = gridOf(model, model.read(choices.clean), options).cells.length;
      if (cells > mostCells)
        throw new RangeError(
          `This map has ${cells} cells; the explorer shows ${mostCells}. Choose fewer axes, or call activationPatching.`,
        );
      const keepLogits = cells * model.config.dVocab <= mostLogits;
      onProgress(0, cells);
      const sweep = await activationPatching(model, {
        ...options,
        keepLogits,
        signal,
        onProgress: ({ done, total }) => onProgress(done, total ?? cells),
      });
      return {
        labels: sweep.labels,
        metric: sweep.metric.data as Float32Array,
        clean: sweep.clean!,
        corrupt: sweep.corrupt!,
        notes: sweep.notes,
        next: sweep.logits ? nextTokens(model, sweep.logits, answersOf(model, choices)) : null,
      };
    },
    async cell(choices, place, signal) {
      const options = sweepOptions(model, choices, given);
      const chosen: Record<string, readonly number[]> = {};
      options.over.forEach((axis, i) => {
        chosen[axis === "pos" ? "positions" : `${axis}s`] = [place[i]!];
      });
      const { logits } = await activationPatching(model, { ...options, ...chosen, keepLogits: true, signal });
      signal.throwIfAborted();
      return nextTokens(model, logits!, answersOf(model, choices));
    },
  };
}

/** The tables that a sweep over a point can have. */
function gridsOf(model: Model, at: string): string[][] {
  const isPoint = model.hookNames.includes(at);
  const { axes } = model.parts.engine.site(isPoint ? at : actName(at, 0));
  const front = isPoint ? [] : ["layer"];
  const grids: string[][] = [];
  if (axes.includes("head")) grids.push([...front, "head"]);
  if (axes.includes("pos") || axes.includes("query")) {
    grids.push([...front, "pos"]);
    if (axes.includes("head")) grids.push([...front, "head", "pos"]);
  }
  return grids;
}

function sweepOptions(model: Model, choices: PatchingChoices, given: Metric | undefined) {
  const { clean, corrupt, direction, at, over } = choices;
  const metric = choices.metric === "given" && given ? given : metricOf(model, choices);
  return {
    clean,
    corrupt,
    direction,
    at,
    over: over as readonly SweepAxis[],
    metric,
  } satisfies ActivationPatchingOptions;
}

function metricOf(model: Model, choices: PatchingChoices): Metric {
  const [correct, incorrect] = answersOf(model, choices);
  if (choices.metric === "logProb") return logProb({ token: correct! });
  if (choices.metric === "probDiff") return probDiff({ correct: [correct!], incorrect: [incorrect!] });
  return logitDiff({ correct: correct!, incorrect: incorrect! });
}

/** The answers that the chosen metric is made of. @throws where one is not a single token */
function answersOf(model: Model, { metric, answer, wrong_answer: wrong }: PatchingChoices): number[] {
  const count = metricKinds.find(({ kind }) => kind === metric)?.answers ?? 0;
  return [answer, wrong].slice(0, count).map((text) => model.toSingleToken(text));
}

/** How probable tokens are in all runs: the answers, and those that are likely in some run. */
function nextTokens(
  model: Model,
  { cells, clean, corrupt }: SweepLogits,
  answers: readonly number[],
): NextTokens {
  const vocabulary = model.config.dVocab;
  const count = cells.data.length / vocabulary;
  const of = (logits: Tensor, runs: number): Tensor =>
    softmax(tensor(logits.data, [runs, vocabulary]) as Tensor);
  const [patched, ...known] = [of(cells, count), of(clean!, 1), of(corrupt!, 1)] as const;
  const likeliest = new Map<number, number>(answers.map((token) => [token, 2]));
  for (const { data } of [patched, ...known])
    for (let from = 0; from < data.length; from += vocabulary) {
      const row = data.subarray(from, from + vocabulary) as Float32Array;
      if (row.some(Number.isNaN)) continue; // a sweep was stopped before it
      const [{ indices, values }] = topK(tensor(row, [vocabulary]), tokensOfRun) as [TopK];
      indices.forEach((token, i) => {
        likeliest.set(token, Math.max(likeliest.get(token) ?? 0, values[i]!));
      });
    }
  const most = Math.max(2 * tokensOfRun, Math.floor(mostNumbers / count));
  const tokens = [...likeliest.entries()]
    .sort(([, a], [, b]) => b - a)
    .slice(0, most)
    .map(([token]) => token);
  const pick = ({ data }: Tensor, runs: number): Float32Array =>
    Float32Array.from(
      { length: runs * tokens.length },
      (_, i) => data[Math.floor(i / tokens.length) * vocabulary + tokens[i % tokens.length]!]!,
    );
  return {
    tokens: tokens.map((token) => model.tokenText(token)),
    clean: encodeTensor(pick(known[0], 1), [tokens.length]),
    corrupt: encodeTensor(pick(known[1], 1), [tokens.length]),
    patched: encodeTensor(pick(patched, count), [count, tokens.length]),
  };
}
