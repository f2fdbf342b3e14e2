/** The rate of matrix products, in the engine and in PyTorch: what the other programs' times can be held against. */

import { bytesOf, normalTensor, randomGenerator } from "../src/array/index.js";
import * as g from "../src/graph/index.js";
import { Runtime } from "../src/runtime/plan.js";
import { readOptions } from "./lib/options.js";
import { Peers } from "./lib/peers.js";
import { type Contestant, race, summary, timed } from "./lib/race.js";
import { record, reportRace } from "./lib/report.js";

const options = readOptions();
const [width, hidden] = options.quick ? [64, 256] : [768, 3072];
const random = randomGenerator("products");
const weights = {
  up: normalTensor(random, [width, hidden], { standardDeviation: width ** -0.5 }),
  down: normalTensor(random, [hidden, width], { standardDeviation: hidden ** -0.5 }),
};
const leaf = (name: keyof typeof weights) => g.parameter(name, "float32", weights[name].shape);
const [up, down] = [leaf("up"), leaf("down")];
/** Four products in a row, and the sum of the last, so that next to nothing is given back. */
const chain = [up, down, up, down].reduce(
  (x, weight) => g.matmul(x, weight),
  g.input("x", "float32", ["rows", width]),
);
const graph = { outputs: { sum: g.sum(chain) } };
const source = (name: string) =>
  ({ kind: "inline", bytes: bytesOf(weights[name as keyof typeof weights].data) }) as const;
const packed = new Runtime({ source });
const mapped = new Runtime({ source }, { packedBudget: 0 });
const peers = Peers.start();

for (const rows of options.quick ? [15] : [1, 15, 256, 1024]) {
  const x = {
    dtype: "float32",
    shape: [rows, width],
    data: normalTensor(random, [rows, width]).data,
  } as const;
  const plan = packed.plan(graph);
  await plan.pack();
  const contestants: Contestant[] = [
    { name: "tslens, packed", once: timed(() => plan.run({ x })) },
    { name: "tslens, not packed", once: timed(() => mapped.plan(graph).run({ x })) },
    ...(peers ? [peers.contestant("PyTorch", { task: "products", rows, width, hidden })] : []),
  ];
  const timings = await race(contestants, { ...options, rounds: 2 * options.rounds, budget: 10 });
  reportRace("matrix products", [rows, width, hidden], timings);
  const operations = 2 * rows * width * hidden * 4;
  for (const timing of timings) {
    const gigaflops = operations / summary(timing).min / 1e9;
    console.log(`${timing.contestant.name}: ${gigaflops.toFixed(0)} GFLOP/s at best`);
    record({
      task: "rate of matrix products",
      shape: [rows, width, hidden],
      who: timing.contestant.name,
      gigaflops,
    });
  }
}
await packed.release();
await mapped.release();
await peers?.stop();
