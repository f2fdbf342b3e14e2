import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import {
  contiguous,
  type NpyArray,
  npyToTensor,
  PickleTuple,
  readNpz,
  readTorchHeader,
  readTorchTensor,
  tensor,
  toFloat32,
  unpickle,
} from "../../src/array/index.js";
import { fixture, sharedOrSkip } from "../shared.js";

const file = (name: string): string => fixture("torch", name);

describe("files that torch.save wrote", () => {
  for (const name of ["zip.bin", "legacy.bin", "compressed.bin", "checkpoint.bin"])
    it(`${name} is read as PyTorch reads it: views, transposed and shared tensors, every element type`, async () => {
      const expected = await readNpz(file("values.npz"));
      const entries = await readTorchHeader(file(name));
      const prefix = name === "checkpoint.bin" ? "model." : "";
      for (const [key, value] of expected) {
        const { data, dtype, shape } = await readTorchTensor(entries.get(prefix + key)!);
        const wanted = npyToTensor(value as NpyArray);
        assert.deepEqual(shape, wanted.shape, key);
        assert.deepEqual(tensor(toFloat32(data, dtype), shape).data, contiguous(wanted).data, key);
      }
      assert.equal(entries.size, expected.size + 1);
      assert.equal(entries.get(`${prefix}half`)!.storage.dtype, "float16");
      assert.equal(entries.get(`${prefix}bfloat`)!.storage.dtype, "bfloat16");
    });

  it("are not given memory that they ask for by repeating an element", async () => {
    const entries = await readTorchHeader(file("zip.bin"));
    await assert.rejects(readTorchTensor(entries.get("repeated")!), /repeats its elements.*\[1000, 1000\]/);
  });

  it("run no code: an object that would is refused by its name", async () => {
    await assert.rejects(readTorchHeader(file("evil.bin")), /eval.*Only tensors and plain data/);
    assert.ok(!existsSync("tslens-was-here"));
  });

  it("read a trained model's checkpoint", async function () {
    const entries = await readTorchHeader(
      sharedOrSkip(this, "data", "models", "pizza", "model_p99zdpze5l.pt"),
    );
    assert.ok(entries.size > 5);
    for (const entry of entries.values()) {
      const { data } = await readTorchTensor(entry);
      assert.ok((data as Float32Array).every(Number.isFinite));
    }
  });
});

describe("pickles", () => {
  for (let protocol = 0; protocol < 6; protocol++)
    it(`of protocol ${protocol} give plain data`, () => {
      const bytes = readFileSync(file(`protocol${protocol}.pkl`));
      const { value, end } = unpickle(bytes, { global: allowSets });
      assert.equal(end, bytes.length);
      const data = value as Map<string, unknown>;
      assert.equal(data.get("text"), "naïve ✓");
      assert.deepEqual(data.get("list"), [1, -1, 2 ** 40, 2n ** 70n, 1.5, null, true, false]);
      assert.deepEqual(data.get("tuple"), new PickleTuple([1, new PickleTuple([2]), new PickleTuple([])]));
      assert.equal((data.get("nested") as Map<string, unknown>).get("again"), data.get("list"));
      if (protocol >= 3) assert.deepEqual([...(data.get("bytes") as Uint8Array)], [0, 255]);
    });
});

const allowSets = (name: string): unknown =>
  name === "builtins.set" || name === "__builtin__.set" ? (items: unknown[]) => new Set(items) : undefined;
