import assert from "node:assert/strict";
import { edgeAttribution, evaluateCircuit } from "../../src/circuits/index.js";
import { ablate, loadModel, logitDiff } from "../../src/index.js";
import { fixture } from "../shared.js";

describe("circuits of a model whose heads are edited", () => {
  const task = {
    clean: [[1, 2, 3, 4, 5]],
    corrupt: [[1, 7, 3, 4, 6]],
    metric: logitDiff({ correct: 1, incorrect: 2 }),
  };
  for (const family of ["gpt2", "llama", "gpt_neox"])
    it(`are whole where they give what the edited ${family} gives, and empty where it is fed the corrupt prompt`, async () => {
      const plain = await loadModel(fixture("models", family));
      const model = plain.withEdits([ablate(["z", 0], { head: 1 })]);
      const whole = await edgeAttribution(model, task);
      for (const [circuit, prompts] of [
        [whole, task.clean],
        [whole.top(0), task.corrupt],
      ] as const) {
        const { metric } = await evaluateCircuit(model, circuit, task);
        const expected = await model.metric(prompts, task.metric);
        assert.ok(Math.abs(metric - expected) < 1e-4, `${metric}, not ${expected}`);
      }
    });
});
