import assert from "node:assert/strict";
import {
  type AcdcOptions,
  type AcdcStep,
  acdc,
  acdcSteps,
  circuitGraph,
  circuitOfSteps,
} from "../../src/circuits/index.js";
import { logProb } from "../../src/index.js";
import { inductionProgram } from "../../src/tasks/index.js";
import { marked, type ReferenceTask, reference, referenceTask } from "./reference.js";

/** The settings that the name of a reference's runs stands for. */
function settingsOf(name: string, { clean, corrupt, metric }: ReferenceTask): Omit<AcdcOptions, "threshold"> {
  return {
    clean,
    corrupt,
    ablation: name.includes("zero") ? "zero" : name.includes("mean") ? "mean" : "resample",
    order: name.includes("normal") ? "normal" : "reverse",
    removeRedundant: name.includes("skip"),
    ...(name.startsWith("neg_logit_diff") ? { metric } : {}),
  };
}

describe("ACDC on a random GPT-2", () => {
  let task: ReferenceTask;
  before(async () => {
    task = await referenceTask();
  });

  for (const [name, runs] of Object.entries(reference.runs))
    it(`keeps the edges of the reference at every threshold: ${name}`, async () => {
      for (const { threshold, kept, evaluations, metric } of runs) {
        const circuit = await acdc(task.model, { ...settingsOf(name, task), threshold });
        const found = circuit.keptEdges.map((edge) => edge.name);
        assert.deepEqual(found.sort(), marked(kept).sort(), `at ${threshold}`);
        assert.equal(circuit.evaluations, evaluations);
        assert.ok(Math.abs(Math.abs(circuit.origin.metric!) - Math.abs(metric)) < 1e-5);
      }
    });

  for (const [name, log] of Object.entries(reference.logs))
    it(`takes the steps of the reference: ${name}`, async () => {
      const { log: steps } = await acdc(task.model, { ...settingsOf(name, task), threshold: 0.03 });
      assert.equal(steps.length, log.length);
      log.forEach(([edge, before, after, kept], i) => {
        const step = steps[i]!;
        assert.equal(step.edge, reference.edges[edge]);
        assert.equal(step.kept, kept);
        assert.ok(Math.abs(step.metricBefore - before) < 1e-5);
        assert.equal(step.metricAfter === null, after === null);
        assert.ok(Math.abs((step.metricAfter ?? 0) - (after ?? 0)) < 1e-5);
      });
    });

  it("ends with what it has when it is ended, and resumes to the circuit of an uninterrupted search", async () => {
    const options = { ...settingsOf("kl_resample_reverse_skip", task), threshold: 0.1 };
    for (const mode of ["exact", "fast"] as const) {
      const whole = await acdc(task.model, { ...options, mode });
      const stop = new AbortController();
      const partial = await acdc(task.model, {
        ...options,
        mode,
        signal: stop.signal,
        onStep: ({ index }) => {
          if (index === 70) stop.abort();
        },
      });
      assert.equal(partial.finished, false);
      assert.ok(partial.log.length > 70 && partial.log.length < 200);
      const resumed = await acdc(task.model, { ...options, mode, resume: partial.log });
      assert.ok(resumed.finished);
      assert.deepEqual(
        resumed.keptEdges.map(({ name }) => name),
        whole.keptEdges.map(({ name }) => name),
      );
      assert.equal(resumed.evaluations, whole.evaluations);
    }
  });

  it("waits for what is shown of each step, and counts edges and evaluations in it", async () => {
    const seen: AcdcStep[] = [];
    let waiting = 0;
    const circuit = await acdc(task.model, {
      ...settingsOf("kl_resample_reverse_skip", task),
      threshold: 0.3,
      onStep: async (step) => {
        assert.equal(++waiting, 1);
        await new Promise((resolve) => setImmediate(resolve));
        waiting--;
        seen.push(step);
      },
    });
    assert.deepEqual(seen, circuit.log);
    assert.deepEqual(
      seen.map(({ index }) => index),
      seen.map((_, i) => i),
    );
    assert.equal(seen.at(-1)!.edgesLeft, circuit.keptEdges.length);
    assert.equal(seen.filter(({ metricAfter }) => metricAfter !== null).length + 1, circuit.evaluations);
  });

  it("makes the next step when it is asked for", async () => {
    const steps = acdcSteps(task.model, { ...settingsOf("kl_zero_reverse", task), threshold: 0.1 });
    const { value } = await steps.next();
    assert.equal((value as AcdcStep).edge, "m2->logits");
    await steps.return(undefined as never);
  });

  it("explains thresholds, prompts, metrics and logs that cannot be", async () => {
    const { model, clean, corrupt, metric } = task;
    const fails = (options: object, message: RegExp): Promise<void> =>
      assert.rejects(acdc(model, { clean, corrupt, threshold: 0.1, ...options }), message);
    await fails({ threshold: -0.1 }, /threshold of 0 or more; -0.1 came/);
    await fails({ threshold: Number.NaN }, /threshold of 0 or more; NaN came/);
    await fails({ corrupt: clean }, /clean and the corrupt prompts are the same/);
    await fails({ corrupt: undefined }, /takes outputs on corrupt prompts/);
    await fails({ corrupt: corrupt.slice(1) }, /8 clean prompts and 7 corrupt ones/);
    await fails({ corrupt: corrupt.map((row) => row.slice(1)) }, /10 tokens and its corrupt prompt 9/);
    await fails({ ablation: "noise" }, /"resample", "zero" or "mean"/);
    await fails({ splitInput: true, metric: () => undefined }, /must give a graph value/);
    await fails(
      {
        metric: ({ logits }: { logits: { sum(): { mul(x: number): { log(): object } } } }) =>
          logits.sum().mul(0).log(),
      },
      /metric of a circuit is -Infinity/,
    );
    const { log } = await acdc(model, { clean, corrupt, threshold: 5 });
    await fails(
      { resume: log, order: "normal", metric },
      /Step 0 of the log tries m2->logits; this search tries input->logits/,
    );
  });
});

describe("ACDC on the compiled induction program", () => {
  const { model, edges, prompts } = inductionProgram({ letters: 6, length: 10 });
  const drawn = prompts({ count: 24, seed: 2 });
  const clean = drawn.map((prompt) => prompt.clean);
  const corrupt = drawn.map((prompt) => prompt.corrupt);

  for (const mode of ["exact", "fast"] as const)
    it(`finds its true edges and no others (${mode})`, async () => {
      const circuit = await acdc(model, {
        clean,
        corrupt,
        splitInput: true,
        ablation: "zero",
        threshold: 0.01,
        mode,
      });
      assert.deepEqual(circuit.keptEdges.map(({ name }) => name).sort(), [...edges].sort());
    });

  it("gives, of its steps so far, the circuit that they leave, and its metric", async () => {
    const metric = logProb({ token: drawn.map(({ answer }) => answer) });
    const { origin, log, edges: found } = await acdc(model, { clean, corrupt, metric, threshold: 0.01 });
    const graph = circuitGraph(model.config);
    const half = log.slice(0, Math.floor(log.length / 2));
    const { metric: _, ...known } = origin;
    const sofar = circuitOfSteps(graph, half, known);
    assert.equal(sofar.finished, false);
    assert.equal(sofar.keptEdges.length, half.at(-1)!.edgesLeft);
    assert.equal(sofar.evaluations, half.at(-1)!.evaluations);
    assert.equal(sofar.origin.metric, log[half.length]!.metricBefore);
    assert.ok(Math.min(...found.map(({ score }) => score)) > -1e-3, "a lower log probability is worse");
    const whole = circuitOfSteps(graph, log, known);
    assert.deepEqual(whole.edges, found);
    assert.equal(whole.origin.metric, origin.metric);
    assert.equal(whole.finished, true);
    assert.equal(circuitOfSteps(graph, [], known).keptEdges.length, graph.edgeCount);
  });
});
