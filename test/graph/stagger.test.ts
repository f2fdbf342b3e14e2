import assert from "node:assert/strict";
import { randomGenerator } from "../../src/array/index.js";
import type { Graph, Value } from "../../src/graph/index.js";
import * as g from "../../src/graph/index.js";
import type { Feed } from "../../src/runtime/ort.js";
import { Runtime } from "../../src/runtime/plan.js";

const runtime = new Runtime({ source: () => ({ kind: "fed" }) });
const random = randomGenerator("stagger");
const numbers = (...shape: number[]): Feed => ({
  dtype: "float32",
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.normal()),
});
const indices = (...values: number[]): Feed => ({
  dtype: "int64",
  shape: [values.length],
  data: BigInt64Array.from(values, BigInt),
});
const axes = ["batch", "pos", "unit"];

/** Two layers, in each of which positions are mixed, and what the first one reads is added again behind the last. */
function layers(): Graph {
  const x = g.input("x", "float32", ["batch", "pos", 4]);
  const layer = (name: string, value: Value): Value => {
    const mixed = g.matmul(g.softmax(g.matmul(value, value, { transposeB: true })), value);
    const apart = g.reshape(g.tanh(mixed), ["batch", "pos", 2, 2]);
    return g.point(name, g.add(value, g.reshape(apart, ["batch", "pos", 4])), axes);
  };
  const first = g.point("first", x, axes);
  const out = g.add(layer("third", layer("second", first)), g.mul(first, 0.5));
  return { outputs: { y: g.sum(g.square(g.slice(out, 1, -1)), [1, 2]) } };
}

async function run(graph: Graph, feeds: Readonly<Record<string, Feed>>): Promise<Record<string, number[]>> {
  const outputs = await runtime.plan(graph).run(feeds);
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { data }]) => [name, [...(data as Float32Array)]]),
  );
}

function close(actual: readonly number[], expected: readonly number[]): void {
  assert.equal(actual.length, expected.length);
  for (const [i, value] of actual.entries())
    assert.ok(
      Math.abs(value - expected[i]!) < 1e-5 * Math.max(1, Math.abs(value)),
      `${actual}, not ${expected}`,
    );
}

const x = numbers(3, 5, 4);
/** A change that differs from row to row, by the row's own factor. */
const scaled =
  (name: string) =>
  (value: Value, rows: g.Rows): Value =>
    g.mul(value, g.input(name, "float32", [rows.dim, 1, 1]));
const factors = (...values: number[]): Feed => ({
  dtype: "float32",
  shape: [values.length, 1, 1],
  data: Float32Array.from(values),
});

/** What the graph gives where rows are scaled at points. */
async function plainly(scales: Readonly<Record<string, number>>): Promise<number[]> {
  const changes = Object.entries(scales).map(
    ([name, factor]) => [name, (value: Value) => g.mul(value, factor)] as const,
  );
  return (await run(g.replace(layers(), changes), { x })).y!;
}

describe("rows that begin at different points", () => {
  async function known(staggered: g.Staggered): Promise<Record<string, Feed>> {
    const outputs = await runtime.plan(staggered.known).run({ x });
    return Object.fromEntries(
      Object.entries(outputs).map(([name, { data, shape }]) => [name, { dtype: "float32", shape, data }]),
    );
  }

  it("are what each of them is by itself", async () => {
    const staggered = g.stagger(layers(), [
      { point: "first", joining: scaled("a") },
      { point: "second", joining: scaled("b") },
      { point: "third", joining: scaled("c") },
    ]);
    assert.deepEqual(
      staggered.joining.map(({ point }) => point),
      ["first", "second", "third"],
    );
    for (const graph of [staggered.graph, g.narrow(staggered.graph)]) {
      const { y } = await run(graph, {
        x,
        ...(await known(staggered)),
        [staggered.joining[0]!.input]: indices(2, 0),
        [staggered.joining[1]!.input]: indices(1),
        [staggered.joining[2]!.input]: indices(0, 1, 2),
        [staggered.rows[0]!]: indices(2, 0),
        [staggered.rows[1]!]: indices(2, 0, 1),
        [staggered.rows[2]!]: indices(2, 0, 1, 0, 1, 2),
        a: factors(2, 0.5),
        b: factors(-1),
        c: factors(0, 3, 1),
      });
      close(y!, [
        (await plainly({ first: 2 }))[2]!,
        (await plainly({ first: 0.5 }))[0]!,
        (await plainly({ second: -1 }))[1]!,
        (await plainly({ third: 0 }))[0]!,
        (await plainly({ third: 3 }))[1]!,
        (await plainly({}))[2]!,
      ]);
    }
  });

  it("may be changed again at later points, at which none joins", async () => {
    const staggered = g.stagger(layers(), [
      { point: "first", joining: scaled("a") },
      { point: "second", all: scaled("b") },
      { point: "third", joining: (value) => value, all: scaled("c") },
    ]);
    const { y } = await run(staggered.graph, {
      x,
      ...(await known(staggered)),
      [staggered.joining[0]!.input]: indices(0, 1),
      [staggered.joining[1]!.input]: indices(2),
      [staggered.rows[0]!]: indices(0, 1),
      [staggered.rows[1]!]: indices(0, 1, 2),
      a: factors(2, 1),
      b: factors(1, 3),
      c: factors(4, 1, 0.5),
    });
    close(y!, [
      (await plainly({ first: 2, third: 4 }))[0]!,
      (await plainly({ second: 3 }))[1]!,
      (await plainly({ third: 0.5 }))[2]!,
    ]);
    assert.throws(
      () => g.stagger(layers(), [{ point: "first", all: scaled("a") }]),
      /No row has joined before "first", so there is none to change/,
    );
  });

  it("keep the known run's values at frozen points, and what is changed there", async () => {
    const staggered = g.stagger(layers(), [{ point: "first", joining: scaled("a") }], { frozen: ["third"] });
    const { y } = await run(staggered.graph, {
      x,
      ...(await known(staggered)),
      [staggered.joining[0]!.input]: indices(1),
      [staggered.rows[0]!]: indices(1),
      a: factors(2),
    });
    // Only the sum behind the last layer sees the change.
    const third = (await runtime.plan(g.sliceGraph(layers(), ["third"])).run({ x })).third!
      .data as Float32Array;
    const input = x.data as Float32Array;
    const last = Array.from(
      { length: 4 },
      (_, i) => third[(1 * 5 + 4) * 4 + i]! + input[(1 * 5 + 4) * 4 + i]!,
    );
    close(y!, [last.reduce((sum, value) => sum + value ** 2, 0)]);
  });
});

describe("a narrowed graph", () => {
  it("gives the same, and computes one position where one is read", async () => {
    const graph = layers();
    const narrow = g.narrow(graph);
    close((await run(narrow, { x })).y!, (await run(graph, { x })).y!);
    const widths = (of: Graph): unknown[] =>
      g
        .topological(Object.values(of.outputs))
        .filter(({ op }) => op === "tanh")
        .map(({ shape }) => shape[1]);
    assert.deepEqual(widths(graph), ["pos", "pos"]);
    assert.deepEqual(widths(narrow), ["pos", 1]);
  });

  it("leaves alone what is read whole, or in different parts", async () => {
    const value = g.tanh(g.input("x", "float32", ["batch", "pos", 4]));
    const parts = { last: g.slice(value, 1, -1), first: g.slice(value, 1, 0, 1) };
    const graph = { outputs: { ...parts, whole: g.sum(value, [1, 2]) } };
    for (const each of [graph, { outputs: parts }]) {
      const [before, after] = [await run(each, { x }), await run(g.narrow(each), { x })];
      for (const [name, values] of Object.entries(before)) close(after[name]!, values);
    }
    const both = g.narrow({ outputs: { a: g.slice(value, 1, -1), b: g.neg(g.slice(value, 1, -1)) } });
    assert.deepEqual(both.outputs.a!.shape, ["batch", 1, 4]);
    close(
      (await run(both, { x })).b!,
      (await run({ outputs: parts }, { x })).last!.map((y) => -y),
    );
  });
});
