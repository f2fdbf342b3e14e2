import assert from "node:assert/strict";
import { acdc, type Circuit, evaluateCircuit } from "../../src/circuits/index.js";
import {
  activationPatching,
  loadModel,
  logitDiff,
  logProb,
  type Metric,
  type Model,
} from "../../src/index.js";
import { induction, ioi } from "../../src/tasks/index.js";

/** Prompts of a phenomenon, a metric for heads, and how its circuit is searched for. */
interface Phenomenon {
  readonly clean: string[] | number[][];
  readonly corrupt: string[] | number[][];
  readonly metric: Metric;
  /** What the circuit is judged by; the divergence from the model where it is missing. */
  readonly searched?: Metric;
  readonly threshold: number;
}

const phenomena: Record<string, (model: Model, seed: string) => Phenomenon> = {
  "indirect objects": (_, seed) => {
    const prompts = ioi({ count: 24, seed, corruption: "abc" });
    return {
      clean: prompts.map(({ clean }) => clean),
      corrupt: prompts.map(({ corrupt }) => corrupt),
      metric: logitDiff({
        correct: prompts.map(({ indirectObject }) => indirectObject),
        incorrect: prompts.map(({ subject }) => subject),
      }),
      threshold: 0.03,
    };
  },
  induction: (model, seed) => {
    const prompts = induction({ vocabulary: model.config.dVocab, length: 12, count: 24, seed });
    const metric = logProb({ token: prompts.map(({ answer }) => answer) });
    return {
      clean: prompts.map(({ clean }) => clean.slice(0, -1)),
      corrupt: prompts.map(({ corrupt }) => corrupt.slice(0, -1)),
      metric,
      searched: metric,
      threshold: 0.1,
    };
  },
};

/** The heads whose output on the clean prompts brings back a share of the metric on the corrupt ones. */
async function patchedHeads(model: Model, { clean, corrupt, metric }: Phenomenon): Promise<string[]> {
  const { values } = await activationPatching(model, {
    clean,
    corrupt,
    metric,
    at: "z",
    over: ["layer", "head"],
  });
  const { nHeads } = model.config;
  return Array.from(values.data).flatMap((share, i) =>
    share > 0.03 ? [`a${Math.floor(i / nHeads)}.h${i % nHeads}`] : [],
  );
}

describe("circuits of tiny-world", () => {
  for (const [name, make] of Object.entries(phenomena))
    it(`${name}: has the heads that patching finds, is better than 100 random ones, and is found again`, async () => {
      const model = await loadModel("tiny-world");
      const found: Circuit[] = [];
      for (const seed of ["first", "second"]) {
        const { searched, threshold, ...phenomenon } = make(model, seed);
        const task = { clean: phenomenon.clean, corrupt: phenomenon.corrupt, metric: searched };
        const circuit = await acdc(model, { ...task, threshold });
        const { faithfulness, random } = await evaluateCircuit(model, circuit, {
          ...task,
          random: 100,
          seed,
        });
        const heads = await patchedHeads(model, { ...phenomenon, threshold });
        console.log(
          `      ${circuit.keptEdges.length} of ${circuit.edges.length} edges, faithfulness ${faithfulness.toFixed(3)}, best of 100 random ones ${Math.max(...random!).toFixed(3)}; heads ${heads.join(" ")}`,
        );
        assert.ok(heads.length >= 3, `only ${heads.join(" ")}`);
        assert.deepEqual(
          heads.filter((head) => !circuit.keptNodes.includes(head)),
          [],
        );
        assert.ok(random!.every((value) => value < faithfulness));
        found.push(circuit);
      }
      const { jaccard } = found[0]!.compare(found[1]!);
      console.log(`      Jaccard ${jaccard.toFixed(3)}`);
      assert.ok(jaccard >= 0.7, `${jaccard}`);
    });
});
