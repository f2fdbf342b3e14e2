import assert from "node:assert/strict";
import { inspectValue } from "../../../kernel/display/inspect.js";
import { tensor } from "../../../src/array/index.js";

describe("values as text", () => {
  it("give long typed arrays by length, range and outer values", () => {
    const text = inspectValue(Float32Array.from({ length: 1000 }, (_, i) => i));
    assert.equal(text, "Float32Array(1000)  min 0  mean 499.5  max 999\n[0, 1, 2, …, 998, 999]");
    assert.match(inspectValue(new BigInt64Array(101)), /^BigInt64Array\(101\) {2}min 0/);
    assert.equal(inspectValue(Int8Array.of(1, 2)), "Int8Array(2) [ 1, 2 ]");
  });

  it("give tensors in short inside objects, lists and maps", () => {
    const logits = tensor([1, 2, 3, 4], [2, 2]);
    const short = "float32 \\[2, 2\\] {2}min 1 {2}mean 2\\.5 {2}max 4";
    assert.match(inspectValue({ logits }), new RegExp(`^{ logits: ${short} }$`));
    assert.match(inspectValue([logits]), new RegExp(`^\\[ ${short} \\]$`));
    assert.match(inspectValue(new Map([["a", { logits }]])), new RegExp(`{ logits: ${short} }`));
  });

  it("leave what they show as it was, and run none of its code", () => {
    let asked = 0;
    const value = {
      wide: new Float32Array(500),
      get costly() {
        return ++asked;
      },
      self: null as unknown,
    };
    value.self = value;
    assert.match(inspectValue(value), /costly: \[Getter\]/);
    assert.equal(asked, 0);
    assert.equal(value.wide.length, 500);
  });

  it("end, whatever the size", () => {
    const keys = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, i]));
    assert.match(inspectValue(keys), /k99: 99,\s+'…': 99900 more keys\s+}$/);
    const nested = Array.from({ length: 100 }, () => Array.from({ length: 100 }, () => "x".repeat(100)));
    assert.match(inspectValue(nested), /… \d+ more characters$/);
    const map = new Map(Array.from({ length: 1000 }, (_, i) => [i, i]));
    assert.match(inspectValue(map), /900 more items/);
  });
});
