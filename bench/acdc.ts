/** ACDC: what trying one edge takes, by layer; and a whole search at one threshold. */

import { EdgePatching } from "../src/circuits/edge-patching.js";
import { acdcSteps } from "../src/circuits/index.js";
import { loadModel } from "../src/model/index.js";
import { randomModel, randomTokens } from "./lib/model.js";
import { readOptions } from "./lib/options.js";
import { Peers } from "./lib/peers.js";
import { median, race, timed } from "./lib/race.js";
import { printTable, record } from "./lib/report.js";

const options = readOptions();
const folder = await randomModel(options);
const [[batch, pos] = options.quick ? [4, 8] : [32, 15]] = options.shapes ?? [];
const shape = [batch, pos];
const model = await loadModel(folder);
const clean = randomTokens(model.config.dVocab, batch, pos, "clean");
const corrupt = randomTokens(model.config.dVocab, batch, pos, "corrupt");
const peers = Peers.start("circuit_peers");
const patching = await EdgePatching.prepare(model, { clean, corrupt });
const { graph } = patching;

// One edge into each layer's queries is cut from the whole model, as the harness of the peers does it.
const rows: string[][] = [];
const sums = { ours: 0, theirs: 0, edges: 0 };
for (let layer = model.config.nLayers - 1; layer >= 0; layer--) {
  const group = graph.groups.find((one) => one.layer === layer && one.kind === "q")!;
  const edges = graph.edges.filter((edge) => graph.groups[edge.group]!.layer === layer).length;
  let number = 0;
  const tried = async (): Promise<void> => {
    const cuts = new Uint8Array(graph.edgeCount);
    cuts[group.firstEdge + (number++ % (group.senders * group.receivers.length))] = 1;
    await patching.evaluate([cuts]);
  };
  const contestants = [
    { name: "tslens", once: timed(tried) },
    ...(peers
      ? [
          peers.contestant(
            "auto-circuit",
            { task: "edge", model: folder, clean, corrupt, layer, number: 0 },
            { slow: true },
          ),
        ]
      : []),
  ];
  const [ours, theirs] = (await race(contestants, { ...options, rounds: Math.min(3, options.rounds) })).map(
    ({ rounds }) => median(rounds),
  );
  sums.edges += edges;
  sums.ours += ours! * edges;
  sums.theirs += (theirs ?? Number.NaN) * edges;
  rows.push([
    String(layer),
    ...[ours!, theirs].map((seconds) => seconds?.toFixed(3) ?? ""),
    theirs === undefined ? "" : (theirs / ours!).toFixed(1),
  ]);
}
printTable(["layer", "tslens, s", "auto-circuit, s", "ratio"], rows);
const each = { ours: sums.ours / sums.edges, theirs: sums.theirs / sums.edges };
console.log(
  `One edge on average [${shape.join(", ")}]: ${each.ours.toFixed(3)} s${peers ? `, auto-circuit ${each.theirs.toFixed(3)} s, ratio ${(each.theirs / each.ours).toFixed(1)} (wanted ≥ 10)` : ""}.`,
);
record({ task: "acdc, one edge", shape, ...each, edges: sums.edges });
await patching.release();
await peers?.stop();

/** Between what one head and one MLP do in this model: most heads leave the circuit, and the MLPs stay. */
const threshold = 0.0005;
const start = performance.now();
const steps = acdcSteps(model, { clean, corrupt, threshold });
let next = await steps.next();
while (!next.done) {
  const { index, total, edgesLeft, evaluations } = next.value;
  if (index % 1000 === 0)
    console.log(
      `${index} of ${total} edges tried, ${edgesLeft} left, ${evaluations} evaluations, ${((performance.now() - start) / 1000).toFixed(0)} s`,
    );
  next = await steps.next();
}
const seconds = (performance.now() - start) / 1000;
const { evaluations } = next.value.origin;
const kept = next.value.keptEdges.length;
console.log(
  `A whole search at threshold ${threshold}: ${seconds.toFixed(0)} s for ${evaluations} evaluations, ${kept} edges kept${peers ? `; auto-circuit would take ${(each.theirs * sums.edges).toFixed(0)} s, ratio ${((each.theirs * sums.edges) / seconds).toFixed(0)} (wanted ≥ 25)` : ""}.`,
);
record({
  task: "acdc, whole search",
  shape,
  threshold,
  seconds,
  evaluations,
  kept,
  theirs: each.theirs * sums.edges,
});
await model.release();
