/** Scores of all edges by attribution, plain and with integrated gradients; and judging one circuit. */

import { readFileSync } from "node:fs";
import { edgeAttribution, evaluateCircuit } from "../src/circuits/index.js";
import { loadModel, logitDiff } from "../src/model/index.js";
import { hasProc } from "./lib/machine.js";
import { randomModel, randomTokens } from "./lib/model.js";
import { readOptions } from "./lib/options.js";
import { Peers } from "./lib/peers.js";
import { type Contestant, race, timed } from "./lib/race.js";
import { megabytes, record, reportRace } from "./lib/report.js";

const options = readOptions();
const folder = await randomModel(options);
const [[batch, pos] = options.quick ? [4, 8] : [32, 15]] = options.shapes ?? [];
const shape = [batch, pos];
const model = await loadModel(folder);
const clean = randomTokens(model.config.dVocab, batch, pos, "clean");
const corrupt = randomTokens(model.config.dVocab, batch, pos, "corrupt");
const task = { clean, corrupt, metric: logitDiff({ correct: 11, incorrect: 22 }) };
const kept = options.quick ? 20 : 400;

const scored = await edgeAttribution(model, task);
await edgeAttribution(model, { ...task, method: "eap-ig", steps: 5 });
if (hasProc) {
  const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))!;
  const bytes = 1024 * Number(kilobytes);
  console.log(
    `Both ways of scoring ${scored.edges.length} edges: ${megabytes(bytes)} MB at most, the model and Node among them.`,
  );
  record({ task: "edge attribution memory", shape, bytes });
}

const peers = Peers.start("circuit_peers");
const theirs = (request: Record<string, unknown> & { task: string }, atLeast: number): Contestant[] =>
  peers
    ? [
        peers.contestant(
          "auto-circuit",
          { model: folder, clean, corrupt, ...request },
          {
            slow: true,
            ...(options.quick ? {} : { wanted: { atLeast } }),
          },
        ),
      ]
    : [];
const against = async (what: string, work: () => Promise<unknown>, others: Contestant[]): Promise<void> =>
  reportRace(what, shape, await race([{ name: "tslens", once: timed(work) }, ...others], options));

await against("EAP of all edges", () => edgeAttribution(model, task), theirs({ task: "rank" }, 10));
await against(
  "EAP-IG of all edges, 5 steps",
  () => edgeAttribution(model, { ...task, method: "eap-ig", steps: 5 }),
  theirs({ task: "rank", steps: 5 }, 10),
);
const circuit = scored.top(kept);
await against(
  `judging one circuit of ${kept} edges`,
  () => evaluateCircuit(model, circuit, task),
  theirs({ task: "evaluate", kept }, 5),
);
await peers?.stop();
await model.release();
