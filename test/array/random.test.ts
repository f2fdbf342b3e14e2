import assert from "node:assert/strict";
import fc from "fast-check";
import { normalTensor, type Random, randomGenerator } from "../../src/array/index.js";

function draw(random: Random, count = 8): number[] {
  return Array.from({ length: count }, () => random.uniform());
}

describe("random", () => {
  it("gives the same numbers for the same seed, for ever", () => {
    assert.deepEqual(draw(randomGenerator(7)), draw(randomGenerator(7)));
    assert.notDeepEqual(draw(randomGenerator(7)), draw(randomGenerator(8)));
    assert.notDeepEqual(draw(randomGenerator(7)), draw(randomGenerator("7")));
    const random = randomGenerator(0);
    assert.deepEqual([random.integer(1000), random.integer(1000), random.integer(1000)], [332, 227, 54]);
  });

  it("goes on from a stored state, in the middle of a pair of normal numbers too", () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(5), (seed, before) => {
        const random = randomGenerator(seed);
        for (let i = 0; i < before; i++) random.normal();
        const resumed = randomGenerator(JSON.parse(JSON.stringify(random.state())));
        assert.deepEqual(
          [random.normal(), random.normal(), ...draw(random), ...draw(random.fork("a"))],
          [resumed.normal(), resumed.normal(), ...draw(resumed), ...draw(resumed.fork("a"))],
        );
      }),
    );
  });

  it("forks by label, whatever was drawn before", () => {
    const random = randomGenerator(1);
    const early = draw(random.fork("data"));
    draw(random, 100);
    assert.deepEqual(draw(random.fork("data")), early);
    assert.notDeepEqual(draw(random.fork("weights")), early);
    assert.notDeepEqual(draw(random.fork(1)), draw(random.fork("1")));
    assert.notDeepEqual(draw(random.fork("data").fork("data")), early);
  });

  it("streams of neighbouring seeds and forks are uncorrelated", () => {
    const n = 20_000;
    const pairs: [Random, Random][] = [
      [randomGenerator(1), randomGenerator(2)],
      [randomGenerator(1), randomGenerator(1).fork(0)],
      [randomGenerator(1).fork(0), randomGenerator(1).fork(1)],
    ];
    for (const [a, b] of pairs) {
      let product = 0;
      for (let i = 0; i < n; i++) product += (a.uniform() - 0.5) * (b.uniform() - 0.5);
      assert.ok(Math.abs((product / n) * 12) < 5 / Math.sqrt(n));
    }
  });

  it("uniform and normal numbers have their moments", () => {
    const random = randomGenerator(3);
    const n = 200_000;
    let uniform = 0;
    const moments = [0, 0, 0, 0];
    for (let i = 0; i < n; i++) {
      const u = random.uniform();
      assert.ok(u >= 0 && u < 1);
      uniform += u;
      const x = random.normal();
      for (let power = 0; power < 4; power++) moments[power]! += x ** (power + 1) / n;
    }
    assert.ok(Math.abs(uniform / n - 0.5) < 0.004);
    for (const [i, expected] of [0, 1, 0, 3].entries())
      assert.ok(Math.abs(moments[i]! - expected) < 0.08, `${moments}`);
  });

  it("draws integers, choices and weighted choices at their rates", () => {
    const random = randomGenerator(5);
    const counts = new Map<string, number>();
    for (let i = 0; i < 30_000; i++) {
      for (const key of [
        `i${random.integer(3)}`,
        random.choice(["a", "b"]),
        random.weightedChoice(["x", "y", "z"], [1, 0, 3]),
      ]) {
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
    }
    const near = (key: string, rate: number): void =>
      assert.ok(Math.abs((counts.get(key) ?? 0) / 30_000 - rate) < 0.02, `${key} ${counts.get(key)}`);
    for (const key of ["i0", "i1", "i2"]) near(key, 1 / 3);
    near("a", 1 / 2);
    near("x", 1 / 4);
    near("z", 3 / 4);
    assert.equal(counts.get("y"), undefined);
  });

  it("shuffles into permutations and samples without repetition, leaving the list as it was", () => {
    fc.assert(
      fc.property(fc.integer(), fc.uniqueArray(fc.integer()), fc.nat(5), (seed, items, count) => {
        const random = randomGenerator(seed);
        const before = [...items];
        assert.deepEqual(random.shuffle(items).sort(), [...before].sort());
        if (count <= items.length) {
          const sample = random.sample(items, count);
          assert.equal(new Set(sample).size, count);
          assert.ok(sample.every((item) => items.includes(item)));
        }
        assert.deepEqual(items, before);
      }),
    );
    const seen = new Set(
      Array.from({ length: 500 }, (_, seed) => randomGenerator(seed).shuffle([1, 2, 3]).join()),
    );
    assert.equal(seen.size, 6);
  });

  it("makes tensors of normal numbers", () => {
    const x = normalTensor(randomGenerator(1), [40, 50], { mean: 3, standardDeviation: 0.1 });
    assert.deepEqual(x.shape, [40, 50]);
    const average = x.data.reduce((total, value) => total + value, 0) / 2000;
    assert.ok(Math.abs(average - 3) < 0.02);
  });

  it("says what is wrong with its arguments", () => {
    const random = randomGenerator(1);
    assert.throws(() => randomGenerator(1.5), /seed is a whole number or a text; 1.5 came/);
    assert.throws(
      () => randomGenerator({ key: [1], stream: [0, 0, 0, 1], spare: null }),
      /four whole numbers/,
    );
    assert.throws(
      () => randomGenerator({ key: [1, 2, 3, 4], stream: [0, 0, 0, 0], spare: null }),
      /four zeros/,
    );
    assert.throws(() => random.integer(0), /whole number from 1 on; 0 came/);
    assert.throws(() => random.choice([]), /list is empty/);
    assert.throws(() => random.weightedChoice(["a"], [1, 2]), /1 items came with 2 weights/);
    assert.throws(() => random.weightedChoice(["a"], [0]), /no weight is above 0/);
    assert.throws(() => random.weightedChoice(["a"], [-1]), /-1 came/);
    assert.throws(() => random.sample([1], 2), /2 different items were asked of 1/);
  });
});
