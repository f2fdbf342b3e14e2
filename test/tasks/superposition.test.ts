import assert from "node:assert/strict";
import { featureGeometry, superposition } from "../../src/tasks/index.js";
import { cosineSchedule, train } from "../../src/train/index.js";

async function trained(sparsity: number): Promise<ReturnType<typeof featureGeometry>> {
  const toy = superposition({ features: 5, hidden: 2, sparsity, importance: 0.9, batch: 512, seed: 3 });
  const steps = 3000;
  await train(toy, { steps, schedule: cosineSchedule({ peak: 1e-2, steps }), batch: toy.batch });
  return featureGeometry(toy.parameters.get("W")!);
}

describe("the toy model of superposition", () => {
  it("gives its two most important features a dimension each where features are dense", async () => {
    const { norms, dimensionality } = await trained(0);
    console.log(`      lengths ${norms.map((n) => n.toFixed(2)).join(" ")}`);
    for (const i of [0, 1]) {
      assert.ok(Math.abs(norms[i]! - 1) < 0.1);
      assert.ok(dimensionality[i]! > 0.9);
    }
    for (const i of [2, 3, 4]) assert.ok(norms[i]! < 0.2);
  });

  it("puts five features into two dimensions as a pentagon where they are sparse", async () => {
    const { norms, dimensionality } = await trained(0.95);
    console.log(`      lengths ${norms.map((n) => n.toFixed(2)).join(" ")}`);
    console.log(`      dimensionality ${dimensionality.map((n) => n.toFixed(2)).join(" ")}`);
    for (const norm of norms) assert.ok(norm > 0.8);
    // Two dimensions shared by five.
    for (const share of dimensionality) assert.ok(Math.abs(share - 0.4) < 0.05);
  });

  it("draws data of its sparsity, the same of the same seed", () => {
    const toy = superposition({ features: 20, sparsity: 0.8 });
    const { data, shape } = toy.data(2000, 1);
    assert.deepEqual(shape, [2000, 20]);
    const zeros = (data as Float32Array).filter((x) => x === 0).length / data.length;
    assert.ok(Math.abs(zeros - 0.8) < 0.01);
    assert.deepEqual(toy.data(3, "x").data, superposition({ features: 20, sparsity: 0.8 }).data(3, "x").data);
  });

  it("says what is wrong with its options", () => {
    assert.throws(() => superposition({ sparsity: 1 }), /from 0 to below 1; 1 came/);
    assert.throws(() => superposition({ features: 2.5 }), /features is a whole number/);
    assert.throws(() => superposition({ features: 3, importance: [1, 1] }), /2 importances for 3 features/);
  });
});
