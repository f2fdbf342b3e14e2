import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import {
  fromNested,
  loadModel,
  logisticRegression,
  probe,
  randomGenerator,
  readNpz,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { sentiment } from "../../src/tasks/index.js";
import { repository } from "../shared.js";

describe("logistic regression", () => {
  for (const [name, c, testAccuracy] of [
    ["C1", 1, 0.71],
    ["C0_01", 0.01, 0.69],
  ] as const) {
    it(`agrees with scikit-learn at C = ${c}`, async () => {
      const data = await readNpz(join(repository, "test/fixtures/methods/logistic.npz"));
      const { data: values, shape } = data.get("X")!;
      const x = tensor(values as Float32Array, shape);
      const y = Array.from(data.get("y")!.data as Int32Array);
      const fitted = logisticRegression(x.hi(300, 32) as Tensor, y.slice(0, 300), { c });
      const weights = data.get(`logreg_${name}_coef`)!.data as Float64Array;
      const bias = (data.get(`logreg_${name}_intercept`)!.data as Float64Array)[0]!;
      const worst = Math.max(
        ...fitted.weights.map((w, i) => Math.abs(w - weights[i]!)),
        Math.abs(fitted.bias - bias),
      );
      console.log(`      coefficients within ${worst.toExponential(1)}`);
      assert.ok(worst < 1e-5);
      const test = x.lo(300, 0) as Tensor;
      const expected = data.get(`logreg_${name}_proba_test`)!.data as Float64Array;
      fitted.probabilities(test).forEach((p, i) => {
        assert.ok(Math.abs(p - expected[i]!) < 1e-5);
      });
      assert.equal(fitted.accuracy(test, y.slice(300)), testAccuracy);
    });
  }

  it("stands at a point where no direction leads down, also where the classes are far apart", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), fc.constantFrom(0.01, 1, 100), (seed, c) => {
        const random = randomGenerator(seed);
        const rows = 12;
        const x = tensor(
          Float32Array.from({ length: rows * 3 }, () => 5 * random.normal()),
          [rows, 3],
        );
        const y = Array.from({ length: rows }, (_, i) => (i < 2 ? i : random.integer(2)));
        const { weights, bias } = logisticRegression(x, y, { c });
        const gradient = [0, 0, 0, 0];
        for (let i = 0; i < rows; i++) {
          const row = [x.get(i, 0), x.get(i, 1), x.get(i, 2), 1];
          const z = row.reduce((sum, value, j) => sum + value * [...weights, bias][j]!, 0);
          for (let j = 0; j < 4; j++) gradient[j]! += c * (1 / (1 + Math.exp(-z)) - y[i]!) * row[j]!;
        }
        gradient.forEach((g, j) => {
          assert.ok(Math.abs(g + (j < 3 ? weights[j]! : 0)) < 1e-4 * Math.max(1, c), `${gradient}`);
        });
      }),
      { numRuns: 30 },
    );
  });

  it("says what is wrong with its input", () => {
    const x = fromNested([[1], [2]]) as Tensor;
    assert.throws(() => logisticRegression(x, [1]), /2, ?1.*1 labels came/s);
    assert.throws(() => logisticRegression(x, [1, 1]), /alike/);
    assert.throws(() => logisticRegression(x, [1, 2]), /0 and 1/);
    assert.throws(() => logisticRegression(x, [1, 0], { c: 0 }), /positive/);
    assert.throws(() => logisticRegression(fromNested([[1], [Number.NaN]]) as Tensor, [1, 0]), /finite/);
  });
});

describe("probe", () => {
  it("reads a review's verdict off the residual stream, but not off the last token's embedding", async () => {
    const model = await loadModel("tiny-world");
    const prompts = sentiment({ count: 200, seed: 5 });
    const labels = prompts.map(({ answer }) => (answer === " good" ? 1 : 0));
    const { values } = await probe(
      model,
      prompts.map(({ clean }) => clean),
      { labels },
    );
    assert.deepEqual(values.shape, [model.config.nLayers + 1]);
    assert.ok(values.get(0) < 0.65, "the embedding of the last token");
    assert.ok(values.get(model.config.nLayers) > 0.85);
  });
});
