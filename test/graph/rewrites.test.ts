import assert from "node:assert/strict";
import type { Graph, Value } from "../../src/graph/index.js";
import * as g from "../../src/graph/index.js";
import type { Feed } from "../../src/runtime/ort.js";
import { Runtime } from "../../src/runtime/plan.js";

const runtime = new Runtime({ source: () => ({ kind: "fed" }) });
const x = g.input("x", "float32", ["batch", 4]);
const feeds: Record<string, Feed> = {
  x: { dtype: "float32", shape: [2, 4], data: Float32Array.from([1, -2, 3, 4, 0, 5, -6, 7]) },
};

/** x → a → b → c, with a side branch from x that meets the rest in the output. */
function chain(): Graph {
  const a = g.point("a", g.mul(x, 2), ["batch", "unit"]);
  const b = g.point("b", g.relu(a), ["batch", "unit"]);
  const side = g.exp(g.mul(x, 0.1));
  const c = g.point("c", g.add(g.mul(b, side), a), ["batch", "unit"]);
  return { outputs: { y: g.sum(c), side } };
}

const run = async (graph: Graph, more: Record<string, Feed> = {}): Promise<Record<string, number[]>> =>
  Object.fromEntries(
    Object.entries(await runtime.plan(graph).run({ ...feeds, ...more })).map(([name, { data }]) => [
      name,
      Array.from(data as Float32Array),
    ]),
  );

const close = (a: number[], b: number[]): void => {
  assert.equal(a.length, b.length);
  for (const [i, value] of a.entries())
    assert.ok(Math.abs(value - b[i]!) < 1e-5 * Math.max(1, Math.abs(value)), `${value} and ${b[i]}`);
};

describe("rewrites of a graph", () => {
  it("slice keeps what the named values need and nothing else", async () => {
    const sliced = g.sliceGraph(chain(), ["a"]);
    assert.deepEqual([...g.pointsOf(sliced).keys()], ["a"]);
    assert.deepEqual((await run(sliced)).a, [2, -4, 6, 8, 0, 10, -12, 14]);
  });

  it("replace changes what follows and leaves the graph that it was given alone", async () => {
    const graph = chain();
    const before = await run(graph);
    const replaced = g.replace(graph, [["b", (value) => g.mul(value, 0)]]);
    close((await run(replaced)).y!, [2 * 12]);
    close((await run(graph)).y!, before.y!);
    assert.deepEqual([...g.pointsOf(replaced).keys()].sort(), ["a", "b", "c"]);
  });

  it("replace acts in order, and the point's name is the last value's", async () => {
    const replaced = g.replace(chain(), [
      ["a", (value) => g.add(value, 1)],
      ["a", (value) => g.mul(value, 10)],
    ]);
    assert.deepEqual((await run(g.sliceGraph(replaced, ["a"]))).a!.slice(0, 2), [30, -30]);
  });

  for (const at of ["a", "b", "c"])
    it(`cut at ${at} gives two parts that together compute what the whole does`, async () => {
      const graph = chain();
      const { before, after } = g.cut(graph, at);
      const crossing = await runtime.plan(before).run(feeds);
      const fed = Object.fromEntries(
        Object.entries(crossing).map(([name, { data, shape }]) => [
          name,
          { dtype: "float32", shape, data } as Feed,
        ]),
      );
      const whole = await run(graph);
      const parts = await run(after, fed);
      close(parts.y!, whole.y!);
      close(parts.side!, whole.side!);
    });

  it("cut hands parts of a split over, not the split", async () => {
    const [left, right] = g.split(x, 1, [1, 3]);
    const p = g.point("p", g.mul(left!, 2), ["batch", "unit"]);
    const graph = { outputs: { y: g.sum(g.mul(p, right!)) } };
    const { before, after } = g.cut(graph, "p");
    const crossing = await runtime.plan(before).run(feeds);
    const fed = Object.fromEntries(
      Object.entries(crossing).map(([name, { data, shape }]) => [
        name,
        { dtype: "float32", shape, data } as Feed,
      ]),
    );
    close((await run(after, fed)).y!, (await run(graph)).y!);
  });

  it("stopGradients leaves values as they are and lets no gradient through", async () => {
    const graph = chain();
    const stopped = g.stopGradients(graph, ["b"]);
    close((await run(stopped)).y!, (await run(graph)).y!);
    const slope = (of: Graph): Value => g.gradients(of.outputs.y!, [g.findPoint(of, "a")])[0]!;
    const free = (await run({ outputs: { ...graph.outputs, d: slope(graph) } })).d!;
    const held = (await run({ outputs: { ...stopped.outputs, d: slope(stopped) } })).d!;
    assert.deepEqual(held, new Array(8).fill(1));
    assert.notDeepEqual(free, held);
  });

  it("the nearest names are those that a name is a part of, then those with the fewest other letters", () => {
    const known = ["ioi", "facts", "sentiment", "genderedPronouns", "subjectVerbAgreement"];
    assert.deepEqual(g.nearest("pronouns", known, 1), ["genderedPronouns"]);
    assert.deepEqual(g.nearest("fact", known, 1), ["facts"]);
    assert.deepEqual(g.nearest("sentimant", known, 1), ["sentiment"]);
  });

  it("an unknown point is refused with the nearest names", () => {
    assert.throws(() => g.replace(chain(), [["aa", (value) => value]]), /"aa".*nearest are a/s);
  });

  it("the structure of a graph is what it computes, not the objects that it is made of", () => {
    assert.equal(g.structure(chain()), g.structure(chain()));
    assert.notEqual(
      g.structure(chain()),
      g.structure(g.replace(chain(), [["a", (value) => g.mul(value, 2)]])),
    );
    const named = (name: string): Graph => ({
      outputs: { y: g.point(name, g.mul(x, 2), ["batch", "unit"]) },
    });
    assert.equal(g.structure(named("one")), g.structure(named("two")));
  });
});

describe("shape rules", () => {
  const refused: [string, () => Value, RegExp][] = [
    ["adding shapes that do not fit", () => g.add(x, g.input("z", "float32", [5])), /\[batch, 4\].*\[5\]/],
    ["adding different named dimensions", () => g.add(x, g.input("z", "float32", ["pos", 4])), /batch.*pos/],
    ["adding different dtypes", () => g.add(x, g.input("z", "int64", [4])), /float32.*int64/],
    [
      "products whose inner sizes differ",
      () => g.matmul(x, g.input("z", "float32", [5, 4])),
      /\[batch, 4\].*\[5, 4\]/,
    ],
    ["products of vectors", () => g.matmul(x, g.input("z", "float32", [4])), /two axes/],
    [
      "reshaping to another number of elements",
      () => g.reshape(x, ["batch", 5]),
      /\[batch, 4\].*\[batch, 5\]/,
    ],
    ["transposing by what is no permutation", () => g.transpose(x, [0, 0]), /permutation/],
    ["an axis that is not there", () => g.sum(x, [2]), /axis 2/],
    ["joining what does not fit", () => g.concat([x, g.input("z", "float32", ["batch", 4, 1])], 0), /fit/],
    ["splitting into parts that do not make up the whole", () => g.split(x, 1, [1, 2])[0]!, /axis 1/],
    ["a point with the wrong number of axes", () => g.point("p", x, ["batch"]), /"p".*1 axes/],
    ["squeezing an axis that is not 1", () => g.squeeze(x, [1]), /size 1/],
  ];
  for (const [what, make, words] of refused) it(`refuse ${what}`, () => assert.throws(make, words));
});
