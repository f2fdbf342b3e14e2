import assert from "node:assert/strict";
import fc from "fast-check";
import {
  bfloat16ToFloat32,
  bytesOf,
  bytesPerElement,
  dtypes,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
  toFloat32,
  typedArrayConstructor,
  viewBytes,
} from "../../src/array/index.js";

const allBits = Uint16Array.from({ length: 65536 }, (_, bits) => bits);

/** The value of float16 bits by IEEE 754's definition. */
function float16Value(bits: number): number {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Of all finite 16-bit values the nearest; of two equally near the one with even bits. */
function nearest(value: number, finite: { value: number; bits: number }[]): number {
  let best = finite[0]!;
  for (const candidate of finite) {
    const gain = Math.abs(best.value - value) - Math.abs(candidate.value - value);
    if (gain > 0 || (gain === 0 && candidate.bits % 2 === 0)) best = candidate;
  }
  return best.bits;
}

describe("dtype", () => {
  it("gives each of the 65,536 float16 values of IEEE 754", () => {
    const values = float16ToFloat32(allBits);
    for (const bits of allBits) assert.ok(Object.is(values[bits], float16Value(bits)), `bits ${bits}`);
  });

  it("returns every float16 and bfloat16 to the same bits, quiet NaNs included", () => {
    const quiet16 = allBits.filter(
      (bits) => !((bits & 0x7c00) === 0x7c00 && bits & 0x3ff && !(bits & 0x200)),
    );
    assert.deepEqual(float32ToFloat16(float16ToFloat32(quiet16)), quiet16);
    const quietB = allBits.filter((bits) => !((bits & 0x7f80) === 0x7f80 && bits & 0x7f && !(bits & 0x40)));
    assert.deepEqual(float32ToBfloat16(bfloat16ToFloat32(quietB)), quietB);
  });

  it("rounds float32 to the nearest float16, ties to even, overflow to infinity", () => {
    const finite = [...allBits]
      .filter((b) => b < 0x7c00)
      .map((bits) => ({ bits, value: float16Value(bits) }));
    fc.assert(
      fc.property(fc.float({ min: 0, max: Math.fround(65519), noNaN: true }), (value) => {
        assert.equal(float32ToFloat16(Float32Array.of(value))[0], nearest(value, finite));
        assert.equal(float32ToFloat16(Float32Array.of(-value))[0], nearest(value, finite) | 0x8000);
      }),
      { numRuns: 60 },
    );
    const ties = Float32Array.of(2 ** -25, 3 * 2 ** -25, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 65519, 65520, 1e30);
    assert.deepEqual([...float32ToFloat16(ties)], [0, 2, 0x3c00, 0x3c02, 0x7bff, 0x7c00, 0x7c00]);
  });

  it("rounds float32 to the nearest bfloat16, ties to even", () => {
    const values = Float32Array.of(1 + 2 ** -8, 1 + 3 * 2 ** -8, 3.4e38, -0, Number.NaN);
    assert.deepEqual([...float32ToBfloat16(values)], [0x3f80, 0x3f82, 0x7f80, 0x8000, 0x7fc0]);
    fc.assert(
      fc.property(fc.float({ noNaN: true, min: Math.fround(-1e38), max: Math.fround(1e38) }), (value) => {
        const [back] = bfloat16ToFloat32(float32ToBfloat16(Float32Array.of(value)));
        assert.ok(
          Math.abs(back! - value) <= Math.abs(value) * 2 ** -8 + 2 ** -133,
          `${value} became ${back}`,
        );
      }),
    );
  });

  it("views aligned bytes and copies others, with the same elements for every type", () => {
    for (const dtype of dtypes) {
      const size = bytesPerElement(dtype);
      const ArrayType = typedArrayConstructor(dtype);
      const bytes = Uint8Array.from({ length: size * 3 + 1 }, (_, i) => i * 37);
      const shifted = viewBytes(bytes.subarray(1), dtype);
      assert.deepEqual(shifted, new ArrayType(bytes.slice(1).buffer));
      assert.equal(viewBytes(bytes.subarray(0, size * 3), dtype).buffer, bytes.buffer);
      assert.deepEqual(bytesOf(shifted), bytes.subarray(1));
    }
    assert.throws(() => viewBytes(new Uint8Array(5), "float32"), /5 bytes are not a whole number of float32/);
  });

  it("converts every type to float32", () => {
    assert.deepEqual(toFloat32(BigInt64Array.of(-3n, 7n)), Float32Array.of(-3, 7));
    assert.deepEqual(toFloat32(Uint8Array.of(0, 1), "bool"), Float32Array.of(0, 1));
    assert.deepEqual(toFloat32(Uint16Array.of(0x3c00), "float16"), Float32Array.of(1));
    assert.deepEqual(toFloat32(Uint16Array.of(0x3f80), "bfloat16"), Float32Array.of(1));
    assert.deepEqual(toFloat32(Uint16Array.of(0x3c00)), Float32Array.of(0x3c00));
    const own = Float32Array.of(1);
    assert.equal(toFloat32(own), own);
  });
});
