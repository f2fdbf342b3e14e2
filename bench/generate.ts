/** Fifty tokens after fifteen: plain, steered, and both side by side. */

import { normalTensor, randomGenerator } from "../src/array/index.js";
import { add, loadModel } from "../src/model/index.js";
import { plansOf, randomModel, randomTokens, tokenTensor } from "./lib/model.js";
import { readOptions } from "./lib/options.js";
import { Peers } from "./lib/peers.js";
import { type Contestant, race, timed } from "./lib/race.js";
import { reportRace } from "./lib/report.js";

const options = readOptions();
const folder = await randomModel(options);
const peers = Peers.start();
let model = await loadModel(folder);
const { dModel, dVocab, nLayers } = model.config;
const [length, fresh, layer] = [15, options.quick ? 10 : 50, nLayers / 2];
const rows = randomTokens(dVocab, 1, length, "prompt");
const prompt = tokenTensor(rows);
const pair = tokenTensor([...rows, ...rows]);
const vector = normalTensor(randomGenerator("direction"), [dModel], { standardDeviation: 0.5 });
const steered = (coefficient: number | number[]) => ({
  edits: [add(`blocks.${layer}.hook_resid_pre`, vector, { coefficient })],
});

const work = { maxNewTokens: fresh, stopAtEos: false };
const plain = () => model.generate(prompt, work);
const one = () => model.generate(prompt, { ...work, ...steered(1) });
const both = () => model.generate(pair, { ...work, ...steered([0, 1]) });
const request = (peer: string, isSteered: boolean) => {
  const common = { task: "generate", peer, model: folder, tokens: rows, new: fresh, layer };
  return isSteered ? { ...common, vector: [...vector.data] } : common;
};
await check();

// A model that has no plans yet, so that the first time is one.
await model.release();
model = await loadModel(folder);
const plans = plansOf(model);
const goal = (wanted: Contestant["wanted"]) => (options.quick ? {} : { wanted });
const contestants: Contestant[] = [
  { name: "tslens, steered", once: timed(one), plans },
  ...(peers
    ? [
        peers.contestant("transformers, steered", request("hf", true), goal({ atLeast: 1.1 })),
        peers.contestant("TransformerLens, steered", request("tl", true), goal({ atLeast: 5 })),
      ]
    : []),
  { name: "tslens, steered and not", once: timed(both), plans, ...goal({ atMost: 1.3 }) },
  { name: "tslens, plain", once: timed(plain), plans },
  ...(peers
    ? [peers.contestant("transformers, plain", request("hf", false), { against: "tslens, plain" })]
    : []),
];
reportRace("generation", [1, length, fresh], await race(contestants, options));
await peers?.stop();
await model.release();

/** Rows of a batch must say what each says alone, and the peers the same unless two logits were all but equal. */
async function check(): Promise<void> {
  const [left, right] = (await both()).tokens as [number[], number[]];
  const texts = { plain: (await plain()).tokens[0]!, steered: (await one()).tokens[0]! };
  const equal = (a: readonly number[], b: readonly number[]): number =>
    a.slice(length).filter((token, i) => token === b[length + i]).length;
  const report = (what: string, count: number): void =>
    console.log(`${what}: ${count} of ${fresh} new tokens are the same.`);
  report("Plain alone and in the batch", equal(texts.plain, left));
  report("Steered alone and in the batch", equal(texts.steered, right));
  report("Plain and steered", equal(texts.plain, texts.steered));
  if (!peers) return;
  for (const peer of ["hf", "tl"])
    for (const how of ["plain", "steered"] as const) {
      const { result } = await peers.ask(request(peer, how === "steered"));
      report(`${how}, tslens and ${peer}`, equal(texts[how], (result as number[][])[0]!));
    }
}
