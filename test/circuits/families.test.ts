import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { randomGenerator } from "../../src/array/index.js";
import { EdgePatching } from "../../src/circuits/edge-patching.js";
import { judgeOnce } from "../../src/circuits/judge-once.js";
import { circuitSetting } from "../../src/circuits/setting.js";
import { loadModel, logProb, type Metric } from "../../src/model/index.js";
import { fixture } from "../shared.js";

/** Families whose parts do not add to one residual stream, and what is said of them. */
const refused: Record<string, RegExp> = {
  bert: /normalises the residual stream itself/,
  bert_classifier: /is a classifier/,
  distilbert_classifier: /is a classifier/,
  "extra-mamba": /has no attention heads/,
  "extra-t5": /has two stacks/,
};

describe("edges of every family", () => {
  const families = readdirSync(fixture("models")).filter((name) =>
    existsSync(fixture("models", name, "config.json")),
  );
  for (const family of families)
    it(`${family} ${refused[family] ? "is refused in words" : "is itself with all edges, and its corrupted run with none"}`, async () => {
      const model = await loadModel(fixture("models", family));
      const { dVocab } = model.config;
      const random = randomGenerator(family);
      const draw = (): number[] => Array.from({ length: 7 }, () => random.integer(dVocab));
      const [clean, corrupt] = [
        [draw(), draw()],
        [draw(), draw()],
      ];
      const metric = logProb({ token: [3, 5] });
      const prepare = (): Promise<EdgePatching> => EdgePatching.prepare(model, { clean, corrupt, metric });
      if (refused[family]) return assert.rejects(prepare(), refused[family]);
      const patching = await prepare();
      const cut = (value: number): Uint8Array => new Uint8Array(patching.graph.edgeCount).fill(value);
      const [full, empty] = await patching.evaluate([cut(0), cut(1)]);
      const close = (a: number, b: number): void => assert.ok(Math.abs(a - b) < 5e-5, `${a} instead of ${b}`);
      close(full!, await model.metric(clean, metric));
      close(empty!, await model.metric(corrupt, metric));
      // Rows of one run, whole parts left out of it, and edges one by one: all the same.
      const choices = Array.from({ length: 6 }, (_, i) => {
        const share = random.uniform();
        return cut(0).map(() => (i > 0 && random.uniform() < share ? 1 : 0));
      });
      const together = await patching.evaluate(choices);
      for (const [i, choice] of choices.entries())
        close(together[i]!, (await patching.evaluate([choice]))[0]!);
      // One choice at a time, as metrics that are functions are evaluated, and without the heads that the logits do not see.
      const asFunction: Metric = ({ logits }) => {
        const logs = logits.logSoftmax();
        return logs
          .at(0, -1, 3)
          .add(logs.at(1, -1, 5))
          .div(2);
      };
      const sparse = cut(0).map(() => (random.uniform() < 0.9 ? 1 : 0));
      const all = [...choices, sparse];
      const expected = [...together, ...(await patching.evaluate([sparse]))];
      for (const judged of [metric, asFunction]) {
        const task = { clean, corrupt, metric: judged, leaveHeadsOut: true };
        const fewer = await EdgePatching.prepare(model, task);
        for (const [i, choice] of all.entries()) close((await fewer.evaluate([choice]))[0]!, expected[i]!);
        for (const [i, value] of (await fewer.evaluate(all)).entries()) close(value, expected[i]!);
      }
      // One at a time from the corrupt run on, all prompts together and one by one; and with prompts of two lengths.
      const mean = (values: Float64Array): number => values.reduce((a, b) => a + b, 0) / values.length;
      const setting = await circuitSetting(model, { clean, corrupt, metric });
      for (const [i, choice] of [...all, cut(1)].entries())
        for (const memory of i === 0 ? [1, 1e9] : [1e9]) {
          const values = await judgeOnce(setting, choice, { memory });
          for (const [j, wanted] of [full!, empty!, expected[i] ?? empty!].entries())
            close(mean(values[j]!), wanted);
        }
      const padded = { clean: [clean[0]!, clean[1]!.slice(2)], corrupt: [corrupt[0]!, corrupt[1]!.slice(2)] };
      const two = await circuitSetting(model, { ...padded, metric });
      const patchingTwo = await EdgePatching.on(two);
      for (const choice of [sparse, choices[1]!]) {
        const [, , values] = await judgeOnce(two, choice);
        const [wanted] = await patchingTwo.evaluatePrompts([choice]);
        values.forEach((value, prompt) => {
          close(value, wanted![prompt]!);
        });
      }
    });
});
