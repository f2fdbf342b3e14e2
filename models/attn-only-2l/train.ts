/**
 * Trains attn-only-2l on tiny-world's text and writes it beside this file: `npm run train:attn-only-2l`, about twenty
 * minutes. Interrupted, it goes on from its last checkpoint; `--fresh` begins anew.
 */

import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { joinPath, makeFolder, readJsonFile, remove } from "../../src/array/index.js";
import type { HfConfig } from "../../src/model/config.js";
import { newLanguageModel, saveLanguageModel } from "../../src/model/language-model.js";
import { cosineSchedule, inTurn, train } from "../../src/train/index.js";
import { trainingRows } from "../tiny-world/data.js";

const FIRST_STEPS = 5000;
const STEPS = 12_000;
const ROWS = 32;
const LENGTH = 64;

const { values } = parseArgs({ options: { fresh: { type: "boolean" } } });
const folder = fileURLToPath(new URL(".", import.meta.url));
const config = (await readJsonFile(joinPath(folder, "config.json"))) as HfConfig;
const work = joinPath(folder, "..", "..", ".cache", "attn-only-2l");
await makeFolder(work);
const checkpoint = joinPath(work, "checkpoint.safetensors");
if (values.fresh) await remove(checkpoint);

const model = newLanguageModel(config, { seed: 1 });
const rows = await trainingRows("attn-only-2l");
const stop = new AbortController();
process.once("SIGINT", () => stop.abort(new Error("Stopped; run again to go on.")));
const began = performance.now();
await train(model, {
  steps: STEPS,
  schedule: inTurn([
    [FIRST_STEPS, cosineSchedule({ peak: 3e-3, steps: FIRST_STEPS, warmup: 100, final: 1e-4 })],
    [STEPS, cosineSchedule({ peak: 3e-3, steps: STEPS - FIRST_STEPS, warmup: 100, final: 2e-5 })],
  ]),
  adam: { beta2: 0.98, weightDecay: 0.05 },
  clipNorm: 1,
  checkpoint: { path: checkpoint, every: 200 },
  signal: stop.signal,
  // Every fourth batch has rows of the whole context, and a third of all rows are nothing but repetitions.
  batch: (step) => {
    const whole = step % 4 === 3;
    const length = whole ? model.config.nCtx : LENGTH;
    return model.batch(
      rows({
        step,
        rows: (ROWS * LENGTH) / length,
        length: length + 1,
        repeats: 1 / 3,
        anyTokens: true,
      }),
    );
  },
  onStep: ({ step, loss }) => {
    if (step % 100 !== 0) return;
    const seconds = (performance.now() - began) / 1000;
    console.log(`step ${step} of ${STEPS}: loss ${loss.toFixed(3)} nats, ${seconds.toFixed(0)} s`);
  },
});
await saveLanguageModel(folder, { config, parameters: model.parameters });
console.log(`Wrote ${joinPath(folder, "model.safetensors")}.`);
