import assert from "node:assert/strict";
import { join } from "node:path";
import { type NpyArray, npyToTensor, randomGenerator, readNpz, type Tensor } from "../../src/array/index.js";
import {
  ablate,
  ablationSweep,
  attributionPatching,
  causalTracing,
  crossEntropy,
  type Edit,
  loadModel,
  logitDiff,
  logProb,
  type Model,
  patch,
  pathPatching,
  type Receiver,
} from "../../src/index.js";
import { facts } from "../../src/tasks/index.js";
import { fixture, sharedOrSkip } from "../shared.js";

const draw = (seed: string, { config }: Model, rows: number, length: number): number[][] => {
  const random = randomGenerator(seed);
  return Array.from({ length: rows }, () => Array.from({ length }, () => random.integer(config.dVocab)));
};

function close(actual: number, expected: number, tolerance = 1e-5): void {
  assert.ok(
    Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)),
    `${actual}, not ${expected}`,
  );
}

function closeAll(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < actual.length; i++) close(actual[i]!, expected[i]!);
}

/** The tables of the trained stories260K. */
async function reference(test: Mocha.Context): Promise<{ model: Model; expected: (name: string) => Tensor }> {
  const folder = sharedOrSkip(test, "golden", "models", "stories260K-analyses");
  const model = await loadModel(sharedOrSkip(test, "data", "models", "stories260K"));
  const arrays = await readNpz(join(folder, "analyses.npz"));
  return { model, expected: (name) => npyToTensor(arrays.get(name) as NpyArray) };
}

function agrees(actual: Tensor, expected: Tensor): void {
  assert.deepEqual(actual.shape, expected.shape);
  const largest = expected.data.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  actual.data.forEach((value, i) => {
    const difference = Math.abs(value - expected.data[i]!);
    assert.ok(difference < 1e-4 * Math.max(largest, 1e-3), `${value}, not ${expected.data[i]}`);
  });
}

describe("ablation sweeps", () => {
  it("agree with the reference on the trained stories260K", async function () {
    const { model, expected } = await reference(this);
    const [correct, incorrect] = [...expected("metric_ids").data] as [number, number];
    const clean = [...expected("clean.tokens").data];
    const sentence = [...expected("sentence.tokens").data];
    const metric = logitDiff({ correct, incorrect });
    for (const replacement of ["zero", "mean"] as const) {
      const difference = await ablationSweep(model, clean, { metric, replacement, source: sentence });
      agrees(difference.values, expected(`ablation.${replacement}.logit_diff`));
      close(difference.base, expected("ablation.base").data[0]!);
      const loss = await ablationSweep(model, sentence, { metric: crossEntropy(), replacement });
      agrees(loss.values, expected(`ablation.${replacement}.sentence_loss`));
    }
  });

  it("replace by zero, mean, other prompts or noise what a plain run with that edit replaces", async () => {
    const model = await loadModel(fixture("models", "llama"));
    const [input, other] = [draw("a", model, 3, 6), draw("b", model, 3, 6)];
    const metric = logProb({ token: [1, 2, 3] });
    const { cache } = await model.runWithCache(other);
    const plain = async (
      edit: (point: [string, number], head: number) => Edit,
      at = "z",
    ): Promise<number[]> => {
      const values: number[] = [];
      for (let layer = 0; layer < model.config.nLayers; layer++)
        for (let head = 0; head < model.config.nHeads; head++)
          values.push(await model.metric(input, metric, { edits: [edit([at, layer], head)] }));
      return values;
    };
    const compare = async (
      options: object,
      edit: (point: [string, number], head: number) => Edit,
    ): Promise<void> => {
      const { values } = await ablationSweep(model, input, { metric, ...options });
      closeAll(values.data, await plain(edit));
    };
    await compare({}, (point, head) => ablate(point, { head }));
    await compare({ replacement: "mean", source: other }, (point, head) =>
      ablate(point, { head, mode: "mean", source: cache }),
    );
    await compare({ replacement: "mean" }, (point, head) => ablate(point, { head, mode: "mean" }));
    await compare({ replacement: "resample", source: other }, (point, head) => patch(point, cache, { head }));
    const overPrompts = await ablationSweep(model, input, {
      metric,
      replacement: "mean",
      meanOver: "prompts",
      source: [other[0]!, other[0]!, other[0]!],
    });
    const { cache: first } = await model.runWithCache([other[0]!]);
    closeAll(overPrompts.values.data, await plain((point, head) => patch(point, first, { head })));

    const noisy = (seed: number): Promise<Tensor> =>
      ablationSweep(model, input, { metric, replacement: "noise", noise: 1, seed }).then(
        ({ values }) => values,
      );
    assert.deepEqual(await noisy(1), await noisy(1));
    assert.notDeepEqual(await noisy(1), await noisy(2));
    agrees(
      (
        await ablationSweep(model, input, {
          metric,
          replacement: "noise",
          noise: 0,
          at: "mlp_out",
          over: ["layer"],
        })
      ).values,
      {
        ...(await ablationSweep(model, input, { metric, at: "mlp_out", over: ["layer"] })).values,
        data: new Float32Array(model.config.nLayers).fill(await model.metric(input, metric)),
      } as Tensor,
    );
    const resampled = await ablationSweep(model, input, { metric, replacement: "resample", seed: 4 });
    assert.ok(resampled.values.data.every(Number.isFinite));
    await assert.rejects(
      ablationSweep(model, [input[0]!], { metric: logProb({ token: 1 }), replacement: "resample" }),
      /there is one prompt: give others as `source`/,
    );
    await assert.rejects(
      ablationSweep(model, input, { metric, replacement: "resample", source: [other[0]!] }),
      /3 clean prompts and 1 source ones/,
    );
  });

  it("leave padding out of a mean", async () => {
    const model = await loadModel(fixture("models", "gpt2"));
    const [[long], [short]] = [draw("long", model, 1, 7), draw("short", model, 1, 4)] as [
      [number[]],
      [number[]],
    ];
    const metric = logProb({ token: [1, 2] });
    const { values } = await ablationSweep(model, [long, short], {
      metric,
      replacement: "mean",
      at: "mlp_out",
      over: ["layer"],
    });
    for (let layer = 0; layer < model.config.nLayers; layer++) {
      const rows = await Promise.all(
        [long, short].map((row) => model.runWithCache([row], { names: [["mlp_out", layer]] })),
      );
      const { dModel } = model.config;
      const mean = new Float32Array(dModel);
      for (const { cache } of rows)
        cache.get("mlp_out", layer).data.forEach((x, i) => {
          mean[i % dModel]! += x / (long.length + short.length);
        });
      const value = await model.metric([long, short], metric, {
        edits: [ablate(["mlp_out", layer], { mode: "mean", source: mean })],
      });
      close(values.data[layer]!, value);
    }
  });
});

describe("causal tracing", () => {
  it("agrees with the reference on the trained stories260K", async function () {
    const { model, expected } = await reference(this);
    const clean = [...expected("clean.tokens").data];
    const subject = [...expected("tracing.subject_positions").data];
    const options = {
      subject,
      noise: expected("tracing.noise"),
      answer: expected("tracing.answer_id").data[0]!,
    };
    for (const [name, at] of [
      ["hidden", "resid_post"],
      ["mlp", "mlp_out"],
      ["attn", "attn_out"],
    ] as const)
      for (const window of [1, 2]) {
        const trace = await causalTracing(model, clean, { ...options, at, window });
        agrees(trace.values, expected(`tracing.${name}.window_${window}`));
        close(trace.clean!, expected("tracing.clean_prob").data[0]!);
        close(trace.base, expected("tracing.corrupt_prob").data[0]!);
      }
  });

  it("finds the subject in the text, and the answer that the model gives", async () => {
    const model = await loadModel("tiny-world");
    const [fact] = facts({ count: 1, seed: 2 }) as [ReturnType<typeof facts>[number]];
    const trace = await causalTracing(model, fact.clean, { subject: fact.subject, samples: 3, seed: 1 });
    assert.deepEqual(trace.labels[1], model.toStrTokens(fact.clean));
    assert.deepEqual(
      (await causalTracing(model, fact.clean, { subject: fact.subject, samples: 3, seed: 1 })).values,
      trace.values,
    );
    const words = trace.labels[1]!.flatMap((token, pos) =>
      fact.subject.includes(token.trim()) && token.trim() ? [pos] : [],
    );
    const byPosition = await causalTracing(model, fact.clean, { subject: words, samples: 3, seed: 1 });
    assert.deepEqual(byPosition.values, trace.values);
    // Restored everywhere in the first layers, the run is the clean one.
    assert.ok(trace.clean! > trace.base);
    await assert.rejects(
      causalTracing(model, fact.clean, { subject: "Nobody" }),
      /The subject "Nobody" is not in the prompt/,
    );
    await assert.rejects(
      causalTracing(model, fact.clean, { subject: [99] }),
      /The subject is at position 99, but the prompt has/,
    );
    await assert.rejects(causalTracing(model, fact.clean, { subject: [] }), /has no positions/);
    await assert.rejects(
      causalTracing(model, [1, 2, 3], { subject: "a" }),
      /prompt came as token ids; give the positions/,
    );
    await assert.rejects(causalTracing(model, fact.clean, { subject: [1], samples: 0 }), /samples is 0/);
    await assert.rejects(causalTracing(model, fact.clean, { subject: [1], window: 0 }), /window is 0/);
  });
});

describe("attribution patching", () => {
  it("agrees with the reference on the trained stories260K", async function () {
    const { model, expected } = await reference(this);
    const [correct, incorrect] = [...expected("metric_ids").data] as [number, number];
    const task = {
      clean: [...expected("clean.tokens").data],
      corrupt: [...expected("corrupt.tokens").data],
      metric: logitDiff({ correct, incorrect }),
    };
    const residual = await attributionPatching(model, { ...task, at: "resid_pre", over: ["layer", "pos"] });
    agrees(residual.values, expected("attribution_patching.resid_pre"));
    const heads = await attributionPatching(model, { ...task, at: "z", over: ["layer", "head"] });
    agrees(heads.values, expected("attribution_patching.head_out"));
    close(heads.metric.data[3]! - heads.base, heads.values.data[3]!, 1e-4);
  });

  it("is exact for what the metric is linear in, over batches of padded prompts too", async () => {
    const model = await loadModel(fixture("models", "gpt2"));
    const clean = [draw("a", model, 1, 7)[0]!, draw("b", model, 1, 5)[0]!];
    const corrupt = [draw("c", model, 1, 7)[0]!, draw("d", model, 1, 5)[0]!];
    const metric = logitDiff({ correct: [1, 2], incorrect: [3, 4] });
    const sweep = await attributionPatching(model, {
      clean,
      corrupt,
      metric,
      at: "z",
      over: ["head", "layer"],
    });
    const { value, cache: slopes } = await model.gradients(corrupt, metric, [["z", 2]]);
    const [from, to] = await Promise.all(
      [corrupt, clean].map((prompt) => model.runWithCache(prompt, { names: [["z", 2]] })),
    );
    const { nHeads, dHead } = model.config;
    let sum = 0;
    slopes.get("z", 2).data.forEach((slope, i) => {
      if (Math.floor(i / dHead) % nHeads === 1)
        sum += slope * (to!.cache.get("z", 2).data[i]! - from!.cache.get("z", 2).data[i]!);
    });
    close(sweep.values.get(1, 2), sum);
    close(sweep.base, value);
  });
});

describe("path patching", () => {
  /** One sender by plain runs: everything frozen but what lies on direct paths. */
  async function plainly(
    model: Model,
    {
      clean,
      corrupt,
      metric,
    }: { clean: number[][]; corrupt: number[][]; metric: ReturnType<typeof logProb> },
    [layer, head]: readonly [number, number],
    receivers: readonly Receiver[],
    through: "mlps" | "none",
  ): Promise<number> {
    const { cache: base } = await model.runWithCache(clean);
    const { cache: other } = await model.runWithCache(corrupt);
    const everywhere = clean[0]!.map((_, pos) => pos);
    const edits = Array.from({ length: model.config.nLayers }, (_, l): Edit[] => [
      patch(["z", l], base, { pos: everywhere }),
      ...(l === layer ? [patch(["z", l], other, { head })] : []),
      ...(through === "none" ? [patch(["mlp_out", l], base, { pos: everywhere })] : []),
    ]).flat();
    const names = receivers.map(({ at, layer }) => [at, layer] as const);
    const { cache } = await model.runWithCache(clean, { edits, names });
    const received = receivers.map(({ at, layer, head, pos }) => patch([at, layer], cache, { head, pos }));
    return model.metric(clean, metric, { edits: received });
  }

  for (const family of ["gpt2", "llama", "gpt_neox", "gemma2"])
    it(`agrees with two plain runs a sender on ${family}`, async () => {
      const model = await loadModel(fixture("models", family));
      const task = {
        clean: draw("a", model, 2, 6),
        corrupt: draw("b", model, 2, 6),
        metric: logProb({ token: [1, 2] }),
      };
      const last = model.config.nLayers - 1;
      const targets: Receiver[][] = [
        [{ at: "resid_post", layer: last }],
        [
          { at: "q", layer: last, head: 1 },
          { at: "v", layer: last, head: 1 },
          { at: "k", layer: last - 1, head: 0, pos: 3 },
        ],
        [{ at: "mlp_in", layer: last }],
      ];
      for (const through of ["mlps", "none"] as const)
        for (const receivers of targets) {
          if (
            !receivers.every(({ at, layer }) =>
              model.hookNames.some(
                (name) => name.startsWith(`blocks.${layer}.`) && name.endsWith(`hook_${at}`),
              ),
            )
          )
            continue;
          const sweep = await pathPatching(model, { ...task, receivers, through, normalize: false });
          assert.deepEqual(sweep.values.shape, [model.config.nLayers, model.config.nHeads]);
          for (const sender of [
            [0, 1],
            [1, 0],
            [last, 0],
          ] as const)
            close(sweep.metric.get(...sender), await plainly(model, task, sender, receivers, through));
        }
    }).timeout(60_000);

  it("leaves the run alone where there is no path, and says what it is missing", async () => {
    const model = await loadModel(fixture("models", "gpt2"));
    const task = {
      clean: draw("a", model, 1, 6),
      corrupt: draw("b", model, 1, 6),
      metric: logProb({ token: 1 }),
    };
    await assert.rejects(
      pathPatching(model, { ...task, corrupt: task.clean }),
      /are the same, so patching changes nothing/,
    );
    await assert.rejects(pathPatching(model, { ...task, receivers: [] }), /needs a receiver at least/);
    const nameless = [{ layer: 1 } as never];
    await assert.rejects(pathPatching(model, { ...task, receivers: nameless }), /names its point as `at`/);
    await assert.rejects(
      pathPatching(model, { ...task, receivers: [{ at: "q", layer: 9 }] }),
      /There is no point/,
    );
    // A head of the last layer has no direct path to the queries of that layer or before: nothing changes.
    const none = await pathPatching(model, { ...task, receivers: [{ at: "q", layer: 0 }], normalize: false });
    const base = await model.metric(task.clean, task.metric);
    for (const value of none.metric.data) close(value, base);
    const denoised = await pathPatching(model, {
      ...task,
      direction: "denoising",
      at: "mlp_out",
      over: ["layer"],
    });
    assert.ok(denoised.values.data.every(Number.isFinite));
  });
});
