/** How tiny-world is trained. */

import { joinPath, makeFolder, readJsonFile, writeSafetensors } from "../../src/array/index.js";
import type { HfConfig } from "../../src/model/config.js";
import { type LanguageModel, newLanguageModel, saveLanguageModel } from "../../src/model/language-model.js";
import { cosineSchedule, inTurn, type TrainingStep, train } from "../../src/train/index.js";
import { folder, type RowOptions, trainingRows } from "./data.js";

/** Steps until the learning rate rises again, and all steps. */
const FIRST_STEPS = 10_000;
export const STEPS = 16_000;
const TOKENS_PER_STEP = 2048;

/** Steps after which the model is kept: before, while and after heads of induction form, and then ever more rarely. */
export const KEPT_STEPS: readonly number[] = [250, 500, 1000, 1500, 1700, 1900, 2500, 4000, 6300, 10_000];

/**
 * What rows are of, in turn. At first they are short and half of them nothing but repetitions, since heads that look at the
 * token before, and those that copy what came after a word, form sooner where there are few positions and much to gain.
 * Later a quarter are: without them the copying of arbitrary tokens is lost again to what the world's own text needs more.
 * At last some of these repeat tokens of any kind, so that copying does not stop at the words that come at random in
 * the world's own documents.
 */
const PHASES = [
  { until: 2500, short: true, repeats: 0.5, anyTokens: false },
  { until: 3500, short: false, repeats: 0, anyTokens: false },
  { until: 8256, short: false, repeats: 0.25, anyTokens: false },
  { until: STEPS, short: false, repeats: 0.25, anyTokens: true },
];

function rowOptions(step: number, nCtx: number): RowOptions {
  const { short, repeats, anyTokens } = PHASES.find(({ until }) => step < until)!;
  const length = short && step % 4 !== 3 ? nCtx / 4 : nCtx;
  return { step, rows: TOKENS_PER_STEP / length, length: length + 1, repeats, anyTokens };
}

/** Options of `trainTinyWorld`. */
export interface TinyWorldTraining {
  /** Ends before all steps are done. */
  readonly steps?: number;
  /** A file that the training is kept in every 200 steps, and goes on from. */
  readonly checkpoint?: string;
  readonly signal?: AbortSignal;
  readonly onStep?: (step: TrainingStep, model: LanguageModel) => void | Promise<void>;
}

/** Trains the model from its first step, or from where its checkpoint stands. */
export async function trainTinyWorld(options: TinyWorldTraining = {}): Promise<LanguageModel> {
  const config = (await readJsonFile(joinPath(folder, "config.json"))) as HfConfig;
  const model = newLanguageModel(config, { seed: 1 });
  const rows = await trainingRows("tiny-world");
  await train(model, {
    steps: Math.min(STEPS, options.steps ?? STEPS),
    schedule: inTurn([
      [FIRST_STEPS, cosineSchedule({ peak: 2e-3, steps: FIRST_STEPS, warmup: 100, final: 1e-4 })],
      [STEPS, cosineSchedule({ peak: 1e-3, steps: STEPS - FIRST_STEPS, warmup: 100, final: 2e-5 })],
    ]),
    adam: { beta2: 0.98, weightDecay: 0.05 },
    clipNorm: 1,
    ...(options.checkpoint ? { checkpoint: { path: options.checkpoint, every: 200 } } : {}),
    signal: options.signal,
    batch: (step) => model.batch(rows(rowOptions(step, model.config.nCtx))),
    onStep: (step) => options.onStep?.(step, model),
  });
  return model;
}

/** Writes the model beside its configuration. */
export async function saveTinyWorld({ parameters }: LanguageModel): Promise<void> {
  const config = (await readJsonFile(joinPath(folder, "config.json"))) as HfConfig;
  await saveLanguageModel(folder, { config, parameters });
}

/** Keeps a step's parameters, rounded to 16 bits, as the model of a revision. */
export async function keepStep(step: number, { parameters }: LanguageModel): Promise<void> {
  const revision = joinPath(folder, "checkpoints", `step-${step}`);
  await makeFolder(revision);
  const halves = new Map(
    [...parameters].map(([name, { data, shape }]) => [name, { dtype: "float16" as const, shape, data }]),
  );
  await writeSafetensors(joinPath(revision, "model.safetensors"), halves, { format: "pt" });
}
