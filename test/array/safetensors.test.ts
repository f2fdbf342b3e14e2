import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import fc from "fast-check";
import {
  bytesOf,
  joinPath,
  list,
  maxAbsDifference,
  readFile,
  readNpzTensor,
  readSafetensor,
  readSafetensorFloat32,
  readSafetensors,
  readSafetensorsHeader,
  tensor,
  toNested,
  type WritableTensor,
  writeFile,
  writeSafetensors,
  zeros,
} from "../../src/array/index.js";
import { scratchFolder } from "../scratch.js";
import { fixture, sharedOrSkip } from "../shared.js";

/** A file with this header in front of these bytes. */
function file(header: unknown, data: Uint8Array, length?: bigint): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const first = new Uint8Array(8);
  new DataView(first.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  return Uint8Array.from([...first, ...text, ...data]);
}

describe("safetensors", () => {
  const path = scratchFolder();

  it("reads the 16-bit floats of files that SAELens wrote", async () => {
    for (const dtype of ["float16", "bfloat16"] as const) {
      const header = await readSafetensorsHeader(fixture("array", `${dtype}.safetensors`));
      assert.ok([...header.tensors.values()].every((entry) => entry.dtype === dtype));
      const entry = header.tensors.get("W_enc")!;
      const native = await readSafetensor(entry);
      const values = await readSafetensorFloat32(entry);
      assert.ok(native.data instanceof Uint16Array);
      assert.deepEqual(values.shape, [...entry.shape]);
      assert.ok(
        values.data.some((value) => value !== 0) && values.data.every((value) => Math.abs(value) < 10),
      );
    }
  });

  it("reads every safetensors file of the references and of the trained models", async function () {
    const root = sharedOrSkip(this);
    const files = (await readdir(root, { recursive: true })).filter((name) => name.endsWith(".safetensors"));
    assert.ok(files.length > 100);
    for (const name of files) await readSafetensors(joinPath(root, name));
  });

  it("holds the embedding that transformers reports for gpt2", async function () {
    const folder = sharedOrSkip(this, "golden", "models", "gpt2");
    const { tensors } = await readSafetensorsHeader(joinPath(folder, "model.safetensors"));
    const embedding = await readSafetensorFloat32(tensors.get("transformer.wte.weight")!);
    const tokens = await readNpzTensor(joinPath(folder, "reference.npz"), "tokens");
    const hook = await readNpzTensor(joinPath(folder, "reference.npz"), "hook.hook_embed");
    const looked = zeros(hook.shape);
    for (let b = 0; b < hook.shape[0]!; b++)
      for (let s = 0; s < hook.shape[1]!; s++)
        for (let m = 0; m < hook.shape[2]!; m++) looked.set(b, s, m, embedding.get(tokens.get(b, s), m));
    assert.equal(maxAbsDifference(looked, hook), 0);
  });

  it("returns what was written, for every type, strided views and odd names", async () => {
    const tensors: Record<string, WritableTensor> = {
      'a"\\ü<script>': tensor([1, -2.5, 3, 4, 5, 6], [2, 3]).transpose(1, 0),
      half: { dtype: "float16", shape: [2], data: Float32Array.of(0.5, -65504) },
      brain: { dtype: "bfloat16", shape: [2], data: Float32Array.of(1.5, -3e38) },
      bits: { dtype: "float16", shape: [1], data: Uint16Array.of(0x3c00) },
      double: tensor(Float64Array.of(1 / 3)),
      long: tensor(BigInt64Array.of(-(2n ** 62n))),
      unsigned: tensor(BigUint64Array.of(2n ** 63n)),
      flags: { dtype: "bool", shape: [3], data: Uint8Array.of(1, 0, 1) },
      bytes: tensor(Int8Array.of(-128, 127, 3)),
      scalar: tensor(Float32Array.of(7), []),
      empty: zeros([0, 4]),
      ["__proto__"]: tensor(Int16Array.of(1)),
    };
    await writeSafetensors(path("x.safetensors"), tensors, { format: "pt", note: "é" });
    const header = await readSafetensorsHeader(path("x.safetensors"));
    assert.deepEqual({ ...header.metadata }, { format: "pt", note: "é" });
    assert.deepEqual(new Set(header.tensors.keys()), new Set(Object.keys(tensors)));
    const read = async (name: string) => readSafetensor(header.tensors.get(name)!);
    assert.deepEqual(toNested(await readSafetensorFloat32(header.tensors.get('a"\\ü<script>')!)), [
      [1, 4],
      [-2.5, 5],
      [3, 6],
    ]);
    assert.deepEqual((await read("half")).data, Uint16Array.of(0x3800, 0xfbff));
    assert.deepEqual((await read("bits")).data, Uint16Array.of(0x3c00));
    assert.deepEqual((await read("brain")).data, Uint16Array.of(0x3fc0, 0xff62));
    assert.deepEqual(await read("double"), { dtype: "float64", shape: [1], data: Float64Array.of(1 / 3) });
    assert.deepEqual(await read("long"), {
      dtype: "int64",
      shape: [1],
      data: BigInt64Array.of(-(2n ** 62n)),
    });
    assert.deepEqual(await read("unsigned"), {
      dtype: "uint64",
      shape: [1],
      data: BigUint64Array.of(2n ** 63n),
    });
    assert.deepEqual(await read("flags"), { dtype: "bool", shape: [3], data: Uint8Array.of(1, 0, 1) });
    assert.deepEqual(await read("scalar"), { dtype: "float32", shape: [], data: Float32Array.of(7) });
    assert.deepEqual(await read("empty"), { dtype: "float32", shape: [0, 4], data: new Float32Array(0) });
    for (const { offset, dtype } of header.tensors.values()) {
      assert.equal(offset % (dtype === "int8" || dtype === "bool" ? 1 : 2), 0);
    }
    assert.deepEqual(await list(path()), ["x.safetensors"]);
  });

  it("refuses to write what would not be what it says, and leaves nothing behind", async () => {
    const target = path("y.safetensors");
    await assert.rejects(
      writeSafetensors(target, { x: { dtype: "int64", shape: [1], data: Float32Array.of(1) } }),
      /"x" holds float32 and cannot be stored as int64/,
    );
    await assert.rejects(
      writeSafetensors(target, { x: { dtype: "float32", shape: [2], data: Float32Array.of(1) } }),
      /"x" has 1 values, and its shape \[2\] has 2/,
    );
    await assert.rejects(
      writeSafetensors(target, { __metadata__: zeros([1]) }),
      /cannot be called "__metadata__"/,
    );
    assert.deepEqual(await list(path()), []);
  });

  const good = {
    a: { dtype: "F32", shape: [2], data_offsets: [0, 8] },
    b: { dtype: "U8", shape: [4], data_offsets: [8, 12] },
  };
  const broken: [string, Uint8Array, RegExp][] = [
    ["an empty file", new Uint8Array(0), /has 0 bytes, and its first 8 give a length/],
    [
      "a huge header length",
      file(good, new Uint8Array(12), 2n ** 60n),
      /header would have 1152921504606846976 bytes; at most/,
    ],
    [
      "a header longer than the file",
      file(good, new Uint8Array(12), 5000n),
      /header would end at byte 5008, and the file has/,
    ],
    ["a pickle", file("\x80\x02abc", new Uint8Array(0)), /does not begin with "\{"/],
    ["broken JSON", file('{"a":', new Uint8Array(0)), /header of .* is not valid JSON/],
    [
      "bytes that are not UTF-8",
      Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0xff, 0x7d),
      /is not UTF-8 text/,
    ],
    [
      "an unknown dtype",
      file({ a: { ...good.a, dtype: "F8_E5M2" } }, new Uint8Array(8)),
      /"a" of .* has the dtype "F8_E5M2"; known are F64/,
    ],
    [
      "a dtype from the prototype",
      file({ a: { ...good.a, dtype: "toString" } }, new Uint8Array(8)),
      /has the dtype "toString"/,
    ],
    [
      "a shape that does not fit",
      file({ a: { ...good.a, shape: [3] } }, new Uint8Array(8)),
      /F32 of shape \[3\], which takes 12 bytes; its offsets span 8/,
    ],
    [
      "a negative dimension",
      file({ a: { ...good.a, shape: [-2] } }, new Uint8Array(8)),
      /has the shape \[-2\]/,
    ],
    [
      "a shape that overflows",
      file({ a: { ...good.a, shape: [2 ** 40, 2 ** 40] } }, new Uint8Array(8)),
      /which takes .* bytes/,
    ],
    [
      "far too many axes",
      file({ a: { ...good.a, shape: Array(100).fill(1) } }, new Uint8Array(8)),
      /at most 32 whole numbers/,
    ],
    [
      "offsets backwards",
      file({ a: { ...good.a, data_offsets: [8, 0] } }, new Uint8Array(8)),
      /has the offsets \[8,0\]/,
    ],
    [
      "offsets beyond the file",
      file(good, new Uint8Array(11)),
      /"b" of .* would end at byte .*: it is cut off/,
    ],
    [
      "tensors that overlap",
      file({ a: good.a, b: { ...good.b, data_offsets: [6, 10] } }, new Uint8Array(10)),
      /"b" of .* overlaps with "a"/,
    ],
    [
      "a gap",
      file({ a: good.a, b: { ...good.b, data_offsets: [9, 13] } }, new Uint8Array(13)),
      /"b" of .* leaves a gap after "a"/,
    ],
    ["bytes that belong to nothing", file(good, new Uint8Array(13)), /its tensors end at/],
    [
      "a tensor that is a number",
      file({ a: 3 }, new Uint8Array(0)),
      /"a" of .* must be described by an object; 3 came/,
    ],
    [
      "metadata that are not texts",
      file({ __metadata__: { a: 1 } }, new Uint8Array(0)),
      /metadata of .* must be an object of texts/,
    ],
  ];
  for (const [what, bytes, message] of broken) {
    it(`refuses ${what} with a sentence that names the file`, async () => {
      await writeFile(path("broken.safetensors"), bytes);
      await assert.rejects(readSafetensorsHeader(path("broken.safetensors")), (error: Error) => {
        assert.match(error.message, message);
        assert.ok(error.message.includes(path("broken.safetensors")));
        return true;
      });
    });
  }

  it("refuses every truncation", async () => {
    await writeSafetensors(path("z.safetensors"), { a: tensor([1, 2, 3]), b: tensor(Int8Array.of(1, 2)) });
    const whole = await readFile(path("z.safetensors"));
    for (let length = 0; length < whole.length; length++) {
      await writeFile(path("cut.safetensors"), whole.subarray(0, length));
      await assert.rejects(readSafetensorsHeader(path("cut.safetensors")), Error);
    }
  });

  it("with any bit of the header flipped either refuses or reads tensors inside the file", async () => {
    await writeSafetensors(
      path("z.safetensors"),
      { a: tensor([1, 2, 3]), b: tensor(Int8Array.of(1, 2)) },
      { k: "v" },
    );
    const whole = await readFile(path("z.safetensors"));
    const headerEnd = whole.length - 14;
    let refused = 0;
    for (let bit = 0; bit < headerEnd * 8; bit++) {
      const flipped = whole.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      await writeFile(path("flip.safetensors"), flipped);
      try {
        for (const entry of (await readSafetensorsHeader(path("flip.safetensors"))).tensors.values()) {
          assert.ok(entry.offset >= 8 && entry.offset + entry.byteLength <= whole.length);
          assert.equal(bytesOf((await readSafetensor(entry)).data).length, entry.byteLength);
        }
      } catch (error) {
        refused++;
        assert.match((error as Error).message, /flip\.safetensors/);
      }
    }
    assert.ok(refused > headerEnd * 4);
  });

  it("never fails otherwise than by a sentence on arbitrary bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), fc.json(), async (data, json) => {
        for (const bytes of [data, file(json, data), file({ a: JSON.parse(json) }, data)]) {
          await writeFile(path("any.safetensors"), bytes);
          await readSafetensorsHeader(path("any.safetensors")).catch((error: Error) => {
            assert.match(error.message, /any\.safetensors/);
          });
        }
      }),
      { numRuns: 100 },
    );
  });
});
