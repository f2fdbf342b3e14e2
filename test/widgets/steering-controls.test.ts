import assert from "node:assert/strict";
import { changedTokens } from "../../widgets/steering-controls/changes.js";
import {
  createSteeringControls,
  type SteeringControlsOptions,
  type SteeringEngine,
  type SteeringListener,
  type SteeringRequest,
} from "../../widgets/steering-controls/model.js";
import type { SteeringControlsState } from "../../widgets/steering-controls/state.js";
import { MemoryHost, type MemoryWidget } from "./host.js";
import { SteeringOffer } from "./steering-source.js";

/** One call of the engine, which the test goes on with step by step. */
interface Run {
  readonly request: SteeringRequest;
  readonly listener: SteeringListener;
  finish(): void;
  fail(message: string): void;
}

class SteppedEngine extends SteeringOffer implements SteeringEngine {
  readonly runs: Run[] = [];
  going = 0;
  most = 0;

  steer(request: SteeringRequest, listener: SteeringListener): Promise<void> {
    this.most = Math.max(this.most, ++this.going);
    return new Promise<void>((resolve, reject) => {
      this.runs.push({ request, listener, finish: resolve, fail: (message) => reject(new Error(message)) });
    }).finally(() => this.going--);
  }
}

function open(options: SteeringControlsOptions = {}) {
  const engine = new SteppedEngine();
  const controls = createSteeringControls(new MemoryHost(), engine, {
    prompt: "I think",
    coefficient: 2,
    ...options,
  });
  return { engine, controls, widget: controls.handle as MemoryWidget<SteeringControlsState> };
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

describe("widgets/steering-controls/model", () => {
  it("asks the engine for what was chosen, and shows what it finds", async () => {
    const { engine, controls, widget } = open({
      maxNewTokens: 3,
      seed: 7,
      temperature: 0.5,
      positions: "last",
    });
    const [run] = engine.runs as [Run];
    assert.deepEqual(run.request, {
      prompt: "I think",
      point: "blocks.1.hook_resid_pre",
      direction: { kind: "difference", values: { positive: "love", negative: "hate" } },
      coefficient: 2,
      positions: "last",
      maxNewTokens: 3,
      temperature: 0.5,
      seed: 7,
    });
    run.listener.onNext([{ token: " so", unsteered: 0.5, steered: 0.25 }]);
    run.listener.onTokens({ unsteered: " so", steered: " not" });
    run.listener.onTokens({ unsteered: null, steered: " at" });
    run.finish();
    await controls.settled();
    const { result } = widget.state;
    assert.equal(result!.status, "done");
    assert.deepEqual([result!.unsteered, result!.steered], [[" so"], [" not", " at"]]);
    assert.deepEqual(result!.next, [{ token: " so", unsteered: 0.5, steered: 0.25 }]);
    assert.equal(result!.choices.coefficient, 2);
  });

  it("runs nothing until there is a prompt", async () => {
    const { engine, widget } = open({ prompt: "" });
    assert.equal(engine.runs.length, 0);
    widget.fromBrowser({ prompt: "Now" });
    await turn();
    assert.equal(engine.runs.length, 1);
  });

  it("never has two runs going and never queues: of a hundred slider steps the first and the last are run", async () => {
    const { engine, controls, widget } = open();
    for (let i = 1; i <= 100; i++) {
      widget.fromBrowser({ coefficient: i / 10 });
      if (i % 3 === 0) await turn();
    }
    await turn();
    assert.equal(engine.runs.length, 1);
    assert.ok(engine.runs[0]!.listener.signal.aborted);
    engine.runs[0]!.finish();
    await turn();
    assert.equal(engine.runs.length, 2);
    assert.equal(engine.runs[1]!.request.coefficient, 10);
    assert.ok(!engine.runs[1]!.listener.signal.aborted);
    engine.runs[1]!.finish();
    await controls.settled();
    assert.equal(engine.most, 1);
    assert.equal(engine.runs.length, 2);
  });

  it("shows nothing that an overtaken run says", async () => {
    const { engine, controls, widget } = open();
    const [first] = engine.runs as [Run];
    first.listener.onTokens({ unsteered: " old", steered: " old" });
    widget.fromBrowser({ coefficient: 5 });
    await turn();
    first.listener.onTokens({ unsteered: " stale", steered: " stale" });
    first.fail("This run was aborted.");
    await turn();
    const [, second] = engine.runs as [Run, Run];
    second.listener.onTokens({ unsteered: " new", steered: " new" });
    second.finish();
    await controls.settled();
    assert.deepEqual(widget.state.result!.steered, [" new"]);
    const spoken = JSON.stringify(widget.patches);
    assert.doesNotMatch(spoken, /stale|aborted/);
  });

  it("runs once for choices that come in one message, and not for what is no choice", async () => {
    const { engine, controls, widget } = open();
    engine.runs[0]!.finish();
    await controls.settled();
    widget.fromBrowser({ coefficient: 1, prompt: "We", seed: 3 });
    await turn();
    assert.equal(engine.runs.length, 2);
    engine.runs[1]!.finish();
    await controls.settled();
    widget.fromBrowser({ title: "x" });
    await turn();
    assert.equal(engine.runs.length, 2);
  });

  it("sends far fewer updates than there are tokens when they come fast", async () => {
    const { engine, controls, widget } = open({ maxNewTokens: 150 });
    widget.patches.length = 0;
    for (let i = 0; i < 150; i++) engine.runs[0]!.listener.onTokens({ unsteered: ` ${i}`, steered: ` ${i}` });
    engine.runs[0]!.finish();
    await controls.settled();
    assert.equal(widget.state.result!.steered.length, 150);
    assert.ok(widget.patches.length <= 3, `${widget.patches.length} updates`);
  });

  it("stops when the reader says so, keeps what is there, and runs again when told to", async () => {
    const { engine, controls, widget } = open();
    const [run] = engine.runs as [Run];
    run.listener.onTokens({ unsteered: " a", steered: " b" });
    await widget.message({ method: "stop" });
    assert.ok(run.listener.signal.aborted);
    run.finish();
    await controls.settled();
    assert.equal(widget.state.result!.status, "stopped");
    assert.deepEqual(widget.state.result!.steered, [" b"]);
    await widget.message({ method: "run" });
    await turn();
    assert.equal(engine.runs.length, 2);
  });

  it("shows the engine's sentence when it fails, and goes on", async () => {
    const { engine, controls, widget } = open();
    engine.runs[0]!.fail(`" lovve" is 2 tokens, not one.`);
    await controls.settled();
    assert.deepEqual(
      [widget.state.result!.status, widget.state.result!.error],
      ["error", `" lovve" is 2 tokens, not one.`],
    );
    widget.fromBrowser({ coefficient: 3 });
    await turn();
    engine.runs[1]!.finish();
    await controls.settled();
    assert.equal(widget.state.result!.status, "done");
    assert.equal(widget.state.result!.error, "");
  });

  it("refuses choices that make no sense with a sentence, without asking the engine", async () => {
    const { engine, controls, widget } = open();
    engine.runs[0]!.finish();
    await controls.settled();
    const refused: [Partial<SteeringControlsState>, RegExp][] = [
      [{ point: "blocks.7.hook_resid_pre" }, /no point "blocks\.7/],
      [{ point: "blocks.0.hook_resid_pre", coefficient: null as never }, /coefficient must be a number/],
      [{ coefficient: 1, max_new_tokens: 1e9 }, /from 1 to 200, but 1000000000 came/],
      [{ max_new_tokens: 5, temperature: -1 }, /temperature must be a number of at least 0/],
      [{ temperature: 0, seed: 0.5 }, /seed must be an integer/],
      [{ seed: 0, positions: "middle" as never }, /Positions are all, last, from-prompt-end/],
      [{ positions: "all", direction: { kind: "unembedding", values: {} } }, /“token” is empty/],
      [{ direction: { kind: "magic", values: {} } }, /no kind of direction "magic"/],
    ];
    for (const [patch, sentence] of refused) {
      widget.fromBrowser(patch);
      await controls.settled();
      await turn();
      await controls.settled();
      assert.match(widget.state.result!.error, sentence);
    }
    assert.equal(engine.runs.length, 1);
  });

  it("ends its run when it is closed", async () => {
    const { engine, controls, widget } = open();
    controls.close();
    assert.ok(engine.runs[0]!.listener.signal.aborted);
    engine.runs[0]!.finish();
    await controls.settled();
    assert.equal(widget.state.result, null);
  });

  it("falls back to the two continuations without scripts, in which tokens are text", async () => {
    const { engine, controls } = open({ prompt: "<i>Hi</i>" });
    engine.runs[0]!.listener.onTokens({ unsteered: "<script>", steered: " fine" });
    engine.runs[0]!.finish();
    await controls.settled();
    const bundle = controls.fallback() as Record<string, string>;
    assert.match(bundle["text/html"]!, /<b><u>&lt;script&gt;<\/u><\/b>/);
    assert.doesNotMatch(bundle["text/html"]!, /<script|<i>/);
    assert.match(bundle["text/plain"]!, /unsteered: <i>Hi<\/i><script>\nsteered: {3}<i>Hi<\/i> fine/);
  });
});

describe("widgets/steering-controls/changes", () => {
  it("marks only what differs, also after a token more", () => {
    const marks = changedTokens([" a", " b", " c", " d"], [" a", " x", " b", " c", " e"]);
    assert.deepEqual(marks, {
      unsteered: [false, false, false, true],
      steered: [false, true, false, false, true],
    });
  });
});
