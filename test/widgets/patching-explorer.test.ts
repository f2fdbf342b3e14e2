import assert from "node:assert/strict";
import { effectsOf } from "../../widgets/patching-explorer/effects.js";
import {
  createPatchingExplorer,
  type PatchingExplorerOptions,
} from "../../widgets/patching-explorer/model.js";
import type { PatchingExplorerState } from "../../widgets/patching-explorer/state.js";
import { decodeTensor } from "../../widgets/tensor.js";
import { MemoryHost, type MemoryWidget } from "./host.js";
import { WordPatching } from "./patching-source.js";

function open(options: Partial<PatchingExplorerOptions> = {}, engine = new WordPatching()) {
  const explorer = createPatchingExplorer(new MemoryHost(), engine, {
    clean: "The nurse said that",
    corrupt: "The miner said that",
    answer: " she",
    wrongAnswer: " he",
    ...options,
  });
  return { engine, explorer, widget: explorer.handle as MemoryWidget<PatchingExplorerState> };
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

function waiting() {
  const engine = new WordPatching();
  engine.waits = true;
  return open({}, engine);
}

describe("widgets/patching-explorer/model", () => {
  it("asks for what was chosen, and shows the metric, its meaning and the strongest cell", async () => {
    const { engine, explorer, widget } = open();
    await explorer.settled();
    const [asked] = engine.asked;
    assert.deepEqual([asked!.choices.at, asked!.choices.over], ["resid_pre", ["layer", "pos"]]);
    const { result, run, selected, tokens } = widget.state;
    assert.equal(run.status, "done");
    assert.deepEqual(result!.labels, [
      ["0", "1", "2"],
      ["The", " nurse", " said", " that"],
    ]);
    assert.equal(decodeTensor(result!.metric).data.length, 12);
    const { values } = effectsOf(result!);
    assert.ok(Math.abs(values[11]! - 0.3) < 1e-6, "share of the difference");
    assert.equal(selected, 11);
    assert.deepEqual(tokens.corrupt, ["The", " miner", " said", " that"]);
  });

  it("measures shares from the run that is changed, in both directions", async () => {
    const { explorer, widget } = open({ direction: "noising" });
    await explorer.settled();
    const { values } = effectsOf(widget.state.result!);
    assert.ok(Math.abs(values[11]! - 0.7) < 1e-6);
    assert.equal(values[0], 1);
  });

  it("never has two sweeps going, and of many choices runs the first and the last", async () => {
    const { engine, explorer, widget } = waiting();
    for (let i = 0; i < 20; i++) {
      widget.fromBrowser({ answer: ` a${i}` });
      if (i % 3 === 0) await turn();
    }
    await turn();
    assert.ok(engine.asked[0]!.signal.aborted);
    engine.asked[0]!.finish();
    await turn();
    assert.equal(engine.asked[1]!.choices.answer, " a19");
    engine.asked[1]!.finish();
    await explorer.settled();
    assert.deepEqual([engine.asked.length, engine.most], [2, 1]);
    assert.equal(widget.state.result!.choices.answer, " a19");
    assert.equal(widget.patches.filter(({ result }) => result).length, 1, "the overtaken sweep says nothing");
  });

  it("keeps the map and the cell when prompts do not correspond, and shows the sentence", async () => {
    const { explorer, widget } = open();
    await explorer.settled();
    const { result } = widget.state;
    widget.fromBrowser({ selected: 6 });
    widget.fromBrowser({ corrupt: "The miner said loudly that" });
    await explorer.settled();
    assert.equal(widget.state.run.status, "error");
    assert.match(widget.state.run.error, /4 tokens and its corrupt prompt 5.*equally many tokens/);
    assert.equal(widget.state.result, result);
    assert.equal(widget.state.selected, 6);
    assert.equal(widget.state.tokens.corrupt.length, 5);
    widget.fromBrowser({ corrupt: "The judge said that" });
    await explorer.settled();
    assert.equal(widget.state.run.error, "");
    assert.equal(widget.state.result!.choices.corrupt, "The judge said that");
    assert.equal(widget.state.selected, 6, "the same place of a map of the same kind");
  });

  it("chooses the strongest cell of a map of another kind, and the cell that was asked for at first", async () => {
    const { explorer, widget } = open({ selected: [1, 2] });
    await explorer.settled();
    assert.equal(widget.state.selected, 6);
    widget.fromBrowser({ at: "z", over: ["layer", "head"] });
    await explorer.settled();
    assert.equal(widget.state.result!.choices.at, "z");
    assert.equal(widget.state.selected, 5, "layer 2, head 1");
  });

  it("tells how far it is, stops when told to and keeps what was measured", async () => {
    const { engine, explorer, widget } = waiting();
    await turn();
    engine.asked[0]!.progress(5);
    await turn();
    assert.deepEqual(
      [widget.state.run.done, widget.state.run.total, widget.state.run.status],
      [5, 12, "running"],
    );
    await widget.message({ method: "stop" });
    assert.ok(engine.asked[0]!.signal.aborted);
    const metric = new Float32Array(12).fill(Number.NaN);
    metric[3] = 0;
    engine.asked[0]!.finish({ metric, notes: ["Ended after 1 of 12 cells; the others are NaN"] });
    await explorer.settled();
    assert.equal(widget.state.run.status, "stopped");
    assert.equal(widget.state.selected, 3);
    assert.match(explorer.fallback()["text/plain"] as string, /Ended after 1 of 12 cells/);
    await widget.message({ method: "run" });
    await turn();
    assert.equal(engine.asked.length, 2);
    engine.asked[1]!.finish();
  });

  it("computes a cell when it is looked at, where a result does not hold all", async () => {
    const engine = new WordPatching();
    engine.keeps = false;
    const { explorer, widget } = open({}, engine);
    await explorer.settled();
    assert.deepEqual(engine.cells, [[2, 3]]);
    widget.fromBrowser({ selected: 9 });
    await explorer.settled();
    assert.deepEqual(engine.cells, [
      [2, 3],
      [2, 1],
    ]);
    assert.deepEqual([widget.state.cell!.cell, widget.state.cell!.result], [9, widget.state.result!.id]);
    widget.fromBrowser({ selected: 99 });
    widget.fromBrowser({ selected: "<b>" as never });
    await explorer.settled();
    assert.equal(engine.cells.length, 2, "cells that there are not are not asked for");
  });

  it("refuses choices that make no sense with a sentence, without asking the engine", async () => {
    const { engine, explorer, widget } = open();
    await explorer.settled();
    const refused: [Partial<PatchingExplorerState>, RegExp][] = [
      [{ clean: "" }, /no clean prompt/],
      [{ clean: "The nurse said that", corrupt: 5 as never }, /no corrupt prompt/],
      [{ corrupt: "The miner said that", at: "resid_pst" }, /nothing called "resid_pst" to patch/],
      [{ at: "z" }, /over z has no table of layer × pos/],
      [{ over: "layer,head" as never, direction: "up" as never }, /denoising or noising, but "up" came/],
      [{ over: ["layer", "head"], direction: "denoising", metric: "x" }, /no metric "x"/],
      [{ metric: "logProb", answer: "" }, /no answer/],
      [{ metric: "logitDiff", answer: " she", wrong_answer: "" }, /no wrong answer/],
    ];
    for (const [patch, sentence] of refused) {
      widget.fromBrowser(patch);
      await explorer.settled();
      assert.match(widget.state.run.error, sentence);
    }
    assert.equal(engine.asked.length, 1);
    assert.ok(widget.state.result);
    widget.fromBrowser({ metric: "given" });
    await explorer.settled();
    assert.equal(widget.state.run.status, "done", "a metric without answers needs none");
  });

  it("shows changes of the metric where both runs have the same one", async () => {
    const { engine, explorer, widget } = waiting();
    await turn();
    engine.asked[0]!.finish({ clean: -1 });
    await explorer.settled();
    const effects = effectsOf(widget.state.result!);
    assert.equal(effects.isShare, false);
    assert.ok(Math.abs(effects.values[11]! - 0.6) < 1e-6);
  });

  it("ends its sweep when it is closed", async () => {
    const { engine, explorer, widget } = waiting();
    await turn();
    explorer.close();
    assert.ok(engine.asked[0]!.signal.aborted);
    engine.asked[0]!.finish();
    await explorer.settled();
    assert.equal(widget.state.result, null);
  });

  it("falls back to the map and the chosen cell without scripts, in which tokens are text", async () => {
    const { explorer } = open({ clean: "The <i>nurse</i> said", corrupt: "The <i>miner</i> said" });
    await explorer.settled();
    const bundle = explorer.fallback() as Record<string, string>;
    assert.doesNotMatch(bundle["text/html"]!, /<img|<i>/);
    assert.match(bundle["text/html"]!, /&lt;i&gt;nurse/);
    assert.match(bundle["text/html"]!, /<th scope="row"[^>]*>·&lt;img/);
    const lines = bundle["text/plain"]!.split("\n");
    assert.match(lines.find((line) => line.trim().startsWith("2 "))!, /^ +2 +0 +0\.10 +0\.20$/);
    assert.ok(
      lines.some((line) => /·she +75\.0 % +25\.0 % +35\.0 %/.test(line)),
      bundle["text/plain"],
    );
  });
});
