import assert from "node:assert/strict";
import fc from "fast-check";
import {
  argmax,
  logSoftmax,
  mean,
  softmax,
  sum,
  tensor,
  toNested,
  topK,
  zeros,
} from "../../src/array/index.js";

const rows = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 9 }))
  .chain(([count, length]) =>
    fc
      .array(fc.float({ min: -50, max: 50, noNaN: true }), {
        minLength: count * length,
        maxLength: count * length,
      })
      .map((values) => tensor(values, [count, length])),
  );

describe("reductions along the last axis", () => {
  it("add up in float64: a million tenths are 100,000", () => {
    const x = tensor(new Float32Array(1_000_000).fill(0.1));
    assert.equal(sum(x).get(), Math.fround(Math.fround(0.1) * 1_000_000));
    assert.equal(mean(x).get(), Math.fround(0.1));
  });

  it("work on strided views", () => {
    const x = tensor([1, 2, 3, 4, 5, 6], [2, 3]).transpose(1, 0);
    assert.deepEqual(toNested(sum(x)), [5, 7, 9]);
    assert.deepEqual(toNested(mean(x)), [2.5, 3.5, 4.5]);
    assert.deepEqual(argmax(x), [1, 1, 1]);
  });

  it("softmax is positive, adds up to 1 and is the exponential of logSoftmax", () => {
    fc.assert(
      fc.property(rows, (x) => {
        const probabilities = softmax(x);
        const logs = logSoftmax(x);
        for (const total of sum(probabilities).data) assert.ok(Math.abs(total - 1) < 1e-6);
        for (const [i, p] of probabilities.data.entries())
          assert.ok(Math.abs(p - Math.exp(logs.data[i]!)) < 1e-6);
      }),
    );
  });

  it("softmax takes masked and very large logits", () => {
    assert.deepEqual(toNested(softmax(tensor([1e30, -Infinity, 1e30]))), [0.5, 0, 0.5]);
    assert.deepEqual(toNested(logSoftmax(tensor([0, -Infinity]))), [0, -Infinity]);
    assert.ok(softmax(tensor([1, Number.NaN])).data.every(Number.isNaN));
  });

  it("topK is the beginning of the sorted row, of equal values the first", () => {
    fc.assert(
      fc.property(rows, fc.nat(10), (x, k) => {
        const length = x.shape[1]!;
        for (const [row, { indices, values }] of topK(x, k).entries()) {
          const expected = Array.from({ length }, (_, i) => i)
            .sort((a, b) => x.get(row, b) - x.get(row, a) || a - b)
            .slice(0, k);
          assert.deepEqual(indices, expected);
          assert.deepEqual(
            values,
            expected.map((i) => x.get(row, i)),
          );
          if (k > 0) assert.equal(argmax(x)[row], indices[0]);
        }
      }),
    );
  });

  it("choices refuse NaN and empty rows", () => {
    assert.throws(() => argmax(tensor([1, Number.NaN])), /argmax is not defined for NaN.*at 1/);
    assert.throws(() => topK(tensor([Number.NaN]), 1), /topK is not defined for NaN/);
    assert.throws(() => argmax(zeros([2, 0])), /empty row.*\[2, 0\]/);
    assert.throws(() => mean(zeros([0])), /empty row/);
    assert.throws(() => topK(zeros([2]), -1), /-1 came/);
    assert.throws(() => sum(zeros([])), /at least one axis/);
    assert.throws(() => sum(tensor(BigInt64Array.of(1n))), /64-bit integers/);
  });
});
