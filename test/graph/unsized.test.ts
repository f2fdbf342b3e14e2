import assert from "node:assert/strict";
import * as g from "../../src/graph/index.js";
import { unsizedDims } from "../../src/graph/unsized.js";

describe("sizes that a graph cannot know", () => {
  const x = g.input("x", "float32", ["batch", "pos", 4]);
  const of = (value: g.Value): string[] => [...unsizedDims({ outputs: { value } })].sort();

  it("are those of what is repeated or counted without an input of that size", () => {
    assert.deepEqual(of(g.fill(1, ["batch", "pos", 4])), ["batch", "pos"]);
    assert.deepEqual(of(g.expand(g.input("row", "float32", ["pos", 4]), ["batch", "pos", 4])), ["batch"]);
    assert.deepEqual(of(g.dimension("past+pos")), ["past", "pos"]);
  });

  it("are none where an input has them, alone or merged", () => {
    assert.deepEqual(of(g.add(x, g.fill(1, ["batch", "pos", 4]))), []);
    assert.deepEqual(of(g.reshape(g.add(x, 1), ["batch*pos", 4])), []);
    const rows = g.input("rows", "float32", ["batch*pos", 4]);
    assert.deepEqual(of(g.add(rows, g.fill(1, ["batch*pos", 4]))), []);
  });
});
