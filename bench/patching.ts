/** Activation patching: the residual stream by layer and position, heads, and heads by position. */

import { activationPatching, type Sweep } from "../src/methods/index.js";
import { loadModel, logitDiff, type Model } from "../src/model/index.js";
import { randomModel, randomTokens } from "./lib/model.js";
import { readOptions } from "./lib/options.js";
import { Peers } from "./lib/peers.js";
import { type Contestant, race, timed } from "./lib/race.js";
import { reportRace } from "./lib/report.js";

const options = readOptions();
const folder = await randomModel(options);
const { config } = await loadModel(folder);
const shapes = options.shapes ?? ([[1, 15]] as const);
const peers = Peers.start();
const [correct, incorrect] = [11, 22];
for (const [batch, pos] of shapes) await measure(batch, pos);
await peers?.stop();

async function measure(batch: number, pos: number): Promise<void> {
  const clean = randomTokens(config.dVocab, batch, pos, "clean");
  const corrupt = randomTokens(config.dVocab, batch, pos, "corrupt");
  const metric = logitDiff({ correct, incorrect });
  const sweep = (model: Model, at: string, over: Sweep["over"]): Promise<Sweep> =>
    activationPatching(model, { clean, corrupt, metric, at, over });
  const theirs = (name: string, kind: string, ratio: number): Contestant[] => {
    // TransformerLens patches one prompt at a time.
    if (!peers || batch > 1) return [];
    const request = { task: "patch", model: folder, clean, corrupt, correct, incorrect, kind };
    const wanted = options.quick ? {} : { wanted: { atLeast: ratio } };
    return [peers.contestant(name, request, { slow: true, ...wanted })];
  };
  const shape = [batch, pos];

  await withModel(async (model) => {
    const table = (): Promise<Sweep> => sweep(model, "resid_pre", ["layer", "pos"]);
    const contestants = [
      { name: "tslens", once: timed(table) },
      ...theirs("TransformerLens, batched by hand", "batched", 2.5),
      ...theirs("TransformerLens", "resid_pre", 25),
    ];
    reportRace("patching resid_pre, layer by position", shape, await race(contestants, options));
    await checkAgreement(await table(), "resid_pre", clean, corrupt);
  });
  await withModel(async (model) => {
    const table = (): Promise<Sweep> => sweep(model, "z", ["layer", "head"]);
    const contestants = [{ name: "tslens", once: timed(table) }, ...theirs("TransformerLens", "heads", 15)];
    reportRace("patching heads", shape, await race(contestants, options));
    await checkAgreement(await table(), "heads", clean, corrupt);
  });
  await withModel(async (model) => {
    const once = timed(() => sweep(model, "z", ["layer", "head", "pos"]));
    reportRace("patching heads by position", shape, await race([{ name: "tslens", once }], options));
  });
}

/** Races with a model that has no plans yet. */
async function withModel(use: (model: Model) => Promise<void>): Promise<void> {
  const model = await loadModel(folder);
  await use(model);
  await model.release();
}

async function checkAgreement(
  { metric }: Sweep,
  kind: string,
  clean: readonly (readonly number[])[],
  corrupt: readonly (readonly number[])[],
): Promise<void> {
  if (!peers || clean.length > 1) return;
  const { result } = await peers.ask({
    task: "patch",
    model: folder,
    clean,
    corrupt,
    correct,
    incorrect,
    kind,
  });
  const theirs = (result as number[][]).flat();
  const worst = theirs.reduce((most, value, i) => Math.max(most, Math.abs(value - metric.data[i]!)), 0);
  console.log(`Logit differences differ from those of TransformerLens by ${worst.toExponential(1)} at most.`);
  if (!(worst < 1e-3)) throw new Error("The tables do not agree, so their times cannot be compared.");
}
