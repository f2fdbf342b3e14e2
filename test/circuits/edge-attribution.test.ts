import assert from "node:assert/strict";
import {
  acdc,
  Circuit,
  circuitCurve,
  type EdgeAttributionOptions,
  edgeAttribution,
  edgeAuc,
  evaluateCircuit,
} from "../../src/circuits/index.js";
import { inductionProgram } from "../../src/tasks/index.js";
import { marked, type ReferenceTask, reference, referenceTask, worstScore } from "./reference.js";

describe("edges' scores in a random GPT-2", () => {
  let task: ReferenceTask;
  let settings: Pick<EdgeAttributionOptions, "clean" | "corrupt" | "metric">;
  before(async () => {
    task = await referenceTask();
    const { clean, corrupt, metric } = task;
    settings = { clean, corrupt, metric };
  });

  const tables: Record<string, Partial<EdgeAttributionOptions>> = {
    exact_resample: { method: "exact" },
    exact_zero: { method: "exact", ablation: "zero" },
    exact_mean_positional: { method: "exact", ablation: "mean" },
    exact_mean_corrupt_positional: { method: "exact", ablation: "mean", meanOf: "corrupt" },
    exact_mean_all: { method: "exact", ablation: "mean", meanOver: "promptsAndPositions" },
    eap: {},
    eap_zero: { ablation: "zero" },
    eap_mean_positional: { ablation: "mean" },
    eap_ig_inputs_5: { method: "eap-ig" },
    eap_ig_inputs_20: { method: "eap-ig", steps: 20 },
  };
  for (const [name, options] of Object.entries(tables))
    it(`are those of the reference: ${name}`, async () => {
      const { edges } = await edgeAttribution(task.model, { ...settings, ...options });
      const worst = worstScore(edges, task.table(name));
      console.log(`      ${worst.toExponential(1)}`);
      assert.ok(worst < (options.method === "exact" ? 5e-5 : 1e-4), String(worst));
    });

  it("choose the circuits that EAP-IG's code chooses, which do what they do there", async () => {
    const methods = { eap: "eap", eap_ig_inputs_5: "eap-ig", exact: "exact" } as const;
    for (const [name, method] of Object.entries(methods)) {
      const scored = await edgeAttribution(task.model, { ...settings, method });
      for (const expected of reference.circuits[name]!) {
        const circuit = scored.top(expected.n);
        assert.equal(circuit.keptEdges.length, expected.edges_after_prune, `${name}, ${expected.n}`);
        const grown = scored.greedy(expected.n);
        assert.equal(grown.keptEdges.length, expected.greedy_edges_after_prune, `${name}, ${expected.n}`);
        if (expected.kept !== null) {
          const found = circuit.keptEdges.map((edge) => edge.name);
          assert.deepEqual(found.sort(), marked(expected.kept).sort());
        }
        const close = (a: number, b: number): void =>
          assert.ok(Math.abs(a - b) < 2e-5, `${a} instead of ${b}`);
        const patched = await evaluateCircuit(task.model, circuit, settings);
        close(patched.metric, expected.patching);
        close(patched.faithfulness, expected.faithfulness_patching);
        close((await evaluateCircuit(task.model, grown, settings)).metric, expected.greedy_patching);
        close(
          (await evaluateCircuit(task.model, circuit, { ...settings, ablation: "zero" })).metric,
          expected.zero,
        );
        const mean = await evaluateCircuit(task.model, circuit, { ...settings, ablation: "mean" });
        close(mean.metric, expected["mean-positional"]);
      }
    }
  });

  it("of a metric that reads one prompt do not depend on the others", async () => {
    const { clean, corrupt, model } = task;
    const all = await edgeAttribution(model, { clean, corrupt, metric: ({ logits }) => logits.at(0, -1, 3) });
    const one = await edgeAttribution(model, {
      clean: [clean[0]!],
      corrupt: [corrupt[0]!],
      metric: ({ logits }) => logits.at(0, -1, 3),
    });
    for (const [i, { score }] of all.edges.entries()) assert.ok(Math.abs(score - one.edges[i]!.score) < 1e-5);
  });

  it("give MIB's areas, 1 and 0 for circuits that keep everything", async () => {
    const scored = await edgeAttribution(task.model, settings);
    const { cpr, cmd, faithfulness, edges } = await circuitCurve(task.model, scored, {
      ...settings,
      shares: [0.5, 1],
      choose: "top",
    });
    assert.deepEqual(edges, [131, 262]);
    assert.ok(Math.abs(faithfulness[0]! - 0.61937) < 1e-4 && Math.abs(faithfulness[1]! - 1) < 1e-5);
    assert.ok(Math.abs(cpr - (0.5 * (0.61937 + 1)) / 2) < 1e-4);
    assert.ok(Math.abs(cmd - (0.5 * (1 - 0.61937)) / 2) < 1e-4);
  });

  it("are refused in words for settings that cannot be", async () => {
    const fails = (options: object, message: RegExp): Promise<void> =>
      assert.rejects(edgeAttribution(task.model, { ...settings, ...options }), message);
    await fails({ steps: 0 }, /whole number of steps from 1 on; 0 came/);
    await fails({ method: "ig" }, /"eap", "eap-ig" or "exact"; "ig" came/);
    const scored = await edgeAttribution(task.model, settings);
    await assert.rejects(
      circuitCurve(task.model, scored, { ...settings, shares: [1, 0.5] }),
      /rising numbers above 0 up to 1/,
    );
    assert.throws(() => edgeAuc(scored, []), /needs true edges/);
  });
});

describe("judging circuits of the compiled induction program", () => {
  const { model, edges: truth, prompts } = inductionProgram({ letters: 6, length: 10 });
  const drawn = prompts({ count: 24, seed: 2 });
  const task = {
    clean: drawn.map(({ clean }) => clean),
    corrupt: drawn.map(({ corrupt }) => corrupt),
    splitInput: true,
    ablation: "zero",
  } as const;

  it("exact scores are other than zero on the true edges alone", async () => {
    const scored = await edgeAttribution(model, { ...task, method: "exact" });
    const found = scored.edges.filter(({ score }) => Math.abs(score) > 1e-3).map(({ name }) => name);
    assert.deepEqual(found.sort(), [...truth].sort());
    assert.equal(edgeAuc(scored, truth), 1);
  });

  it("the true circuit is more faithful than every random one of its size", async () => {
    const circuit = (await acdc(model, { ...task, threshold: 0.01 })).keep(truth);
    const { faithfulness, interval, random, edges } = await evaluateCircuit(model, circuit, {
      ...task,
      random: 100,
    });
    assert.equal(edges, 7);
    assert.ok(Math.abs(faithfulness - 1) < 1e-4);
    assert.ok(interval![0] <= faithfulness + 1e-4 && faithfulness - 1e-4 <= interval![1]);
    assert.equal(random.length, 100);
    assert.ok(random.every((value) => value < faithfulness));
  });

  it("the area under the curve is a half for scores that say nothing", () => {
    const edges = truth.map((name) => ({
      name,
      from: name.split("->")[0]!,
      to: name.split("->")[1]!,
      score: 1,
      kept: true,
    }));
    const circuit = new Circuit([], edges, { model: "program", method: "none", splitInput: true });
    assert.equal(edgeAuc(circuit, truth.slice(0, 3)), 0.5);
  });
});
