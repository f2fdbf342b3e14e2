/**
 * Trains tiny-world and writes it beside this file: `npm run train:tiny-world`.
 *
 * Interrupted, it goes on from its last checkpoint; `--fresh` begins anew, `--steps N` stops after N steps.
 */

import { parseArgs } from "node:util";
import { joinPath, makeFolder, remove } from "../../src/array/index.js";
import { folder } from "./data.js";
import { KEPT_STEPS, keepStep, STEPS, saveTinyWorld, trainTinyWorld } from "./training.js";

const { values } = parseArgs({ options: { fresh: { type: "boolean" }, steps: { type: "string" } } });
const work = joinPath(folder, "..", "..", ".cache", "tiny-world");
await makeFolder(work);
const checkpoint = joinPath(work, "checkpoint.safetensors");
if (values.fresh) await remove(checkpoint);
const stop = new AbortController();
process.once("SIGINT", () => stop.abort(new Error("Stopped; run again to go on.")));

const began = performance.now();
let sum = 0;
let count = 0;
const model = await trainTinyWorld({
  ...(values.steps === undefined ? {} : { steps: Number(values.steps) }),
  checkpoint,
  signal: stop.signal,
  onStep: async ({ step, loss }, current) => {
    if (KEPT_STEPS.includes(step)) await keepStep(step, current);
    sum += loss;
    count++;
    if (step % 50 !== 0) return;
    const seconds = (performance.now() - began) / 1000;
    console.log(`step ${step} of ${STEPS}: loss ${(sum / count).toFixed(4)} nats, ${seconds.toFixed(0)} s`);
    sum = 0;
    count = 0;
  },
});
await saveTinyWorld(model);
console.log(`Wrote ${joinPath(folder, "model.safetensors")}.`);
