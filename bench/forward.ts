/** Logits, every point, the last position only, one early point only; and the memory that all points take. */

import { join } from "node:path";
import { npyToTensor, readNpy, remove, type Tensor } from "../src/array/index.js";
import { loadModel, type Model, type ModelConfig } from "../src/model/index.js";
import { reportMemory } from "./lib/all-points-memory.js";
import { plansOf, randomModel, randomTokens, tokenTensor } from "./lib/model.js";
import { readOptions } from "./lib/options.js";
import { Peers } from "./lib/peers.js";
import { type Contestant, race, timed } from "./lib/race.js";
import { reportRace } from "./lib/report.js";

/** What the ratios to Hugging Face's transformers and to TransformerLens should be, by shape. */
const wanted: Record<string, { hf: number; tl: number; points: number }> = {
  "1,15": { hf: 2, tl: 5, points: 4 },
  "16,16": { hf: 1.15, tl: 1.7, points: 1.3 },
  "4,256": { hf: 0.95, tl: 1.1, points: 1.2 },
};

const options = readOptions();
const folder = await randomModel(options);
const shapes =
  options.shapes ??
  (options.quick
    ? ([
        [1, 15],
        [2, 16],
      ] as const)
    : ([
        [1, 15],
        [16, 16],
        [4, 256],
      ] as const));
const { config } = await loadModel(folder);
const peers = Peers.start();
if (peers) await checkAgreement(peers);
for (const [batch, pos] of shapes) await measure(batch, pos);
await peers?.stop();
if (options.quick) await reportMemory(folder, [2, 32]);
else await reportMemory(folder, [4, 256], 2);

async function measure(batch: number, pos: number): Promise<void> {
  const shape = [batch, pos];
  const rows = randomTokens(config.dVocab, batch, pos);
  const tokens = tokenTensor(rows);
  const aim = options.quick ? undefined : wanted[`${batch},${pos}`];
  const share = shareOfProducts(config, pos);
  const point = `blocks.${earlyBlocks(config) - 1}.hook_resid_post`;
  const theirs = (
    name: string,
    task: string,
    peer: "hf" | "tl",
    ratio?: number,
    more: object = {},
  ): Contestant[] => {
    const goal = ratio === undefined ? {} : { wanted: { atLeast: ratio } };
    return peers ? [peers.contestant(name, { task, peer, model: folder, tokens: rows, ...more }, goal)] : [];
  };
  // Four fifths of the work that is saved should be saved in time.
  const goal = (left: number): Partial<Contestant> =>
    options.quick ? {} : { wanted: { atMost: 1 - 0.8 * (1 - left) } };

  await withModel(async (model, ours) => {
    const contestants = [
      ours("tslens", () => model.forward(tokens)),
      ...theirs("transformers", "forward", "hf", aim?.hf),
      ...theirs("TransformerLens", "forward", "tl", aim?.tl),
    ];
    reportRace("all logits", shape, await race(contestants, options));
  });
  await withModel(async (model, ours) => {
    const contestants = [
      ours("tslens", () => model.runWithCache(tokens)),
      ...theirs("TransformerLens", "points", "tl", aim?.points),
    ];
    reportRace("all points and logits", shape, await race(contestants, options));
  });
  await withModel(async (model, ours) => {
    const early = { names: point, logits: "none" } as const;
    const contestants = [
      ours("tslens, all logits", () => model.forward(tokens)),
      ours(
        "tslens, last position's logits",
        () => model.forward(tokens, { logits: "last" }),
        goal(share.last),
      ),
      ours(`tslens, ${point} only`, () => model.runWithCache(tokens, early), goal(share.early)),
      ...theirs("transformers, last position's logits", "forward", "hf", undefined, { last: true }),
    ];
    reportRace("less than everything", shape, await race(contestants, options));
  });
}

/** Races with a model that has no plans yet. */
async function withModel(
  use: (
    model: Model,
    ours: (name: string, work: () => Promise<unknown>, more?: Partial<Contestant>) => Contestant,
  ) => Promise<void>,
): Promise<void> {
  const model = await loadModel(folder);
  await use(model, (name, work, more) => ({ name, once: timed(work), plans: plansOf(model), ...more }));
  await model.release();
}

/** The blocks before the early point: a quarter of them. */
function earlyBlocks({ nLayers }: ModelConfig): number {
  return Math.max(1, Math.floor(nLayers / 4));
}

/** How much of the work is left without other positions' logits, and without later blocks. */
function shareOfProducts(config: ModelConfig, pos: number): { last: number; early: number } {
  const { dModel, dMlp, dVocab, nLayers } = config;
  const blocks = nLayers * (4 * dModel ** 2 + 2 * dModel * dMlp + 2 * pos * dModel);
  const unembedding = dModel * dVocab;
  const all = blocks + unembedding;
  return {
    last: (blocks + unembedding / pos) / all,
    early: (earlyBlocks(config) / nLayers) * (blocks / all),
  };
}

/** Compares log probabilities: TransformerLens centres the unembedding, so its logits themselves differ. */
async function checkAgreement(peers: Peers): Promise<void> {
  const rows = randomTokens(config.dVocab, 1, 15);
  const model = await loadModel(folder);
  const ours = logProbabilities(await model.forward(tokenTensor(rows)));
  const save = join(folder, "log-probabilities.npy");
  await model.release();
  for (const peer of ["hf", "tl"]) {
    await peers.ask({ task: "forward", peer, model: folder, tokens: rows, save });
    const theirs = npyToTensor(await readNpy(save)).data;
    await remove(save);
    const worst = ours.reduce((most, value, i) => Math.max(most, Math.abs(value - theirs[i]!)), 0);
    console.log(`Log probabilities differ from those of ${peer} by ${worst.toExponential(1)} at most.`);
    if (!(worst < 1e-3)) throw new Error(`The models do not agree, so their times cannot be compared.`);
  }
}

function logProbabilities({ data, shape }: Tensor): Float32Array {
  const width = shape.at(-1)!;
  const result = new Float32Array(data.length);
  for (let start = 0; start < data.length; start += width) {
    const row = data.subarray(start, start + width);
    const largest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const total = Math.log(row.reduce((sum, x) => sum + Math.exp(x - largest), 0)) + largest;
    row.forEach((x, i) => {
      result[start + i] = x - total;
    });
  }
  return result;
}
