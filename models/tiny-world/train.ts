/**
 * Trains tiny-world and writes it beside this file: `npm run train:tiny-world`.
 *
 * Interrupted, it goes on from its last checkpoint; `--fresh` begins anew, `--steps N` stops after N steps.
 */

import { parseArgs } from "node:util";
import { joinPath, makeFolder, readJsonFile, remove, writeSafetensors } from "../../src/array/index.js";
import type { HfConfig } from "../../src/model/config.js";
import { newLanguageModel, saveLanguageModel } from "../../src/model/language-model.js";
import { cosineSchedule, train } from "../../src/train/index.js";
import { folder, type RowOptions, trainingRows } from "./data.js";

const SEED = "tiny-world";
const STEPS = 10_000;
const EARLY_STEPS = 2500;
const TOKENS_PER_STEP = 2048;

/**
 * At first rows are short and half of them nothing but repeated words, since heads that look at the token before, and
 * those that copy what came after a word, form sooner where there are few positions and much to gain.
 */
function rowOptions(step: number, nCtx: number): RowOptions {
  const early = step < EARLY_STEPS;
  const length = early && step % 4 !== 3 ? nCtx / 4 : nCtx;
  return { step, rows: TOKENS_PER_STEP / length, length: length + 1, repeats: early ? 0.5 : 0 };
}

/** Steps after which the model is kept, about evenly spaced in their logarithms; the last is the model itself. */
const KEPT_STEPS = [250, 500, 1000, 1300, 1500, 1700, 2500, 4000, 6300];

/** Keeps a step's parameters, rounded to 16 bits, as the model of a revision. */
async function keepStep(step: number): Promise<void> {
  const revision = joinPath(folder, "checkpoints", `step-${step}`);
  await makeFolder(revision);
  const halves = new Map(
    [...model.parameters].map(([name, { data, shape }]) => [
      name,
      { dtype: "float16" as const, shape, data },
    ]),
  );
  await writeSafetensors(joinPath(revision, "model.safetensors"), halves, { format: "pt" });
}

const { values } = parseArgs({ options: { fresh: { type: "boolean" }, steps: { type: "string" } } });
const config = (await readJsonFile(joinPath(folder, "config.json"))) as HfConfig;
const work = joinPath(folder, "..", "..", ".cache", "tiny-world");
await makeFolder(work);
const checkpoint = joinPath(work, "checkpoint.safetensors");
if (values.fresh) await remove(checkpoint);

const model = newLanguageModel(config, { seed: 1 });
const rows = await trainingRows(SEED);
const stop = new AbortController();
process.once("SIGINT", () => stop.abort(new Error("Stopped; run again to go on.")));

const began = performance.now();
let sum = 0;
let count = 0;
await train(model, {
  steps: Math.min(STEPS, values.steps === undefined ? STEPS : Number(values.steps)),
  schedule: cosineSchedule({ peak: 2e-3, steps: STEPS, warmup: 100, final: 1e-4 }),
  adam: { beta2: 0.98, weightDecay: 0.05 },
  clipNorm: 1,
  checkpoint: { path: checkpoint, every: 200 },
  signal: stop.signal,
  batch: (step) => model.batch(rows(rowOptions(step, model.config.nCtx))),
  onStep: async ({ step, loss }) => {
    if (KEPT_STEPS.includes(step)) await keepStep(step);
    sum += loss;
    count++;
    if (step % 50 !== 0) return;
    const seconds = (performance.now() - began) / 1000;
    console.log(`step ${step} of ${STEPS}: loss ${(sum / count).toFixed(4)} nats, ${seconds.toFixed(0)} s`);
    sum = 0;
    count = 0;
  },
});
await saveLanguageModel(folder, { config, parameters: model.parameters });
console.log(`Wrote ${joinPath(folder, "model.safetensors")}.`);
