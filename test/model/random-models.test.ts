import assert from "node:assert/strict";
import fc from "fast-check";
import { randomGenerator, type Tensor } from "../../src/array/index.js";
import { families } from "../../src/model/families/index.js";
import type { HfConfig } from "../../src/model/hf-config.js";
import { modelInMemory } from "../../src/model/memory-model.js";
import { newModel } from "../../src/model/new-model.js";
import {
  arithmeticError,
  continuesAlike,
  paddingError,
  someTokens,
  watchedError,
  weightsError,
} from "./checks.js";
import { randomConfig, randomFamilies } from "./random-configs.js";
import { parameterGradientError } from "./slopes.js";

/** New parameters whose maps have biases too; those of norms stay 0. */
function freshParameters(json: HfConfig, seed: number): ReadonlyMap<string, Tensor> {
  const { parameters } = newModel(json, seed);
  const random = randomGenerator(seed);
  for (const [name, { data }] of parameters) {
    const matrix = parameters.get(name.replace(/bias$/, "weight"));
    if (name.endsWith("bias") && matrix?.shape.length === 2)
      for (let i = 0; i < data.length; i++) data[i] = 0.3 * random.normal();
  }
  return parameters;
}

describe("models of random configurations", () => {
  it("are made of every family that reads a config.json of its own", () => {
    const known = families.flatMap(({ modelTypes }) => modelTypes);
    assert.deepEqual(known.filter((name) => name !== "toy_transformer").sort(), [...randomFamilies].sort());
  });

  for (const family of randomFamilies)
    it(`of ${family} compute alike whatever is watched, padded or remembered`, async function () {
      this.timeout(60_000);
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: 1000 }), async (seed) => {
          const json = randomConfig(family, seed);
          const parameters = freshParameters(json, seed);
          const model = modelInMemory(json, { parameters });
          const tokens = someTokens(model, 2, 9, seed);
          const watched = await watchedError(model, tokens);
          assert.ok(watched.error < 1e-5, `watched: ${watched}`);
          const arithmetic = await arithmeticError(model, tokens);
          assert.ok(arithmetic.error < 1e-5, `arithmetic: ${arithmetic}`);
          if (!model.config.stateSpace && !model.config.encoder) {
            const weights = await weightsError(model, tokens);
            assert.ok(weights.error < 1e-5, `weights: ${weights}`);
          }
          const padding = await paddingError(model, [tokens[0]!.slice(0, 4), tokens[1]!]);
          assert.ok(padding < 1e-5, `padding: ${padding}`);
          if (model.config.task === "nextToken")
            assert.ok(await continuesAlike(model, tokens[0]!.slice(0, 3), 6), "generation");
          await model.release();
        }),
        { numRuns: 2, seed: 5 },
      );
    });

  for (const family of randomFamilies)
    it(`of ${family} have the parameter gradients that the metric's change tells`, async () => {
      const json = randomConfig(family, 3);
      const error = await parameterGradientError(json, freshParameters(json, 3));
      console.log(`      ${error.toExponential(1)}`);
      assert.ok(error < 5e-3, `${error}`);
    });
});
