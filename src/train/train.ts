/** The training loop: for language models, sparse autoencoders and probes alike. */

import { exists } from "../array/index.js";
import type { Value } from "../graph/index.js";
import * as g from "../graph/index.js";
import { reportProgress, workSignal } from "../runtime/host.js";
import type { Feed } from "../runtime/ort.js";
import { Runtime } from "../runtime/plan.js";
import { type AdamOptions, adamState, adamStep, type ParameterMap } from "./adam.js";
import { readCheckpoint, writeCheckpoint } from "./checkpoint.js";
import type { Schedule } from "./schedule.js";

/** What is trained. */
export interface Objective {
  /** A scalar graph value; its parameters are the leaves made by `parameter`. */
  readonly loss: Value;
  /** Further graph values to report, such as parts of the loss; scalars. */
  readonly report?: Readonly<Record<string, Value>>;
  /** The parameters, which training changes in place. */
  readonly parameters: ParameterMap;
}

/** What a step is told after it is done. */
export interface TrainingStep {
  /** Steps done, from 1 on. */
  readonly step: number;
  readonly loss: number;
  readonly report: Readonly<Record<string, number>>;
  readonly learningRate: number;
  /** The length of the gradient before clipping. */
  readonly gradientNorm: number;
}

/** How training goes. */
export interface TrainOptions {
  /** Steps in all, those of an earlier run counted in. */
  readonly steps: number;
  /** The inputs of a step, counted from 0. It must depend on the step alone, so that a resumed run sees the same. */
  readonly batch: (step: number) => Readonly<Record<string, Feed>> | Promise<Readonly<Record<string, Feed>>>;
  readonly schedule: Schedule;
  readonly adam?: AdamOptions;
  /** The longest gradient; longer ones are shortened to it. No limit by default. */
  readonly clipNorm?: number;
  /** Where and how often the training is kept. If the file is there, training goes on from it. */
  readonly checkpoint?: { readonly path: string; readonly every: number };
  /** Called after each step. */
  readonly onStep?: (step: TrainingStep) => void | Promise<void>;
  /** Ends the training after the step that is under way, and keeps a checkpoint. */
  readonly signal?: AbortSignal;
}

/** How training went. */
export interface TrainingResult {
  /** Steps done in all. */
  readonly steps: number;
  /** The loss of each step of this run. */
  readonly losses: readonly number[];
}

/**
 * Minimises a loss with Adam.
 *
 * @throws if the loss or the gradient is no finite number, with the step; the parameters are then those before it
 */
export async function train(objective: Objective, options: TrainOptions): Promise<TrainingResult> {
  const { steps, schedule, clipNorm = Number.POSITIVE_INFINITY, checkpoint, onStep } = options;
  const { parameters } = objective;
  const signal = workSignal(options.signal);
  const state =
    checkpoint && (await exists(checkpoint.path))
      ? await resume(checkpoint.path, parameters)
      : adamState(parameters);
  const keep = async (): Promise<void> => {
    if (checkpoint) await writeCheckpoint(checkpoint.path, parameters, state);
  };
  const { plan, names, reported } = trainingPlan(objective);
  const weights = Object.fromEntries(
    [...parameters].map(([name, { data, shape }]) => [
      name,
      { dtype: "float32", shape, data } satisfies Feed,
    ]),
  );
  const losses: number[] = [];
  const oneStep = async (): Promise<void> => {
    const learningRate = schedule(state.step);
    const outputs = await plan.run({ ...weights, ...(await options.batch(state.step)) }, { signal });
    const gradients = new Map(names.map((name) => [name, outputs[`gradient/${name}`]!.data as Float32Array]));
    const loss = Number(outputs.loss!.data[0]);
    const norm = Math.sqrt(Number(outputs.squaredNorm!.data[0]));
    if (!Number.isFinite(loss) || !Number.isFinite(norm))
      throw new Error(
        `Training failed at step ${state.step + 1}: the loss is ${loss} and the gradient's length ${norm}. Lower the learning rate, or clip the gradient.`,
      );
    adamStep(parameters, gradients, state, learningRate, options.adam, Math.min(1, clipNorm / norm));
    losses.push(loss);
    if (checkpoint && state.step % checkpoint.every === 0) await keep();
    reportProgress({ task: "training", done: state.step, total: steps, values: { loss } });
    const report = Object.fromEntries(
      reported.map((name) => [name, Number(outputs[`report/${name}`]!.data[0])]),
    );
    await onStep?.({ step: state.step, loss, report, learningRate, gradientNorm: norm });
  };
  try {
    while (state.step < steps) await oneStep();
  } catch (error) {
    if (signal?.aborted) await keep();
    throw error;
  }
  await keep();
  return { steps: state.step, losses };
}

/** Loss and gradients as one plan whose parameters are fed. */
function trainingPlan({ loss, report = {}, parameters }: Objective) {
  const leaves = g.leavesOf({ outputs: { loss } }, "parameter");
  const names = [...leaves.keys()];
  for (const name of names)
    if (!parameters.has(name))
      throw new Error(`The loss depends on the parameter "${name}", which was not given.`);
  const slopes = g.gradients(loss, [...leaves.values()]);
  const squares = slopes.map((slope) => g.sum(g.square(slope!)));
  const outputs: Record<string, Value> = {
    loss,
    squaredNorm: squares.reduce((sum, square) => g.add(sum, square)),
  };
  names.forEach((name, i) => {
    outputs[`gradient/${name}`] = slopes[i]!;
  });
  for (const [name, value] of Object.entries(report)) outputs[`report/${name}`] = value;
  const plan = new Runtime({ source: () => ({ kind: "fed" }) }).plan({ outputs });
  return { plan, names, reported: Object.keys(report) };
}

/** Puts a checkpoint's parameters in place and gives what the optimiser remembered. */
async function resume(path: string, parameters: ParameterMap): Promise<ReturnType<typeof adamState>> {
  const checkpoint = await readCheckpoint(path);
  for (const [name, { data, shape }] of parameters) {
    const kept = checkpoint.parameters.get(name);
    if (!kept || kept.data.length !== data.length)
      throw new Error(
        `${path} does not belong to this training: its "${name}" is ${kept ? `[${kept.shape}]` : "missing"}, expected [${shape}].`,
      );
    data.set(kept.data);
  }
  return checkpoint.state;
}
