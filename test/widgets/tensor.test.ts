import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeTensor, encodeTensor } from "../../widgets/tensor.js";
import { escapeHtml, exactFloat32, showToken } from "../../widgets/text.js";

describe("widgets/tensor", () => {
  it("brings every float32 back bit for bit, at any byte offset", () => {
    fc.assert(
      fc.property(fc.float32Array(), fc.nat(7), (values, offset) => {
        const wire = encodeTensor(values, [values.length]);
        const bytes = new Uint8Array(wire.data as ArrayBuffer);
        const padded = new Uint8Array(offset + bytes.length);
        padded.set(bytes, offset);
        const { data } = decodeTensor({ ...wire, data: new DataView(padded.buffer, offset) });
        assert.deepEqual(new Uint8Array(data.buffer), new Uint8Array(values.slice().buffer));
      }),
    );
  });

  it("does not send what is written into the array later", () => {
    const values = Float32Array.of(1, 2);
    const wire = encodeTensor(values, [2]);
    values[0] = 9;
    assert.deepEqual([...decodeTensor(wire).data], [1, 2]);
  });

  it("says what is wrong with a tensor", () => {
    assert.throws(
      () => encodeTensor(new Float32Array(5), [2, 3]),
      /shape \[2, 3\] holds 6 numbers, but 5 came/,
    );
    const wire = encodeTensor(new Float32Array(4), [2, 2]);
    assert.throws(() => decodeTensor({ ...wire, shape: [2, 3] }), /\[2, 3\] takes 24 bytes, but 16 came/);
    assert.throws(() => decodeTensor(null), /description is missing/);
    assert.throws(() => decodeTensor({ ...wire, data: null as never }), /not saved with the notebook/);
    assert.throws(() => decodeTensor({ ...wire, dtype: "float64" as never }), /its dtype is float64/);
  });
});

describe("widgets/text", () => {
  it("writes of a float32 the shortest number that is it and no other", () => {
    assert.equal(exactFloat32(Math.fround(0.1)), "0.1");
    assert.equal(exactFloat32(-2), "−2");
    assert.deepEqual([NaN, Infinity, -Infinity].map(exactFloat32), ["NaN", "+∞", "−∞"]);
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        assert.equal(Math.fround(Number(exactFloat32(value).replaceAll("−", "-"))), value === 0 ? 0 : value);
      }),
    );
  });

  it("shows the spaces, breaks and invisible characters of tokens", () => {
    assert.equal(showToken(" the"), "·the");
    assert.equal(showToken("\n\t"), "↵⇥");
    assert.equal(showToken(""), "∅");
    assert.equal(showToken("a\u202eb"), "a\\u202eb");
  });

  it("escapes HTML, in attributes too", () => {
    assert.equal(escapeHtml(`<a b="c" d='e'>&`), "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;");
  });
});
