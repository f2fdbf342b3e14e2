import assert from "node:assert/strict";
import { patchingEngine } from "../../../kernel/views/patching-engine.js";
import { loadModel, type Model, patch, softmax, type Tensor } from "../../../src/index.js";
import { ioi, taskMetric } from "../../../src/tasks/index.js";
import type { NextTokens, PatchingChoices } from "../../../widgets/patching-explorer/model.js";
import { decodeTensor } from "../../../widgets/tensor.js";
import { fixture } from "../../shared.js";

const listener = { onProgress: () => {}, signal: new AbortController().signal };

describe("a model behind the patching explorer", () => {
  const [pair] = ioi({ count: 1, seed: 1 }) as [ReturnType<typeof ioi>[number]];
  const choices: PatchingChoices = {
    ...{ clean: pair.clean, corrupt: pair.corrupt, answer: pair.answer, wrong_answer: pair.wrongAnswer },
    ...{ metric: "logitDiff", direction: "denoising", at: "z", over: ["layer", "head"] },
  };
  let model: Model;

  before(async () => {
    model = await loadModel("tiny-world");
  });

  /** The largest difference of the patched probabilities of a cell from those of a plain run. */
  async function worst(next: NextTokens, row: number, layer: number, head: number): Promise<number> {
    const { cache } = await model.runWithCache(pair.clean);
    const edits = [patch(["z", layer], cache, { head })];
    const plain = softmax(
      (await model.forward(pair.corrupt, { logits: "last", edits })).pick(0, 0, null) as Tensor,
    );
    const { data } = decodeTensor(next.patched);
    return Math.max(
      ...next.tokens.map((token, i) =>
        Math.abs(data[row * next.tokens.length + i]! - plain.get(model.toSingleToken(token))),
      ),
    );
  }

  it("gives the metric and the next tokens of every cell, as plain runs do", async () => {
    const told: number[] = [];
    const { metric, labels, clean, next } = await patchingEngine(model).sweep(choices, {
      ...listener,
      onProgress: (done, total) => told.push(done / total),
    });
    assert.deepEqual([told[0], told.at(-1)], [0, 1]);
    assert.deepEqual(
      labels.map(({ length }) => length),
      [4, 8],
    );
    assert.ok(Math.abs(clean - (await model.metric(pair.clean, taskMetric([pair])))) < 1e-4);
    assert.equal(metric.length, 32);
    for (const token of [pair.answer, pair.wrongAnswer]) assert.ok(next!.tokens.includes(token));
    for (const [layer, head] of [
      [0, 1],
      [3, 1],
    ] as const)
      assert.ok((await worst(next!, 8 * layer + head, layer, head)) < 1e-5);
  });

  it("gives those of one cell alone", async () => {
    const next = await patchingEngine(model).cell(choices, [3, 1], listener.signal);
    assert.equal(decodeTensor(next.patched).shape[0], 1);
    assert.ok((await worst(next, 0, 3, 1)) < 1e-5);
  });

  it("offers what the model has, with maps that fit, and what was asked for beside it", async () => {
    const { points } = patchingEngine(model, { at: "blocks.2.attn.hook_pattern", over: ["head", "key"] });
    assert.deepEqual(points.find(({ at }) => at === "z")!.grids, [
      ["layer", "head"],
      ["layer", "pos"],
      ["layer", "head", "pos"],
    ]);
    assert.deepEqual(points.find(({ at }) => at === "resid_mid")!.grids, [["layer", "pos"]]);
    assert.deepEqual(points.at(-1)!.grids[0], ["head", "key"]);
    const llama = patchingEngine(await loadModel(fixture("models", "llama")));
    assert.ok(llama.points.length >= 9);
    const attentionOnly = patchingEngine(await loadModel("attn-only-2l"));
    assert.ok(!attentionOnly.points.some(({ at }) => at === "mlp_out"));
    assert.throws(
      () => patchingEngine(model, { at: "resid_pst" }),
      /no "resid_pst" to patch\. The nearest are resid_p/,
    );
    assert.throws(
      () => patchingEngine(model, { at: "mlp_out", over: ["layer", "head"] }),
      /has no axis "head"/,
    );
  });

  it("explains prompts that do not correspond or are the same, answers of several tokens, and maps too large", async () => {
    const engine = patchingEngine(model, { at: "z", over: ["layer", "head", "pos"] });
    const refuses = (part: Partial<PatchingChoices>, sentence: RegExp): Promise<void> =>
      assert.rejects(engine.sweep({ ...choices, ...part }, listener), sentence);
    await refuses({ corrupt: `${pair.corrupt} the` }, /22 tokens and its corrupt prompt 23/);
    await refuses({ corrupt: pair.clean }, /the same, so patching changes nothing/);
    await refuses({ answer: " of the" }, /of the/);
    await refuses(
      { over: ["layer", "head", "pos"], clean: "the ".repeat(140) },
      /cells; the explorer shows 4096/,
    );
  });

  it("measures what it was given, also by functions, and keeps what it has when it is stopped", async () => {
    const given = patchingEngine(model, { given: ({ logits }) => logits.at(0, -1, 5) });
    assert.equal(given.metrics[0]!.kind, "given");
    const { clean } = await given.sweep({ ...choices, metric: "given", over: ["layer", "head"] }, listener);
    const logits = await model.forward(pair.clean, { logits: "last" });
    assert.ok(Math.abs(clean - logits.get(0, 0, 5)) < 1e-4);
    const stop = new AbortController();
    const part = await given.sweep(
      { ...choices, metric: "given" },
      { signal: stop.signal, onProgress: (done) => done >= 3 && stop.abort() },
    );
    const reached = part.metric.filter(Number.isFinite).length;
    assert.ok(reached >= 3 && reached < 32, String(reached));
    assert.match(part.notes[0]!, /Ended after \d+ of 32 cells/);
  });
});
