import assert from "node:assert/strict";
import { Circuit } from "../../src/circuits/index.js";
import { decodeEdges, edgeNameOf, encodeEdges } from "../../widgets/acdc-animation/graph.js";
import { type AcdcAnimation, createAcdcAnimation } from "../../widgets/acdc-animation/model.js";
import {
  type AcdcAnimationState,
  type MeasureAnswer,
  stepWidth,
} from "../../widgets/acdc-animation/state.js";
import { edgeStatus, nodesOnPaths, Timeline } from "../../widgets/acdc-animation/timeline.js";
import { decodeTensor } from "../../widgets/tensor.js";
import { circuitSource, modelGraph, SteppedSearch, searchSteps } from "./circuit-source.js";
import { MemoryHost, type MemoryWidget } from "./host.js";
import { noise } from "./source.js";

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

function widgetOf(animation: AcdcAnimation): MemoryWidget<AcdcAnimationState> {
  return animation.handle as MemoryWidget<AcdcAnimationState>;
}

/** The edges of the steps that a state holds. */
function stepsIn({ log, tail }: Pick<AcdcAnimationState, "log" | "tail">): number[] {
  return [log, tail].flatMap((wire) => {
    const { data } = decodeTensor(wire);
    return Array.from({ length: data.length / stepWidth }, (_, row) => data[row * stepWidth]!);
  });
}

/** A search that waits before its first step. */
function paused() {
  const whole = circuitSource();
  const search = new SteppedSearch(whole.steps);
  const animation = createAcdcAnimation(
    new MemoryHost(),
    { ...whole, order: whole.steps.map(({ edge }) => edge), search: search.start },
    { paused: true },
  );
  return { whole, search, animation, widget: widgetOf(animation) };
}

describe("widgets/acdc-animation/model", () => {
  it("makes no step while it is paused, one when told to, and the others when it goes on", async () => {
    const { whole, search, animation, widget } = paused();
    await turn();
    assert.equal(search.asked, 0);
    await widget.message({ method: "step" });
    await turn();
    await turn();
    assert.equal(search.asked, 1);
    assert.deepEqual(stepsIn(widget.state), [whole.steps[0]!.edge]);
    assert.equal(widget.state.status, "paused");
    assert.equal(widget.state.full, 0);
    assert.equal(widget.state.next, whole.steps[1]!.edge);
    await widget.message({ method: "resume" });
    await animation.finished;
    assert.deepEqual([widget.state.status, widget.state.next], ["done", -1]);
    assert.deepEqual(
      stepsIn(widget.state),
      whole.steps.map(({ edge }) => edge),
    );
  });

  it("stops when the reader says so, also while it is paused, and keeps what was decided", async () => {
    const { whole, search, animation, widget } = paused();
    await widget.message({ method: "step" });
    await turn();
    await widget.message({ method: "stop" });
    await animation.finished;
    assert.ok(search.signal!.aborted);
    assert.equal(widget.state.status, "stopped");
    assert.deepEqual(stepsIn(widget.state), [whole.steps[0]!.edge]);
    await widget.message({ method: "resume" });
    assert.equal(widget.state.status, "stopped");
  });

  it("pauses in the midst of a search", async () => {
    const whole = circuitSource();
    const search = new SteppedSearch(whole.steps);
    search.pause = () => turn();
    const animation = createAcdcAnimation(new MemoryHost(), { ...whole, search: search.start });
    await turn();
    await turn();
    animation.pause();
    await turn();
    await turn();
    const { asked } = search;
    assert.ok(asked > 0 && asked < whole.total);
    for (let i = 0; i < 5; i++) await turn();
    assert.equal(search.asked, asked);
    assert.equal(widgetOf(animation).state.status, "paused");
    animation.resume();
    await animation.finished;
    assert.equal(widgetOf(animation).state.status, "done");
  });

  it("sends thousands of fast steps in few messages, of which only some hold the whole log", async () => {
    const whole = circuitSource({ layers: 6, heads: 8 });
    assert.ok(whole.total > 3000);
    const search = new SteppedSearch(whole.steps);
    search.pause = (index) => (index % 400 === 0 ? new Promise((done) => setTimeout(done, 20)) : undefined);
    const animation = createAcdcAnimation(new MemoryHost(), { ...whole, search: search.start });
    const widget = widgetOf(animation);
    const seen: number[] = [];
    widget.onPatch = () => seen.push(stepsIn(widget.state).length);
    await animation.finished;
    assert.deepEqual(
      seen,
      [...seen].sort((a, b) => a - b),
    );
    assert.equal(seen.at(-1), whole.total);
    assert.deepEqual(
      stepsIn(widget.state),
      whole.steps.map(({ edge }) => edge),
    );
    assert.ok(widget.patches.length < 30, `${widget.patches.length} messages`);
    for (const { tail } of widget.patches) assert.ok((tail?.shape[0] ?? 0) <= 1500);
  });

  it("replaces steps that a resumed search makes again", async () => {
    const whole = circuitSource();
    const search = new SteppedSearch(whole.steps);
    search.asked = 3;
    const animation = createAcdcAnimation(new MemoryHost(), {
      ...whole,
      log: whole.steps.slice(0, 5),
      search: search.start,
    });
    await animation.finished;
    assert.deepEqual(
      stepsIn(widgetOf(animation).state),
      whole.steps.map(({ edge }) => edge),
    );
  });

  it("says in a sentence why a search has failed, and loses nothing", async () => {
    const whole = circuitSource();
    const search = new SteppedSearch(whole.steps);
    search.pause = (index) => {
      if (index === 4) throw new Error("The metric of a circuit is NaN.");
    };
    const animation = createAcdcAnimation(new MemoryHost(), { ...whole, search: search.start });
    await assert.rejects(animation.finished, /NaN/);
    const { state } = widgetOf(animation);
    assert.deepEqual([state.status, state.error], ["error", "The metric of a circuit is NaN."]);
    assert.equal(stepsIn(state).length, 4);
    assert.match(String(animation.fallback()["text/plain"]), /The metric of a circuit is NaN/);
  });

  it("measures the circuit of a step without the edges that are cut", async () => {
    const asked: number[][] = [];
    const source = circuitSource(
      { done: true },
      {
        measure: async (cut) => {
          asked.push(Array.from(cut.keys()).filter((edge) => cut[edge] === 1));
          return 0.25;
        },
      },
    );
    const widget = widgetOf(createAcdcAnimation(new MemoryHost(), source));
    const removed = source.steps.slice(0, 6).filter(({ kept }) => !kept);
    await widget.message({ method: "measure", id: 7, position: 6, without: [0] });
    assert.deepEqual(asked, [[0, ...removed.map(({ edge }) => edge)].sort((a, b) => a - b)]);
    assert.deepEqual(widget.sent[0]!.content, { method: "measure", id: 7, metric: 0.25, error: "" });
    await widget.message({ method: "measure", id: 8, position: 0, without: [9999] });
    assert.match((widget.sent[1]!.content as MeasureAnswer).error, /There is no edge 9999/);
  });

  it("measures one circuit at a time, and then the newest that was asked for", async () => {
    let finish = (): void => {};
    let going = 0;
    let most = 0;
    const measure = async (): Promise<number> => {
      most = Math.max(most, ++going);
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      going--;
      return 1;
    };
    const widget = widgetOf(
      createAcdcAnimation(new MemoryHost(), circuitSource({ done: true }, { measure })),
    );
    const answers = [1, 2, 3].map((id) =>
      widget.message({ method: "measure", id, position: -1, without: [id] }),
    );
    finish();
    await turn();
    finish();
    await Promise.all(answers);
    assert.equal(most, 1);
    assert.deepEqual(
      widget.sent.map(({ content }) => [(content as MeasureAnswer).id, (content as MeasureAnswer).metric]),
      [
        [2, null],
        [1, 1],
        [3, 1],
      ],
    );
  });

  it("refuses edges that end nowhere", () => {
    const edges = [{ from: "input", to: "a9.h9<q>" }];
    assert.throws(
      () => createAcdcAnimation(new MemoryHost(), circuitSource({}, { edges })),
      /input->a9\.h9<q> begins or ends at none of the 8 nodes/,
    );
  });

  it("falls back to a picture and a text, in which names are text", () => {
    const source = circuitSource({ done: true });
    const title = "<script>alert(1)</script>";
    const animation = createAcdcAnimation(new MemoryHost(), source, { title });
    const bundle = animation.fallback() as Record<string, string>;
    const svg = bundle["image/svg+xml"]!;
    assert.match(svg, /^<svg xmlns/);
    assert.doesNotMatch(svg, /<script/);
    assert.match(svg, /&lt;script&gt;/);
    const kept = source.steps.filter((step) => step.kept).length;
    assert.equal([...svg.matchAll(/<path /g)].length, kept);
    assert.match(
      bundle["text/plain"]!,
      new RegExp(`^<script>.*\n${kept} of ${source.total} edges, KL divergence`),
    );
    assert.match(bundle["text/plain"]!, /0\.5000 {2}m1->logits/);
  });
});

describe("widgets/acdc-animation/graph", () => {
  it("gives the names of edges back", () => {
    const { nodes, edges } = modelGraph(2, 3);
    const columns = decodeEdges(encodeEdges(nodes, edges));
    assert.deepEqual(
      edges.map((_, i) => edgeNameOf(nodes, columns, i)),
      edges.map(({ from, to }) => `${from}->${to}`),
    );
  });
});

describe("widgets/acdc-animation/timeline", () => {
  function timelineOf(layers: number, heads: number, every: number) {
    const { nodes, edges } = modelGraph(layers, heads);
    const columns = decodeEdges(encodeEdges(nodes, edges));
    const steps = searchSteps(edges.length, every);
    const { state } = widgetOf(
      createAcdcAnimation(new MemoryHost(), circuitSource({ layers, heads, every, done: true })),
    );
    const timeline = new Timeline(columns, edges.length);
    timeline.read(state.log, state.tail);
    return { nodes, edges, columns, steps, timeline };
  }

  it("shows the same graph at a step wherever it comes from", () => {
    const { steps, timeline } = timelineOf(2, 3, 3);
    for (let jump = 0; jump < 60; jump++) {
      const position = Math.floor(noise(jump) * (steps.length + 1));
      timeline.moveTo(position);
      const expected = new Array(steps.length).fill(edgeStatus.untested);
      for (const { edge, kept } of steps.slice(0, position))
        expected[edge] = kept ? edgeStatus.kept : edgeStatus.removed;
      assert.deepEqual([...timeline.status], expected);
      assert.equal(timeline.edgesLeft, expected.filter((status) => status !== edgeStatus.removed).length);
      const measured = steps.slice(0, position).filter(({ after }) => after !== null).length;
      assert.equal(timeline.evaluationsAt(position), 1 + measured);
      const metric = steps[position]?.before ?? Math.max(...steps.map(({ before }) => before));
      assert.ok(Math.abs(timeline.metricAt(position) - metric) < 0.002);
    }
  });

  it("finds the nodes on paths that a circuit keeps when it is pruned", () => {
    for (const every of [3, 7, 20, 50]) {
      const { nodes, edges, columns, timeline } = timelineOf(3, 3, every);
      timeline.moveTo(timeline.count);
      const circuit = new Circuit(
        nodes,
        edges.map(({ from, to }, i) => ({
          name: `${from}->${to}`,
          from,
          to,
          score: 1,
          kept: timeline.status[i] === edgeStatus.kept,
        })),
        { model: "made", method: "by hand", splitInput: false },
      );
      const first = (node: number): boolean => node === 0;
      const alive = nodesOnPaths(columns, timeline.status, { first, nodes: nodes.length, cut: new Set() });
      const found = nodes.filter((_, node) => alive[node] === 1);
      assert.deepEqual(found, circuit.prune().keptNodes);
    }
  });

  it("refuses a log that is not of its graph", () => {
    const { state } = widgetOf(createAcdcAnimation(new MemoryHost(), circuitSource({ done: true })));
    const { nodes, edges } = modelGraph(1, 1);
    const timeline = new Timeline(decodeEdges(encodeEdges(nodes, edges)), edges.length);
    assert.throws(() => timeline.read(state.log, state.tail), /has 46 steps, but the graph 8 edges/);
  });
});
