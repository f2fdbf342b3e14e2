import assert from "node:assert/strict";
import fc from "fast-check";
import { acdcOrder, Circuit, type CircuitEdge, circuitGraph, nodeOf } from "../../src/circuits/index.js";
import { scratchFolder } from "../scratch.js";
import { reference } from "./reference.js";

const graph = circuitGraph({ nLayers: 3, nHeads: 4, dMlp: 96 });

const withScores = (scores: readonly number[]): Circuit => {
  const edges = graph.edges.map(({ name, from, to }, i): CircuitEdge => {
    return { name, from, to, score: scores[i] ?? 0, kept: true };
  });
  return new Circuit(graph.nodes, edges, { model: "random", method: "by hand", splitInput: false });
};

const anyCircuit = fc
  .array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 262, maxLength: 262 })
  .map(withScores);

describe("the graph of circuits", () => {
  const scratch = scratchFolder();

  it("has the nodes and edges of the reference, in its order", () => {
    assert.deepEqual(graph.senders, reference.senders);
    assert.deepEqual(
      graph.groups.flatMap(({ receivers }) => receivers),
      reference.receivers,
    );
    assert.deepEqual(
      graph.edges.map(({ name }) => name),
      reference.edges,
    );
  });

  it("has as many edges as GPT-2 small's has in the papers", () => {
    const { edgeCount, senders, groups } = circuitGraph({ nLayers: 12, nHeads: 12, dMlp: 3072 });
    assert.equal(edgeCount, 32_491);
    assert.equal(senders.length, 157);
    assert.equal(groups.flatMap(({ receivers }) => receivers).length, 445);
  });

  it("lets heads send to the MLP of their own layer, unless the two are parallel", () => {
    const has = (parallel: boolean): boolean =>
      circuitGraph({ nLayers: 2, nHeads: 2, dMlp: 8, parallel }).edges.some(
        ({ name }) => name === "a1.h0->m1",
      );
    assert.deepEqual([has(false), has(true)], [true, false]);
  });

  it("is searched in the order of the reference", () => {
    for (const order of ["reverse", "normal"] as const)
      assert.deepEqual(acdcOrder(graph, order), reference.order[order]);
  });

  it("prunes to edges on paths from the input to the logits", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 262, maxLength: 262 }), (flags) => {
        const names = graph.edges.filter((_, i) => flags[i]).map(({ name }) => name);
        const pruned = withScores([]).keep(names).prune().keptEdges;
        for (const { from, to } of pruned) {
          assert.ok(from === "input" || pruned.some((edge) => nodeOf(edge.to) === from));
          assert.ok(to === "logits" || pruned.some((edge) => edge.from === nodeOf(to)));
        }
        assert.ok(pruned.every(({ name }) => names.includes(name)));
      }),
      { numRuns: 50 },
    );
  });

  it("gives nested circuits for falling thresholds, and connected ones when grown from the logits", () => {
    fc.assert(
      fc.property(anyCircuit, fc.integer({ min: 0, max: 262 }), (circuit, count) => {
        const plain = { prune: false };
        const top = circuit.top(count, plain);
        assert.equal(top.keptEdges.length, count);
        assert.equal(top.compare(circuit).onlyFirst.length, 0);
        const grown = circuit.greedy(count, plain).keptEdges;
        assert.equal(grown.length, count);
        for (const { to } of grown)
          assert.ok(to === "logits" || grown.some(({ from }) => from === nodeOf(to)), to);
      }),
      { numRuns: 20 },
    );
  });

  it("is the same after it is saved and loaded", async () => {
    const circuit = withScores([3, 1, 2]).top(2, { prune: false });
    await circuit.save(scratch("circuit.json"));
    const loaded = await Circuit.load(scratch("circuit.json"));
    assert.deepEqual(loaded.toJSON(), circuit.toJSON());
    assert.equal(loaded.compare(circuit).jaccard, 1);
  });

  it("compares circuits by the edges that they share", () => {
    const whole = withScores([]);
    const [a, b, c] = graph.edges.map(({ name }) => name) as [string, string, string];
    const { jaccard, shared, onlyFirst, onlySecond } = whole.keep([a, b]).compare(whole.keep([b, c]));
    assert.deepEqual(
      { jaccard, shared, onlyFirst, onlySecond },
      {
        jaccard: 1 / 3,
        shared: [b],
        onlyFirst: [a],
        onlySecond: [c],
      },
    );
    assert.equal(whole.keep([]).compare(whole.keep([])).jaccard, 1);
  });

  it("refuses names of no edge, and data that is no circuit", () => {
    const whole = withScores([]);
    assert.throws(() => whole.keep(["a0.h1"]), /not the name of an edge; edges are written as/);
    assert.throws(() => whole.keep(["a7.h1->logits"]), /has no edge "a7.h1->logits"/);
    assert.throws(() => whole.top(-1), /whole number of edges from 0 on/);
    assert.throws(() => Circuit.fromJSON({ nodes: [] }), /This is not a circuit/);
    const data = JSON.parse(JSON.stringify(whole));
    assert.throws(() => Circuit.fromJSON({ ...data, version: 2 }), /version 2; this program reads version 1/);
    data.edges[0].to = "m1";
    assert.throws(() => Circuit.fromJSON(data), /is not what its name says/);
  });

  it("is drawn with its strongest edges alone where there are many", async () => {
    const { nodes, edges } = circuitGraph({ nLayers: 4, nHeads: 8, dMlp: 1 });
    const scored = edges.map(({ name, from, to }, i) => ({ name, from, to, score: -i, kept: true }));
    const many = new Circuit(nodes, scored, { model: "m", method: "eap", splitInput: false });
    const svg = await many.plot().toSVG();
    assert.match(svg, /the 400 strongest edges are drawn/);
    assert.match(svg, /the thickest, m3-&gt;logits, is -1\.52e\+3/);
    assert.equal(svg.match(/<line /g)!.length, 400);
  });

  it("is drawn with a line for each kept edge and the names of its nodes", async () => {
    const svg = await withScores([]).keep(["input->m0", "m0->logits"]).plot().toSVG();
    for (const node of ["input", "m0", "logits"]) assert.match(svg, new RegExp(`>${node}<`));
    assert.doesNotMatch(svg, />a0\.h0</);
    for (const words of ["queries", "keys", "values", "MLPs, logits"])
      assert.match(svg, new RegExp(`>${words}<`), "the legend");
    assert.match(withScores([]).keep(["input->m0"]).plot().toText(), /2 of 17 nodes, 1 of 262 edges/);
  });
});
