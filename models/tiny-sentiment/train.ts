/** Trains tiny-sentiment and writes it beside this file: `npm run train:tiny-sentiment`, half a minute. */

import { fileURLToPath } from "node:url";
import { joinPath, readJsonFile } from "../../src/array/index.js";
import { newClassifier } from "../../src/model/classifier.js";
import type { HfConfig } from "../../src/model/config.js";
import { saveLanguageModel } from "../../src/model/language-model.js";
import { makeTokenizer } from "../../src/model/tokenizer.js";
import { labelledReviews } from "../../src/tasks/index.js";
import { cosineSchedule, train } from "../../src/train/index.js";

const STEPS = 500;
const REVIEWS_PER_STEP = 32;

const folder = fileURLToPath(new URL(".", import.meta.url));
const read = (name: string): Promise<unknown> => readJsonFile(joinPath(folder, name));
const config = (await read("config.json")) as HfConfig;
const tokenizer = makeTokenizer(await read("tokenizer.json"), await read("tokenizer_config.json"));
const classifier = newClassifier(config, { seed: 1 });
const stop = new AbortController();
process.once("SIGINT", () => stop.abort(new Error("Stopped.")));

await train(classifier, {
  steps: STEPS,
  schedule: cosineSchedule({ peak: 1e-3, steps: STEPS, warmup: 50, final: 1e-5 }),
  adam: { weightDecay: 0.01 },
  clipNorm: 1,
  signal: stop.signal,
  batch: (step) =>
    classifier.batch(
      labelledReviews({ count: REVIEWS_PER_STEP, seed: `tiny-sentiment/${step}`, split: "train" }).map(
        ({ text, label }) => ({ tokens: tokenizer.encode(text), label }),
      ),
    ),
  onStep: ({ step, loss, report }) => {
    if (step % 100 === 0)
      console.log(
        `step ${step} of ${STEPS}: loss ${loss.toFixed(3)}, accuracy ${report.accuracy!.toFixed(2)}`,
      );
  },
});
await saveLanguageModel(folder, { config, parameters: classifier.parameters });
console.log(`Wrote ${joinPath(folder, "model.safetensors")}.`);
