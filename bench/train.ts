/** A training step of a transformer with 0.93 million parameters. */

import { randomGenerator } from "../src/array/index.js";
import { type LanguageModel, newLanguageModel } from "../src/model/language-model.js";
import { constantRate, train } from "../src/train/index.js";
import { readOptions } from "./lib/options.js";
import { Peers } from "./lib/peers.js";
import { type Contestant, race } from "./lib/race.js";
import { reportRace } from "./lib/report.js";

const options = readOptions();
const [batch, length] = options.quick ? [2, 16] : [16, 128];
const sizes = options.quick
  ? { n_embd: 32, n_head: 2, n_layer: 2, n_positions: 16, vocab_size: 64 }
  : { n_embd: 128, n_head: 4, n_layer: 4, n_positions: 128, vocab_size: 1024 };
const model = newLanguageModel({ model_type: "gpt2", ...sizes }, { seed: 1 });
const peers = Peers.start();
const ours = trainInTurns(model);

await ours.once();
describe(
  "tslens",
  ours.loss(),
  [...model.parameters.values()].reduce((sum, { data }) => sum + data.length, 0),
);
const kinds = [
  {
    name: "PyTorch, plain attention",
    request: { task: "train", sdpa: false, fused: false },
    wanted: { atLeast: 1 },
  },
  { name: "PyTorch, sdpa", request: { task: "train", sdpa: true, fused: false } },
  { name: "PyTorch, sdpa and fused Adam", request: { task: "train", sdpa: true, fused: true } },
];
const contestants: Contestant[] = [{ name: "tslens", once: ours.once }];
// The peers know one size.
if (peers && !options.quick)
  for (const { name, request, wanted } of kinds) {
    const { loss, parameters } = (await peers.ask(request)).result as { loss: number; parameters: number };
    describe(name, loss, parameters);
    contestants.push(peers.contestant(name, request, wanted ? { wanted } : {}));
  }
reportRace(
  "training step",
  [batch, length],
  await race(contestants, { ...options, rounds: 2 * options.rounds }),
);
await ours.stop();
await peers?.stop();

function describe(who: string, loss: number, parameters: number): void {
  console.log(`${who}: ${parameters} parameters, the first step's loss is ${loss.toFixed(3)} nats.`);
}

/** One training, whose steps wait until they are asked for: the batch is made within the time, as PyTorch's is. */
function trainInTurns(model: LanguageModel): {
  once(): Promise<number>;
  loss(): number;
  stop(): Promise<void>;
} {
  const random = randomGenerator("batches");
  const rows = () =>
    Array.from({ length: batch }, () =>
      Array.from({ length: length + 1 }, () => random.integer(sizes.vocab_size)),
    );
  const end = new AbortController();
  let begin = gate();
  let done = gate();
  let loss = Number.NaN;
  const training = train(model, {
    steps: Number.MAX_SAFE_INTEGER,
    schedule: constantRate(1e-3),
    adam: { beta1: 0.9, beta2: 0.99 },
    signal: end.signal,
    batch: async () => {
      await begin.opened;
      begin = gate();
      return model.batch(rows());
    },
    onStep: (step) => {
      loss = step.loss;
      done.open();
    },
  });
  training.catch(() => {});
  return {
    loss: () => loss,
    async once() {
      done = gate();
      const start = performance.now();
      begin.open();
      await Promise.race([done.opened, training]);
      return (performance.now() - start) / 1000;
    },
    async stop() {
      end.abort();
      begin.open();
      await training.catch((error) => {
        if (error !== end.signal.reason) throw error;
      });
    },
  };
}

/** Something to wait for that another opens. */
function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
