import assert from "node:assert/strict";
import { randomGenerator } from "../../src/array/index.js";
import type { Graph, Value } from "../../src/graph/index.js";
import * as g from "../../src/graph/index.js";
import type { Feed } from "../../src/runtime/ort.js";
import { Runtime } from "../../src/runtime/plan.js";

const runtime = new Runtime({ source: () => ({ kind: "fed" }) });
const random = randomGenerator("expand late");
const fed = (shape: readonly number[]): Feed => ({
  dtype: "float32",
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
});
const feeds = { x: fed([2, 3, 4]), byHead: fed([5, 2, 3, 4]), weights: fed([5, 4, 6]), scale: fed([4]) };
const x = g.input("x", "float32", ["batch", "pos", 4]);
const byHead = g.input("byHead", "float32", [5, "batch", "pos", 4]);
const weights = g.input("weights", "float32", [5, 4, 6]);
const scale = g.input("scale", "float32", [4]);
/** The same for each of five heads, `[head, batch, pos, 4]`. */
const repeated = (): Value => {
  const all = g.expand(g.unsqueeze(x, [2]), ["batch", "pos", 5, 4]);
  return g.transpose(g.point("input", all, ["batch", "pos", "head", "dModel"]), [2, 0, 1, 3]);
};
const product = (normed: Value): Value => g.matmul(g.reshape(normed, [5, "batch*pos", 4]), weights);

const graphs: Record<string, () => Value> = {
  "a norm and a product by head": () => product(g.layerNorm(repeated(), scale, scale, 1e-5)),
  "a root-mean-square norm": () => product(g.rmsNorm(repeated(), scale, 1e-5)),
  "a sum with what differs": () => g.mul(g.exp(repeated()), byHead),
  "a sum over the repeated axis": () => g.sum(repeated(), [0]),
  "a mean over another axis": () => g.add(g.mean(repeated(), [-1], true), byHead),
  "a softmax": () => g.sub(g.softmax(repeated()), byHead),
  "parts side by side": () => g.concat([repeated(), byHead], 0),
  "the slopes at each head's own input": () => {
    const graph = {
      outputs: { loss: g.sum(g.square(product(g.layerNorm(repeated(), scale, scale, 1e-5)))) },
    };
    return g.gradients(graph.outputs.loss, [g.findPoint(graph, "input")])[0]!;
  },
};

const expansions = (graph: Graph): Value[] => g.valuesOf(graph).filter(({ op }) => op === "expand");
const elements = ({ shape }: Value): number =>
  shape.reduce<number>((size, dim) => size * (dim === 5 ? 5 : 1), 1);

describe("repeating late", () => {
  for (const [what, make] of Object.entries(graphs))
    it(`gives the same for ${what}`, async () => {
      const graph = { outputs: { y: make() } };
      const late = g.expandLate(graph);
      const [before, after] = [
        (await runtime.plan(graph).run(feeds)).y!,
        (await runtime.plan(late).run(feeds)).y!,
      ];
      assert.deepEqual(after.shape, before.shape);
      for (let i = 0; i < before.data.length; i++)
        assert.ok(Math.abs(Number(after.data[i]) - Number(before.data[i])) < 1e-5, `${after.data[i]}`);
    });

  it("normalises once what all heads share", () => {
    const late = g.expandLate({ outputs: { y: graphs["a norm and a product by head"]!() } });
    const norms = g.valuesOf(late).filter(({ op }) => op === "layerNorm");
    assert.deepEqual(
      norms.map((norm) => elements(norm)),
      [1],
    );
    assert.equal(expansions(late).length, 0);
  });
});
