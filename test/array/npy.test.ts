import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import fc from "fast-check";
import {
  decodeNpy,
  encodeNpy,
  joinPath,
  list,
  type NativeArray,
  type NpyArray,
  npyToTensor,
  npzNames,
  readFile,
  readJsonFile,
  readNpy,
  readNpz,
  readNpzTensor,
  tensor,
  toFloat32,
  toNested,
  writeFile,
  writeNpy,
  writeNpz,
  zeros,
} from "../../src/array/index.js";
import { scratchFolder } from "../scratch.js";
import { fixture, sharedOrSkip } from "../shared.js";

function plain(array: NpyArray): unknown[] {
  if (array.dtype === "string") return [...array.data];
  if (array.dtype === "bool") return Array.from(array.data as Uint8Array, (value) => value === 1);
  if (array.dtype === "float16") return [...toFloat32(array.data, "float16")];
  return array.dtype.startsWith("float")
    ? [...(array.data as Float64Array)]
    : Array.from(array.data as Int32Array, String);
}

/** A version 1.0 file with this header before these bytes. */
function npy(header: string, data = new Uint8Array(0)): Uint8Array {
  return Uint8Array.from([
    0x93,
    ...Buffer.from("NUMPY"),
    1,
    0,
    header.length & 255,
    header.length >> 8,
    ...Buffer.from(header),
    ...data,
  ]);
}

describe("npy and npz", () => {
  const path = scratchFolder();

  it("reads each kind of array that NumPy writes", async () => {
    const arrays = await readNpz(fixture("array", "numpy.npz"));
    const expected = (await readJsonFile(fixture("array", "values.json"))) as Record<
      string,
      { shape: number[]; values: unknown[] }
    >;
    assert.deepEqual([...arrays.keys()], Object.keys(expected));
    for (const [name, { shape, values }] of Object.entries(expected)) {
      const array = arrays.get(name)!;
      assert.deepEqual(array.shape, shape, name);
      assert.deepEqual(plain(array), values, name);
      assert.equal(
        array.dtype,
        { text: "string", bytes: "string", scalar: "float32", empty: "float32" }[name.split("_")[0]!] ??
          name.split("_")[0],
      );
    }
  });

  it("reads every npz file of the references", async function () {
    const root = sharedOrSkip(this, "golden");
    const files = (await readdir(root, { recursive: true })).filter((name) => name.endsWith(".npz"));
    assert.ok(files.length > 100);
    for (const name of files) await readNpz(joinPath(root, name));
  });

  it("returns what was written", async () => {
    const arrays: Record<string, NativeArray> = {
      half: { dtype: "float16", shape: [2], data: Uint16Array.of(0x3c00, 0x8000) },
      flags: { dtype: "bool", shape: [1, 2], data: Uint8Array.of(1, 0) },
      long: { dtype: "int64", shape: [], data: BigInt64Array.of(-5n) },
      empty: { dtype: "uint32", shape: [0], data: new Uint32Array(0) },
    };
    await writeNpz(path("x.npz"), { ...arrays, view: tensor([1, 2, 3, 4], [2, 2]).transpose(1, 0) });
    const read = await readNpz(path("x.npz"));
    for (const [name, array] of Object.entries(arrays)) assert.deepEqual(read.get(name), array);
    assert.deepEqual(toNested(await readNpzTensor(path("x.npz"), "view")), [
      [1, 3],
      [2, 4],
    ]);
    assert.deepEqual(await npzNames(path("x.npz")), ["half", "flags", "long", "empty", "view"]);
    await writeNpz(path("stored.npz"), arrays, { compress: false });
    assert.deepEqual(await readNpz(path("stored.npz"), ["half"]), new Map([["half", arrays.half]]));
    await writeNpy(path("x.npy"), { dtype: "string", shape: [2], data: ["é🐟", ""] });
    assert.deepEqual(await readNpy(path("x.npy")), { dtype: "string", shape: [2], data: ["é🐟", ""] });
    assert.deepEqual(await list(path()), ["stored.npz", "x.npy", "x.npz"]);
  });

  it("writes values at a multiple of 64 bytes, as NumPy does", () => {
    const bytes = encodeNpy(zeros([3]));
    assert.equal(bytes.length, 128 + 12);
    assert.equal(bytes[127], 0x0a);
    assert.throws(() => encodeNpy({ dtype: "bfloat16", shape: [1], data: Uint16Array.of(0) }), /no bfloat16/);
    assert.throws(
      () => encodeNpy({ dtype: "int64", shape: [1], data: Float32Array.of(0) }),
      /float32 came as int64/,
    );
    assert.throws(
      () => encodeNpy({ dtype: "float32", shape: [2], data: Float32Array.of(0) }),
      /1 values came for the shape \[2\]/,
    );
  });

  it("refuses Python objects, records and complex numbers with a sentence", async () => {
    await assert.rejects(
      readNpy(fixture("array", "objects.npy")),
      /objects\.npy holds Python objects \(pickled\)/,
    );
    await assert.rejects(readNpy(fixture("array", "fields.npy")), /fields\.npy has several fields a row/);
    await assert.rejects(
      readNpy(fixture("array", "complex.npy")),
      /complex\.npy has the element type "<c16"/,
    );
    assert.throws(() => npyToTensor({ dtype: "string", shape: [], data: ["a"] }), /texts has no float32/);
  });

  it("believes no header: lying shapes, cut files, unknown versions", () => {
    const header = (shape: string, descr = "<f4"): string =>
      `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }\n`;
    const eight = new Uint8Array(8);
    const cases: [Uint8Array, RegExp][] = [
      [new Uint8Array(3), /does not begin with/],
      [npy(header("3,"), eight), /X has 8 bytes of values; <f4 of shape \[3\] takes 12/],
      [npy(header("1,"), eight), /takes 4/],
      [npy(header("99999999999, 99999999999"), eight), /takes 3\.99/],
      [npy(header("9".repeat(400)), eight), /too large axes/],
      [npy(header("1, ".repeat(60)), eight), /too many/],
      [npy(header("9999999999999,", "<U0")), /takes 0/],
      [npy(header("-1,"), eight), /needs descr, fortran_order and shape/],
      [npy("{'descr': '<f4'}"), /needs descr, fortran_order and shape/],
      [
        npy(header("1,", "<U1"), Uint8Array.of(255, 255, 255, 255)),
        /X is damaged: item 0 has the character number/,
      ],
      [npy(header("1,", "<f4"), new Uint8Array(4)).with(6, 9), /format version 9/],
      [npy(header("1,")).subarray(0, 40), /X is cut off: its header would end/],
      [npy(header("1,", "M8"), eight), /element type "M8"/],
    ];
    for (const [bytes, message] of cases) assert.throws(() => decodeNpy(bytes, "X"), message);
  });

  it("refuses every truncation of an npy and an npz file", async () => {
    const bytes = encodeNpy(tensor([1, 2, 3]));
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(() => decodeNpy(bytes.subarray(0, length), "X"), /^Error: X /);
    }
    await writeNpz(path("x.npz"), { a: tensor([1, 2, 3]), b: tensor(Int8Array.of(1)) });
    const whole = await readFile(path("x.npz"));
    for (let length = 0; length < whole.length; length++) {
      await writeFile(path("cut.npz"), whole.subarray(0, length));
      await assert.rejects(readNpz(path("cut.npz")), /cut\.npz/);
    }
  });

  it("never gives wrong values from an npz file with a bit flipped", async () => {
    const values = Float32Array.from({ length: 50 }, (_, i) => Math.sin(i));
    for (const compress of [true, false]) {
      await writeNpz(path("x.npz"), { a: tensor(values) }, { compress });
      const whole = await readFile(path("x.npz"));
      await fc.assert(
        fc.asyncProperty(fc.nat(whole.length * 8 - 1), async (bit) => {
          const flipped = whole.slice();
          flipped[bit >> 3]! ^= 1 << (bit & 7);
          await writeFile(path("flip.npz"), flipped);
          try {
            for (const array of (await readNpz(path("flip.npz"))).values()) {
              assert.deepEqual((array as NativeArray).data, values);
            }
          } catch (error) {
            assert.match((error as Error).message, /flip\.npz/);
          }
        }),
        { numRuns: 400 },
      );
    }
  });

  it("says which names an archive has, and allocates nothing for a size that lies", async () => {
    await writeNpz(path("x.npz"), { a: zeros([2]), b: zeros([1]) });
    await assert.rejects(readNpz(path("x.npz"), ["c"]), /has no array "c"; it has a, b/);
    const bytes = await readFile(path("x.npz"));
    const directory = bytes.findLastIndex(
      (_, i) => new DataView(bytes.buffer).getUint32(Math.min(i, bytes.length - 4), true) === 0x02014b50,
    );
    new DataView(bytes.buffer).setUint32(directory + 24, 0xfffffff0, true);
    await writeFile(path("lie.npz"), bytes);
    await assert.rejects(readNpz(path("lie.npz")), /compressed bytes cannot become 4294967280/);
  });
});
