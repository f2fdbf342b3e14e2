import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  joinPath,
  maxAbsDifference,
  normalTensor,
  randomGenerator,
  readSafetensorFloat32,
  readSafetensorsHeader,
  type Tensor,
  writeSafetensors,
} from "../../src/array/index.js";
import * as g from "../../src/graph/index.js";
import { loadModel } from "../../src/model/index.js";
import { setHost } from "../../src/runtime/host.js";
import type { Feed } from "../../src/runtime/ort.js";
import { Runtime } from "../../src/runtime/plan.js";
import { scratchFolder } from "../scratch.js";
import { fixture } from "../shared.js";

const bytes = (values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
const x = g.input("x", "float32", ["batch", 2]);
const w = g.parameter("w", "float32", [2, 2]);
const product = { outputs: { y: g.matmul(x, w) } };
const feed = (...data: number[]): Record<string, Feed> => ({
  x: { dtype: "float32", shape: [data.length / 2, 2], data: Float32Array.from(data) },
});

describe("plans", () => {
  const scratch = scratchFolder();
  const store = { source: () => ({ kind: "inline", bytes: bytes([1, 2, 3, 4]) }) as const };

  it("are shared by graphs that compute the same", () => {
    const runtime = new Runtime(store);
    const again = {
      outputs: { y: g.matmul(g.input("x", "float32", ["batch", 2]), g.parameter("w", "float32", [2, 2])) },
    };
    assert.equal(runtime.plan(product), runtime.plan(again));
    assert.equal(runtime.statistics.plans, 1);
  });

  it("run on any size of a named dimension", async () => {
    const plan = new Runtime(store).plan(product);
    assert.deepEqual(Array.from((await plan.run(feed(1, 1))).y!.data as Float32Array), [4, 6]);
    assert.deepEqual((await plan.run(feed(1, 0, 0, 1, 2, 2))).y!.shape, [3, 2]);
  });

  it("give the same packed as mapped", async () => {
    const plan = new Runtime(store).plan(product);
    const cold = await plan.run(feed(0.3, -0.7));
    assert.equal(plan.packed, false);
    await plan.pack();
    assert.equal(plan.packed, true);
    assert.deepEqual(await plan.run(feed(0.3, -0.7)), cold);
    await plan.release();
    assert.deepEqual(await plan.run(feed(0.3, -0.7)), cold);
  });

  it("are packed by themselves after the same number of runs on any machine, and not beyond the budget", async () => {
    const runsUntilPacked = async (): Promise<number> => {
      const plan = new Runtime(store).plan(product);
      let runs = 0;
      for (; runs < 50 && !plan.packed; runs++) {
        await plan.run(feed(1, 1));
        await new Promise((resolve) => setTimeout(resolve, 5 * Math.random())); // a busy machine
      }
      return runs;
    };
    assert.equal(await runsUntilPacked(), 5);
    assert.equal(await runsUntilPacked(), 5);
    const tight = new Runtime(store, { packedBudget: 1 }).plan(product);
    for (let i = 0; i < 50; i++) await tight.run(feed(1, 1));
    assert.equal(tight.packed, false);
  });

  it("are dropped when there are too many, the least recently used first", async () => {
    const runtime = new Runtime(store, { maxPlans: 2 });
    const scaled = (factor: number): g.Graph => ({ outputs: { y: g.mul(product.outputs.y, factor) } });
    const first = runtime.plan(scaled(1));
    runtime.plan(scaled(2));
    assert.equal(runtime.plan(scaled(1)), first);
    runtime.plan(scaled(3));
    assert.equal(runtime.plan(scaled(1)), first);
    assert.equal(runtime.statistics.plans, 2);
  });

  it("say what is missing or does not fit", async () => {
    const plan = new Runtime(store).plan(product);
    await assert.rejects(plan.run({}), /"x".*not given/);
    await assert.rejects(
      plan.run({ x: { dtype: "float32", shape: [1, 3], data: new Float32Array(3) } }),
      /\[1, 3\].*\[batch, 2\]/,
    );
    await assert.rejects(
      plan.run({ x: { dtype: "int64", shape: [1, 2], data: new BigInt64Array(2) } }),
      /int64.*float32/,
    );
    const two = { outputs: { y: g.add(x, g.input("z", "float32", ["batch", 2])) } };
    const other: Feed = { dtype: "float32", shape: [2, 2], data: new Float32Array(4) };
    await assert.rejects(
      new Runtime(store).plan(two).run({ ...feed(1, 1), z: other }),
      /"batch".*1 in "x".*2 in "z"/,
    );
  });

  it("of graphs that were made apart feed one input to all, and refuse two of one name", async () => {
    const beside = (shape: readonly (string | number)[]): g.Graph => ({
      outputs: { ...product.outputs, z: g.neg(g.input("x", "float32", shape)) },
    });
    const run = await new Runtime(store).plan(beside(["batch", 2])).run(feed(1, 2));
    assert.deepEqual([...run.z!.data], [-1, -2]);
    const odd = new Runtime(store).plan(beside(["batch", "pos"]));
    await assert.rejects(
      odd.run(feed(1, 2)),
      /two inputs "x": float32\[batch, 2\] and float32\[batch, pos\]/,
    );
  });

  it("end between runs when a signal is aborted: the caller's, or the host's", async () => {
    const plan = new Runtime(store).plan(product);
    const reason = new Error("stop");
    await assert.rejects(plan.run(feed(1, 1), { signal: AbortSignal.abort(reason) }), reason);
    setHost({ signal: () => AbortSignal.abort(reason) });
    try {
      await assert.rejects(plan.run(feed(1, 1)), reason);
    } finally {
      setHost({});
    }
    assert.deepEqual((await plan.run(feed(1, 1))).y!.shape, [1, 2]);
  });

  it("map weights from their file once, however many plans read them", async function () {
    if (process.platform !== "linux") return this.skip(); // where anonymous memory can be told from mapped
    const folder = scratch();
    const size = 4096;
    const random = randomGenerator(1);
    await writeSafetensors(
      joinPath(folder, "model.safetensors"),
      new Map([["big", normalTensor(random, [size, size])]]),
    );
    const header = readFileSync(joinPath(folder, "model.safetensors")).readBigUInt64LE(0);
    const source = {
      kind: "file",
      location: "model.safetensors",
      offset: 8 + Number(header),
      byteLength: size * size * 4,
    } as const;
    const runtime = new Runtime({ folder, source: () => source }, { packedBudget: 0 });
    const big = g.parameter("big", "float32", [size, size]);
    const long = g.input("long", "float32", ["batch", size]);
    const one: Feed = { dtype: "float32", shape: [1, size], data: new Float32Array(size).fill(1) };
    const anonymous = (): number =>
      Number(/Anonymous:\s+(\d+)/.exec(readFileSync("/proc/self/smaps_rollup", "utf8"))![1]) * 1024;
    setFlagsFromString("--expose-gc");
    runInNewContext("gc")();
    const before = anonymous();
    for (let factor = 1; factor <= 6; factor++)
      await runtime.plan({ outputs: { y: g.mul(g.matmul(long, big), factor) } }).run({ long: one });
    const grown = anonymous() - before;
    console.log(
      `      6 plans over ${(source.byteLength / 2 ** 20).toFixed(0)} MiB of weights: ${(grown / 2 ** 20).toFixed(0)} MiB more`,
    );
    assert.ok(grown < source.byteLength, `${grown} bytes`);
  });
});

describe("weights of 16 bits", () => {
  const scratch = scratchFolder();

  it("are widened one after another, so that a run has no float32 copy of them all", async function () {
    if (process.platform !== "linux") return this.skip();
    const size = 2048;
    const count = 12;
    const random = randomGenerator(1);
    const { data, shape } = normalTensor(random, [size, size], { standardDeviation: 1 / Math.sqrt(size) });
    const names = Array.from({ length: count }, (_, i) => `w${String(i).padStart(2, "0")}`);
    const stored = new Map(names.map((name) => [name, { dtype: "bfloat16", shape, data } as const]));
    await writeSafetensors(scratch("model.safetensors"), stored);
    const { tensors } = await readSafetensorsHeader(scratch("model.safetensors"));
    const runtime = new Runtime({
      folder: scratch(),
      source: (name) => ({ kind: "file", location: "model.safetensors", ...tensors.get(name)! }) as const,
    });
    const x = g.input("x", "float32", ["batch", size]);
    const y = names.reduce<g.Value>(
      (value, name) => g.matmul(value, g.cast(g.parameter(name, "bfloat16", [size, size]), "float32")),
      x,
    );
    const feed: Feed = { dtype: "float32", shape: [1, size], data: new Float32Array(size).fill(1) };
    const anonymous = (): number =>
      Number(/Anonymous:\s+(\d+)/.exec(readFileSync("/proc/self/smaps_rollup", "utf8"))![1]) * 1024;
    const before = anonymous();
    const plan = runtime.plan({ outputs: { y } });
    for (let run = 0; run < 3; run++) await plan.run({ x: feed });
    const grown = anonymous() - before;
    const wide = count * size * size * 4;
    console.log(
      `      ${(grown / 2 ** 20).toFixed(0)} MiB more; all weights in float32: ${wide / 2 ** 20} MiB`,
    );
    assert.ok(grown < wide / 2, `${grown} bytes`);
    await runtime.release();
  });

  it("that are large are widened in parts, with the results of whole ones, read either way", async () => {
    const [rows, columns] = [4100, 2100];
    const { data, shape } = normalTensor(randomGenerator(2), [rows, columns]);
    await writeSafetensors(
      scratch("model.safetensors"),
      new Map([["w", { dtype: "float16", shape, data } as const]]),
    );
    const { tensors } = await readSafetensorsHeader(scratch("model.safetensors"));
    const whole = await readSafetensorFloat32(tensors.get("w")!);
    const runtime = new Runtime({
      folder: scratch(),
      source: () => ({ kind: "file", location: "model.safetensors", ...tensors.get("w")! }) as const,
    });
    const w = g.cast(g.parameter("w", "float16", [rows, columns]), "float32");
    const fed = g.input("fed", "float32", [rows, columns]);
    const a = g.input("a", "float32", ["batch", 1, columns]);
    const b = g.input("b", "float32", ["batch", 1, rows]);
    const outputs = {
      across: g.matmul(a, w, { transposeB: true, scale: 0.5 }),
      along: g.matmul(b, w),
      wholeAcross: g.matmul(a, fed, { transposeB: true, scale: 0.5 }),
      wholeAlong: g.matmul(b, fed),
    };
    const feed = (size: number): Feed => {
      const row = normalTensor(randomGenerator(size), [2, 1, size]);
      return { dtype: "float32", shape: row.shape, data: row.data };
    };
    const run = await runtime.plan({ outputs }).run({
      a: feed(columns),
      b: feed(rows),
      fed: { dtype: "float32", shape, data: whole.data },
    });
    for (const [name, size] of [
      ["Across", rows],
      ["Along", columns],
    ] as const) {
      const [parts, all] = [run[name.toLowerCase()]!, run[`whole${name}`]!];
      assert.deepEqual(parts.shape, [2, 1, size]);
      assert.ok(maxAbsDifference(parts as Tensor, all as Tensor) < 2e-3, name);
    }
    await runtime.release();
  });
});

describe("an exported graph", () => {
  it("has the same values with every point an output as with one", async () => {
    const model = await loadModel(fixture("models", "gpt2"));
    const { cache } = await model.runWithCache([[1, 2, 3]], { names: model.hookNames });
    const one = await model.runWithCache([[1, 2, 3]], { names: "blocks.1.mlp.hook_post", logits: "none" });
    assert.deepEqual(one.cache.get("post", 1).shape, cache.get("post", 1).shape);
  });
});
