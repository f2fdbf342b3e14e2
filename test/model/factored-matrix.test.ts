import assert from "node:assert/strict";
import fc from "fast-check";
import {
  broadcastTo,
  contiguous,
  normalTensor,
  randomGenerator,
  type Tensor,
  tensor,
} from "../../src/array/index.js";
import { product } from "../../src/model/factored-matrix.js";
import { FactoredMatrix, loadModel } from "../../src/model/index.js";
import { fixture } from "../shared.js";
import { scaledError } from "./reference.js";

const swap = (x: Tensor): Tensor => {
  const axes = x.shape.map((_, i) => i);
  return contiguous(x.transpose(...axes.slice(0, -2), axes.length - 1, axes.length - 2) as Tensor);
};
const close = (actual: Tensor, expected: Tensor, what: string): void => {
  assert.deepEqual([...actual.shape], [...expected.shape], what);
  const error = scaledError(actual, expected, 1);
  assert.ok(error < 1e-5, `${what}: ${error}`);
};

/** Two factors of random sizes and values, with up to two leading axes. */
const factors = fc
  .record({
    m: fc.integer({ min: 1, max: 9 }),
    r: fc.integer({ min: 1, max: 6 }),
    n: fc.integer({ min: 1, max: 9 }),
    leading: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
    seed: fc.nat(),
  })
  .map(({ m, r, n, leading, seed }) => {
    const random = randomGenerator(seed);
    return {
      a: normalTensor(random.fork("a"), [...leading, m, r]),
      b: normalTensor(random.fork("b"), [...leading, r, n]),
      random,
    };
  });

describe("a factored matrix", () => {
  it("is the product of its factors, in every question that is asked of it", () => {
    fc.assert(
      fc.property(factors, ({ a, b, random }) => {
        const matrix = new FactoredMatrix(a, b);
        const whole = product(a, b);
        assert.deepEqual([...matrix.shape], [...whole.shape]);
        close(matrix.AB, whole, "AB");
        close(matrix.T.AB, swap(whole), "T");
        const [m, n] = whole.shape.slice(-2) as [number, number];
        const leading = whole.shape.slice(0, -2);
        const right = normalTensor(random.fork("right"), [...leading, n, 4]);
        close((matrix.matmul(right) as FactoredMatrix).AB, product(whole, right), "matmul");
        close(
          (matrix.matmul(new FactoredMatrix(right, swap(right))) as FactoredMatrix).AB,
          product(whole, product(right, swap(right))),
          "matmul of two",
        );
        const left = normalTensor(random.fork("left"), [...leading, 4, m]);
        close((matrix.leftMatmul(left) as FactoredMatrix).AB, product(left, whole), "leftMatmul");
        const vector = normalTensor(random.fork("vector"), [n]);
        const column = product(
          whole,
          contiguous(broadcastTo(tensor(vector.data, [n, 1]), [...leading, n, 1])),
        );
        close(matrix.matmul(vector) as Tensor, tensor(column.data, column.shape.slice(0, -1)), "vector");
        const squares = whole.data.map((value) => value * value);
        const norms = Float32Array.from({ length: squares.length / (m * n) }, (_, i) =>
          Math.sqrt(squares.subarray(i * m * n, (i + 1) * m * n).reduce((sum, value) => sum + value, 0)),
        );
        close(matrix.norm(), tensor(norms, leading), "norm");
      }),
      { numRuns: 150 },
    );
  });

  it("has a singular value decomposition: orthonormal vectors, values that fall, and their product", () => {
    fc.assert(
      fc.property(factors, ({ a, b }) => {
        const matrix = new FactoredMatrix(a, b);
        const { U, S, V } = matrix.svd();
        const rank = S.shape.at(-1)!;
        S.data.forEach((value, i) => {
          assert.ok(value >= 0 && (i % rank === 0 || value <= S.data[i - 1]! + 1e-6));
        });
        const scaled = tensor(
          U.data.map((value, i) => {
            const row = Math.floor(i / (rank * U.shape.at(-2)!));
            return value * S.data[row * rank + (i % rank)]!;
          }),
          U.shape,
        );
        close(product(scaled, swap(V)), matrix.AB, "U S V");
        for (const vectors of [U, V]) {
          const gram = product(swap(vectors), vectors);
          gram.data.forEach((value, i) => {
            const [row, column] = [Math.floor(i / rank) % rank, i % rank];
            assert.ok(Math.abs(value - (row === column ? 1 : 0)) < 1e-4, `${row},${column}: ${value}`);
          });
        }
      }),
      { numRuns: 150 },
    );
  });

  it("has the eigenvalues of its product: their sum is the trace, and copying scores are between −1 and 1", () => {
    fc.assert(
      fc.property(factors, ({ a, random }) => {
        const [m, r] = a.shape.slice(-2) as [number, number];
        const matrix = new FactoredMatrix(
          a,
          normalTensor(random.fork("square"), [...a.shape.slice(0, -2), r, m]),
        );
        const { real, imaginary } = matrix.eigenvalues();
        const whole = matrix.AB;
        for (let i = 0; i < real.data.length / r; i++) {
          let [trace, sum, rest] = [0, 0, 0];
          for (let j = 0; j < m; j++) trace += whole.data[i * m * m + j * m + j]!;
          for (let j = 0; j < r; j++) {
            sum += real.data[i * r + j]!;
            rest += imaginary.data[i * r + j]!;
          }
          assert.ok(Math.abs(trace - sum) < 1e-4 * Math.max(1, Math.abs(trace)), `${trace} ${sum}`);
          assert.ok(Math.abs(rest) < 1e-4);
        }
        assert.ok(matrix.eigenvalueScore().data.every((score) => Math.abs(score) <= 1 + 1e-6));
      }),
      { numRuns: 150 },
    );
    const identity = tensor([1, 0, 0, 1], [2, 2]);
    const turn = new FactoredMatrix(identity, tensor([0, -1, 1, 0], [2, 2]));
    assert.deepEqual(Array.from(turn.eigenvalues().imaginary.data), [1, -1]);
    assert.equal(new FactoredMatrix(identity, identity).eigenvalueScore().data[0], 1);
  });

  it("is indexed by layer and head, and shows its corner", async () => {
    const model = await loadModel(fixture("models", "llama"));
    const { nLayers, nHeads, dModel, dHead, nKvHeads } = model.config;
    const qk = model.weights.get("QK");
    assert.deepEqual([...qk.shape], [nLayers, nHeads, dModel, dModel]);
    assert.equal(qk.innerSize, dHead);
    const group = nHeads / nKvHeads;
    const one = qk.at(1, -1);
    const keys = model.weights.get("W_K").pick(1, Math.floor((nHeads - 1) / group), null, null) as Tensor;
    const queries = model.weights.get("W_Q").pick(1, nHeads - 1, null, null) as Tensor;
    close(one.AB, product(queries, swap(keys)), "QK of one head");
    const corner = one.getCorner();
    assert.deepEqual([...corner.shape], [3, 3]);
    assert.ok(Math.abs(corner.get(2, 1) - one.AB.get(2, 1)) < 1e-6);
    assert.match(String(one), new RegExp(`\\[${dModel}, ${dModel}\\], inner size ${dHead}`));
    assert.throws(() => qk.at(nLayers), /Index \d+ is outside axis 0/);
    assert.throws(() => qk.at(0, 0, 0), /has only 2 leading axes/);
  });

  it("refuses factors that do not fit, and eigenvalues of what is not square", () => {
    const a = tensor([1, 2, 3, 4, 5, 6], [2, 3]);
    assert.throws(() => new FactoredMatrix(a, a), /\[2, 3\] and \[2, 3\]/);
    assert.throws(() => new FactoredMatrix(a, tensor([1, 2, 3], [3, 1])).eigenvalues(), /2 × 1/);
    assert.throws(
      () => new FactoredMatrix(a, a.transpose(1, 0) as Tensor).matmul(tensor([1, 2, 3], [3, 1])),
      /differ/,
    );
  });
});
