import assert from "node:assert/strict";
import { cpSync, existsSync, readdirSync } from "node:fs";
import {
  contiguous,
  displaySymbol,
  type MimeBundle,
  randomGenerator,
  readSafetensors,
  type Tensor,
  tensor,
  writeSafetensors,
} from "../../src/array/index.js";
import {
  type ActivationPatchingOptions,
  ablate,
  activationPatching,
  crossEntropy,
  type Edit,
  type Expression,
  klDivergence,
  loadModel,
  logitDiff,
  logProb,
  type MetricContext,
  type Model,
  type Progress,
  patch,
  probDiff,
  Sweep,
  setHost,
  squaredError,
} from "../../src/index.js";
import { type IoiPrompt, ioi, taskMetric } from "../../src/tasks/index.js";
import { scratchFolder } from "../scratch.js";
import { fixture } from "../shared.js";

/** The metric of each cell by a run of its own. */
async function plainly(model: Model, sweep: Sweep, options: ActivationPatchingOptions): Promise<number[]> {
  const { direction = "denoising", neuronBlock: size = 1 } = options;
  const [base, other] =
    direction === "denoising" ? [options.corrupt!, options.clean] : [options.clean, options.corrupt!];
  const { cache } = await model.runWithCache(other);
  const { cache: own } = await model.runWithCache(base);
  const values: number[] = [];
  for (const { index } of sweep.cells) {
    const at = Object.fromEntries(sweep.over.map((axis, i) => [axis, index[i]!]));
    const point = model.pointName([options.at, at.layer!]);
    const source = cache.get(point);
    const { head, pos, neuron } = at;
    const edits: Edit[] = [];
    if (neuron === undefined) edits.push(patch(point, source, { head, pos }));
    else {
      const mixed = own.get(point);
      const width = mixed.shape.at(-1)!;
      const data = mixed.data.map((x, i) =>
        Math.floor((i % width) / size) === neuron ? source.data[i]! : x,
      );
      edits.push(patch(point, { ...mixed, data, shape: mixed.shape } as Tensor));
    }
    values.push(await model.metric(base, options.metric, { edits }));
  }
  return values;
}

const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  assert.equal(a.length, b.length);
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!) / Math.max(1, Math.abs(b[i]!));
    most = Math.max(most, difference);
  }
  return most;
};

async function agreesWithPlainRuns(model: Model, options: ActivationPatchingOptions): Promise<void> {
  const sweep = await activationPatching(model, options);
  assert.equal(sweep.finished, true);
  const difference = worst(sweep.metric.data, await plainly(model, sweep, options));
  assert.ok(difference < 1e-5, `${options.at} over ${options.over}: ${difference}`);
}

const draw = (seed: string, { config }: Model, rows: number, length: number): number[][] => {
  const random = randomGenerator(seed);
  return Array.from({ length: rows }, () => Array.from({ length }, () => random.integer(config.dVocab)));
};

describe("activation patching", () => {
  const families = readdirSync(fixture("models")).filter((name) =>
    existsSync(fixture("models", name, "config.json")),
  );
  const grids: readonly Pick<ActivationPatchingOptions, "at" | "over" | "neuronBlock">[] = [
    { at: "resid_pre", over: ["layer", "pos"] },
    { at: "resid_mid", over: ["pos", "layer"] },
    { at: "resid_post", over: ["layer"] },
    { at: "attn_out", over: ["layer", "pos"] },
    { at: "mlp_out", over: ["layer", "pos"] },
    { at: "z", over: ["layer", "head"] },
    { at: "z", over: ["layer", "head", "pos"] },
    { at: "q", over: ["layer", "head"] },
    { at: "k", over: ["layer", "pos", "head"] },
    { at: "v", over: ["layer", "head"] },
    { at: "pattern", over: ["layer", "head", "pos"] },
    { at: "result", over: ["layer", "head"] },
    { at: "post", over: ["layer", "neuron"], neuronBlock: 7 },
  ];
  for (const family of families)
    it(`agrees with one plain run a cell on ${family}`, async function () {
      this.timeout(120_000);
      const model = await loadModel(fixture("models", family));
      if (model.config.encoder) {
        const task = { clean: [[1, 2, 3]], corrupt: [[1, 2, 4]], metric: logProb({ token: 3 }) };
        await assert.rejects(
          activationPatching(model, { ...task, at: "encoder.1.hook_resid_pre", over: ["pos"] }),
          /counts what the encoder reads/,
        );
        const heads = await activationPatching(model, {
          ...task,
          at: "encoder.1.attn.hook_z",
          over: ["head"],
        });
        assert.ok(heads.metric.data.every(Number.isFinite));
        return assert.rejects(
          activationPatching(model, { ...task, at: "resid_pre", over: ["layer"] }),
          /There is no point "blocks\.0\.hook_resid_pre" in this model\. The nearest are/,
        );
      }
      const [clean, corrupt] = [draw("clean", model, 2, 6), draw("corrupt", model, 2, 6)];
      const labels = model.config.labels;
      const metric = labels
        ? logitDiff({ correct: 0, incorrect: 1 })
        : logProb({ token: [3, 5], pos: labels ? 0 : -1 });
      let compared = 0;
      for (const grid of grids) {
        const point = model.hookNames.find((name) =>
          new RegExp(`^blocks\\.0\\.(\\w+\\.)?hook_${grid.at}$`).test(name),
        );
        if (!point) continue;
        await agreesWithPlainRuns(model, { clean, corrupt, metric, ...grid });
        compared++;
      }
      assert.ok(compared >= (model.config.stateSpace ? 1 : 8), `${compared} grids`);
    });

  const small = async (): Promise<{ model: Model; clean: number[][]; corrupt: number[][] }> => {
    const model = await loadModel(fixture("models", "gpt2"));
    return { model, clean: draw("a", model, 2, 8), corrupt: draw("b", model, 2, 8) };
  };

  it("agrees for every metric, also one that reads an earlier position or is a function", async () => {
    const { model, clean, corrupt } = await small();
    const reference = await model.forward(clean);
    for (const metric of [
      logitDiff({ correct: [1, 2], incorrect: 3, pos: 4 }),
      logitDiff({ correct: 1, incorrect: 3, pos: -3 }),
      probDiff({ correct: [1, 2], incorrect: [3] }),
      klDivergence({ reference }),
      squaredError({ reference }),
      squaredError({ reference, from: 5 }),
      crossEntropy(),
      ({ logits }: Parameters<Extract<ActivationPatchingOptions["metric"], (...x: never[]) => unknown>>[0]) =>
        logits.at(0, -1, 5).sub(logits.at(1, 2, 5)),
    ]) {
      await agreesWithPlainRuns(model, { clean, corrupt, metric, at: "resid_pre", over: ["layer", "pos"] });
      await agreesWithPlainRuns(model, { clean, corrupt, metric, at: "z", over: ["layer", "head"] });
    }
  });

  it("keeps the logits that the metric reads, of each cell as a plain run gives them, and tells how far it is", async () => {
    const { model, clean, corrupt } = await small();
    const { cache } = await model.runWithCache(clean);
    for (const [metric, pos] of [
      [logProb({ token: 4, pos: 5 }), 5],
      [({ logits }: MetricContext) => logits.at(0, -1, 5), 7],
    ] as const) {
      const told: number[] = [];
      const sweep = await activationPatching(model, {
        ...{ clean, corrupt, metric, at: "resid_mid", over: ["layer", "pos"], keepLogits: true },
        onProgress: ({ done, total }) => told.push(done / total!),
      });
      assert.equal(told.at(-1), 1);
      const { cells } = sweep.logits!;
      assert.deepEqual(cells.shape, [...sweep.values.shape, clean.length, model.config.dVocab]);
      for (const { index } of sweep.cells) {
        const [layer, place] = index as [number, number];
        const edits = [patch(["resid_mid", layer], cache, { pos: place })];
        const plain = (await model.forward(corrupt, { edits })).pick(null, pos, null) as Tensor;
        const difference = worst(
          contiguous(cells.pick(layer, place, null, null) as Tensor).data,
          contiguous(plain).data,
        );
        assert.ok(difference < 1e-5, String(difference));
      }
      for (const [prompts, kept] of [
        [clean, sweep.logits!.clean!],
        [corrupt, sweep.logits!.corrupt!],
      ] as const) {
        const plain = (await model.forward(prompts)).pick(null, pos, null) as Tensor;
        assert.ok(worst(kept.data, contiguous(plain).data) < 1e-5);
      }
    }
  });

  it("runs in both directions: at the embeddings one run becomes the other", async () => {
    const { model, clean, corrupt } = await small();
    const metric = logProb({ token: 4 });
    for (const direction of ["denoising", "noising"] as const) {
      const options = { clean, corrupt, metric, direction, at: "resid_pre", over: ["layer"] } as const;
      const sweep = await activationPatching(model, options);
      assert.ok(Math.abs(sweep.values.get(0) - (direction === "denoising" ? 1 : 0)) < 1e-5);
      assert.ok(Math.abs(sweep.clean! - (await model.metric(clean, metric))) < 1e-5);
      assert.ok(Math.abs(sweep.corrupt! - (await model.metric(corrupt, metric))) < 1e-5);
      await agreesWithPlainRuns(model, { ...options, over: ["layer", "pos"] });
    }
  });

  it("takes prompts of mixed lengths, padded on the left, where no position is named", async () => {
    const { model } = await small();
    const [long, short] = [draw("long", model, 1, 8)[0]!, draw("short", model, 1, 5)[0]!];
    const clean = [long, short];
    const corrupt = [draw("other", model, 1, 8)[0]!, draw("another", model, 1, 5)[0]!];
    const options = {
      clean,
      corrupt,
      metric: logProb({ token: [1, 2] }),
      at: "z",
      over: ["layer", "head"],
    } as const;
    await agreesWithPlainRuns(model, options);
    await assert.rejects(
      activationPatching(model, { ...options, over: ["layer", "pos"] }),
      /different lengths, so a position means another thing in each/,
    );
  });

  it("takes batches of texts", async () => {
    const model = await loadModel("tiny-world");
    const prompts = ioi({ count: 5, seed: 1 });
    const [clean, corrupt] = [prompts.map((prompt) => prompt.clean), prompts.map((prompt) => prompt.corrupt)];
    assert.ok(new Set(clean.map((text) => model.toTokens(text).length)).size > 1);
    const metric = taskMetric(prompts);
    await agreesWithPlainRuns(model, { clean, corrupt, metric, at: "z", over: ["layer", "head"] });
    await agreesWithPlainRuns(model, {
      clean,
      corrupt,
      metric,
      at: "resid_mid",
      over: ["layer"],
      direction: "noising",
    });
  });

  it("keeps the edits of a model that has some", async () => {
    const { model, clean, corrupt } = await small();
    const metric = logProb({ token: 4 });
    for (const edit of [
      ablate(["z", 1], { head: 2, pos: [1, -1] }),
      ablate(["z", 0], { head: 1, mode: "mean" }),
    ])
      await agreesWithPlainRuns(model.withEdits([edit]), {
        clean,
        corrupt,
        metric,
        at: "resid_pre",
        over: ["layer", "pos"],
      });
  });

  it("goes over chosen layers, positions and heads, and one point", async () => {
    const { model, clean, corrupt } = await small();
    const task = { clean, corrupt, metric: logProb({ token: 4 }) };
    const whole = await activationPatching(model, { ...task, at: "z", over: ["layer", "head", "pos"] });
    const part = await activationPatching(model, {
      ...task,
      at: "z",
      over: ["pos", "layer", "head"],
      layers: [2, -3],
      positions: [-1, 3],
      heads: [1],
    });
    assert.deepEqual(part.values.shape, [2, 2, 1]);
    assert.ok(Math.abs(part.values.get(0, 1, 0) - whole.values.get(0, 1, 7)) < 1e-5);
    const one = await activationPatching(model, { ...task, at: "blocks.2.attn.hook_z", over: ["head"] });
    const all = await activationPatching(model, { ...task, at: "z", over: ["layer", "head"] });
    assert.ok(worst(one.values.data, all.values.data.slice(-4)) < 1e-5);
  });

  const scratch = scratchFolder();
  it("runs weights of 16 bits", async () => {
    cpSync(fixture("models", "llama"), scratch(), { recursive: true });
    const weights = await readSafetensors(scratch("model.safetensors"));
    const narrow = [...weights].map(
      ([name, { data, shape }]) => [name, { dtype: "bfloat16", shape, data }] as const,
    );
    await writeSafetensors(scratch("model.safetensors"), new Map(narrow));
    const model = await loadModel(scratch());
    const [clean, corrupt] = [draw("a", model, 1, 9), draw("b", model, 1, 9)];
    const metric = logProb({ token: 9 });
    await agreesWithPlainRuns(model, { clean, corrupt, metric, at: "resid_pre", over: ["layer", "pos"] });
    await agreesWithPlainRuns(model, { clean, corrupt, metric, at: "z", over: ["layer", "head"] });
  });

  it("shares rows out among runs where they do not fit into one", async () => {
    const { model } = await small();
    const [clean, corrupt] = [draw("many", model, 700, 12), draw("others", model, 700, 12)];
    const metric = logDiffOf(model);
    await agreesWithPlainRuns(model, { clean, corrupt, metric, at: "z", over: ["layer", "head"] });
  }).timeout(60_000);

  it("says what is wrong with prompts, axes and metrics", async () => {
    const { model, clean, corrupt } = await small();
    const task = {
      clean,
      corrupt,
      metric: logProb({ token: 4 }),
      at: "resid_pre",
      over: ["layer", "pos"],
    } as const;
    const refused = (options: object, message: RegExp): Promise<void> =>
      assert.rejects(activationPatching(model, { ...task, ...options } as never), message);
    await refused({ corrupt: clean }, /are the same, so patching changes nothing/);
    await refused({ corrupt: undefined }, /takes a run on corrupt prompts; give them as `corrupt`/);
    await refused({ corrupt: [corrupt[0]!] }, /2 clean prompts and 1 corrupt ones; they come in pairs/);
    await refused(
      { clean: [clean[0]!], corrupt: [corrupt[0]!.slice(1)] },
      /Clean prompt 0 has 8 tokens and its corrupt prompt 7: their positions must correspond/,
    );
    await refused(
      { over: ["layer", "head"] },
      /has \[batch, pos, dModel\], so a sweep over it has no axis "head"/,
    );
    await refused({ over: [] }, /goes over different axes/);
    await refused({ at: "resid_pree" }, /The nearest are blocks\.0\.hook_resid_pre/);
    await refused({ at: "blocks.1.hook_resid_pre" }, /is one point, so a sweep over it has no axis "layer"/);
    await refused({ positions: [8] }, /goes over position 8, but there are 8 of them/);
    await refused({ layers: [] }, /goes over no layer; choose one at least/);
    await refused({ heads: [], at: "z", over: ["head", "layer"] }, /goes over no head; choose one at least/);
    await refused({ at: "hook_tokens", over: ["pos"] }, /holds int64; only points that hold floats/);
    await refused({ direction: "up" }, /direction is one of denoising, noising; "up" came/);
    await refused({ replacement: "none" }, /replacement is one of patch, zero, mean, resample, noise/);
    await refused({ metric: logProb({ token: 4, pos: 9 }) }, /reads position 9, but the input has 8/);
    await refused(
      {
        metric: ({ logits }: { logits: { at(...i: number[]): { sub(x: number): { log(): unknown } } } }) =>
          logits.at(0, -1, 1).sub(1e9).log(),
      },
      /The metric is NaN on the corrupt prompts/,
    );
    const text = await loadModel("tiny-world");
    await assert.rejects(
      activationPatching(text, {
        clean: "Mary gave the book to",
        corrupt: "John gave the book to",
        metric: logProb({ token: " Mary gave" }),
        at: "z",
        over: ["layer", "head"],
      }),
      /" Mary gave" is 2 tokens \(" Mary", " gave"\), not one/,
    );
  });

  it("keeps the metric where both runs have the same one, or some cells have none", async () => {
    const { model, clean, corrupt } = await small();
    const task = { clean, corrupt, at: "resid_pre", over: ["layer", "pos"] } as const;
    const even = await activationPatching(model, {
      ...task,
      metric: ({ logits }) => logits.at(0, -1, 1).mul(0),
    });
    assert.deepEqual([...new Set(even.metric.data)], [0]);
    assert.deepEqual(even.values, even.metric);
    assert.match(even.notes.join(), /Both runs have the metric 0, so there is no scale between them/);
    assert.throws(() => even.normalized, /no scale between them/);
    // The logarithm of how much larger a logit is than in the worse run: of patched runs some are worse still.
    const metric = logitDiff({ correct: 1, incorrect: 2 });
    const all = await activationPatching(model, { ...task, metric, normalize: false });
    const threshold = Math.min(all.clean!, all.corrupt!) - 1e-3;
    const bad = all.metric.data.filter((value) => value < threshold - 1e-4).length;
    assert.ok(bad > 0 && bad < all.total, `${bad} cells`);
    const logarithm = await activationPatching(model, {
      ...task,
      metric: ({ logits }) => {
        const row = (b: number): Expression => logits.at(b, -1, 1).sub(logits.at(b, -1, 2));
        return row(0).add(row(1)).mul(0.5).sub(threshold).log();
      },
    });
    assert.equal(logarithm.metric.data.filter(Number.isNaN).length, bad);
    assert.match(
      logarithm.notes.join(),
      new RegExp(`not finite in ${bad} cells, the first at layer \\d, pos \\d`),
    );
    assert.ok(logarithm.top(50).length === all.total - bad);
  });

  it("gives what it has when it is stopped, and says how far it came", async () => {
    const { model, clean, corrupt } = await small();
    const stop = new AbortController();
    const seen: Progress[] = [];
    setHost({
      progress: (progress) => {
        seen.push(progress);
        if (progress.task === "patching" && progress.done >= 5) stop.abort();
      },
    });
    try {
      const metric = ({ logits }: MetricContext): Expression => logits.at(0, -1, 1); // one run a cell
      const options = {
        clean,
        corrupt,
        metric,
        at: "resid_pre",
        over: ["layer", "pos"],
        normalize: false,
      } as const;
      const part = await activationPatching(model, { ...options, signal: stop.signal });
      assert.equal(part.finished, false);
      assert.equal(part.done, 5);
      assert.deepEqual(seen.at(-1), { task: "patching", done: 5, total: 24 });
      assert.match(part.notes.join(), /Ended after 5 of 24 cells; the others are NaN/);
      assert.match((await part[displaySymbol]())["text/plain"] as string, /Ended after 5 of 24 cells/);
      const whole = await activationPatching(model, options);
      const reached = part.metric.data.map((value, i) =>
        Number.isNaN(value) ? whole.metric.data[i]! : value,
      );
      assert.ok(worst(reached, whole.metric.data) < 1e-5);
      assert.equal(part.metric.data.filter((value) => !Number.isNaN(value)).length, 5);
    } finally {
      setHost({});
    }
  });

  it("shows itself as a heat map, a table and text, with odd tokens harmless", async () => {
    const model = await loadModel("tiny-world");
    const [pair] = ioi({ count: 1, seed: 3 }) as [IoiPrompt];
    const sweep = await activationPatching(model, {
      ...pair,
      metric: taskMetric([pair]),
      at: "resid_pre",
      over: ["layer", "pos"],
    });
    const { nLayers } = model.config;
    assert.deepEqual(sweep.labels, [
      Array.from({ length: nLayers }, (_, i) => String(i)),
      model.toStrTokens(pair.clean),
    ]);
    assert.match(await sweep.plot().toSVG(), /^<svg/);
    const [first] = sweep.top(1);
    assert.equal(first!.metric, sweep.metric.get(...(first!.index as [number, number])));
    const { rows, ...table } = sweep.table(3);
    assert.equal(rows.length, 3);
    assert.match(
      String((table as { [displaySymbol](): MimeBundle })[displaySymbol]()["text/markdown"]),
      /^\| layer \| pos \| .* \|\n\| --- \| --- \| --- \| --- \|\n\| /,
    );
    const heads = await activationPatching(model, {
      ...pair,
      metric: taskMetric([pair]),
      at: "z",
      over: ["layer", "head", "pos"],
      positions: [-1],
    });
    assert.match(heads.plot().toText(), /0 · 0/);
    const many = new Sweep({
      ...sweep,
      values: tensor(new Float32Array(70_000).fill(1), [70, 1000]),
      metric: tensor(new Float32Array(70_000).fill(1), [70, 1000]),
      points: Array.from({ length: 70_000 }, () => ""),
      labels: [Array.from({ length: 70 }, String), Array.from({ length: 1000 }, (_, i) => `<b>${i}|`)],
    });
    const shown = (await many[displaySymbol]()) as Record<string, string>;
    assert.match(shown["text/markdown"]!, /\\<b\\>0\\\|/);
    const layers = await activationPatching(model, {
      ...pair,
      metric: taskMetric([pair]),
      at: "mlp_out",
      over: ["layer"],
    });
    assert.match(await layers.plot().toSVG(), /^<svg/);
  });
});

const logDiffOf = ({ config }: Model): ReturnType<typeof logitDiff> =>
  logitDiff({ correct: 1, incorrect: config.dVocab - 1 });
