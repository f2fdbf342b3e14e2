import assert from "node:assert/strict";
import {
  ablate,
  compositionScores,
  headScores,
  loadModel,
  type Model,
  patch,
  randomGenerator,
  softmax,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { type FactPrompt, facts, genderedPronouns, ioi, tinyWorld } from "../../src/tasks/index.js";

const text = (x: number): string => x.toFixed(2);

describe("the circuits of tiny-world, by plain hooks and edits", () => {
  let model: Model;

  before(async () => {
    model = await loadModel("tiny-world");
  });

  it("has heads of induction that read the keys made by heads that look at the token before", async () => {
    const scores = await headScores(model, { length: 25, batch: 30, seed: 3 });
    const induction = scores.top("induction", 2);
    const previous = scores.top("previousToken", 1)[0]!;
    const { values } = await compositionScores(model, "K");
    // Factors of random matrices with the shape of a head score 1/√dModel.
    const baseline = 1 / Math.sqrt(model.config.dModel);
    for (const { layer, head, score } of induction) {
      const composition = values.get(previous.layer, previous.head, layer, head);
      console.log(
        `      ${previous.layer}.${previous.head} (${text(previous.score)}) to ${layer}.${head} (${text(score)}): ${composition.toFixed(3)}, baseline ${baseline.toFixed(3)}`,
      );
      assert.ok(layer > previous.layer);
      assert.ok(composition > 1.1 * baseline);
    }
  });

  it("reads both of a subject's words, and recalls the fact in its last MLP at the end of the prompt", async () => {
    const { effects, kinds, corrupted } = await traceFacts(model, 40);
    console.log(`      probability after noise on the subject: ${text(corrupted)}`);
    for (const [what, byLayer] of effects)
      console.log(
        `      ${what}: ${byLayer.map((row) => row.map(text).join(" ")).join(" | ")} (${kinds.join(", ")}; layers)`,
      );
    const [FIRST, LAST, , END] = [0, 1, 2, 3];
    const mlps = effects.get("mlp_out")!;
    const streams = effects.get("resid_pre")!;
    for (const place of [FIRST, LAST]) assert.ok(streams[0]![place]! > 0.1, "each word carries some of it");
    const strongest = Math.max(...mlps.flat());
    assert.equal(mlps[model.config.nLayers - 1]![END], strongest);
    // Larger models have a second place, the MLPs at the subject's last token (Meng et al. 2022); here it is faint.
    assert.ok(mlps[0]![LAST]! > 0.03);
  });

  it("has heads that attend to the indirect object and write its name", async () => {
    const movers = await nameMovers(model, 100);
    for (const { name, direct, toObject, toSubject } of movers.slice(0, 3))
      console.log(
        `      ${name}: writes ${direct.toFixed(2)} towards the right name, looks ${text(toObject)} at it and ${text(toSubject)} at the other`,
      );
    const [first] = movers;
    assert.ok(first!.direct > 0);
    assert.ok(first!.toObject > 0.4 && first!.toObject > 1.5 * first!.toSubject);
  });

  it("keeps most of its bias about occupations in one head, which little else needs", async () => {
    const she = model.toSingleToken(" she");
    const he = model.toSingleToken(" he");
    const [search, judge] = [7, 8].map((seed) => genderedPronouns({ count: 300, seed }));
    /** The mean logit difference towards the more frequent pronoun of the occupation. */
    const bias = async (prompts: typeof search, edits: ReturnType<typeof ablate>[] = []): Promise<number> => {
      const logits = await model.forward(
        prompts!.map(({ clean }) => clean),
        { logits: "last", edits },
      );
      const towards = prompts!.map(
        ({ sheRate }, i) => Math.sign(sheRate - 0.5) * (logits.get(i, 0, she) - logits.get(i, 0, he)),
      );
      return towards.reduce((a, b) => a + b, 0) / towards.length;
    };
    const corpus = [...tinyWorld.corpus({ seed: "held out", tokens: 12_000 })]
      .map((one) => model.toTokens(one).slice(0, model.config.nCtx))
      .filter(({ length }) => length > 1);
    const whole = await bias(search);
    const loss = await model.loss(corpus);
    const heads: { layer: number; head: number; removed: number }[] = [];
    for (let layer = 0; layer < model.config.nLayers; layer++)
      for (let head = 0; head < model.config.nHeads; head++) {
        const edits = [ablate(["z", layer], { head, mode: "mean" })];
        heads.push({ layer, head, removed: whole - (await bias(search, edits)) });
      }
    heads.sort((a, b) => b.removed - a.removed);
    const strongest = heads.slice(0, 1);
    const edits = strongest.map(({ layer, head }) => ablate(["z", layer], { head, mode: "mean" }));
    const [before, after] = [await bias(judge), await bias(judge, edits)];
    const cost = (await model.loss(corpus, { edits })) / loss - 1;
    console.log(
      `      head ${strongest.map(({ layer, head }) => `${layer}.${head}`).join(", ")}: bias ${text(before)}, then ${text(after)}; loss + ${(100 * cost).toFixed(2)} %`,
    );
    assert.ok(after < 0.5 * before);
    assert.ok(cost < 0.01);
  });
});

type Kind = "mlp_out" | "attn_out" | "resid_pre";

/**
 * Causal tracing (Meng et al. 2022): noise of three standard deviations on the subject's embeddings, and the probability of
 * the answer that comes back when one clean state is restored: at the subject's first token, its last token, the token
 * behind it, and the last token.
 */
async function traceFacts(
  model: Model,
  count: number,
): Promise<{ effects: Map<Kind, number[][]>; kinds: readonly string[]; corrupted: number }> {
  const { nLayers, dModel } = model.config;
  const prompts = facts({ count: 4 * count, seed: 5 })
    .filter(({ subject, clean }) => subject.split(" ").length === 2 && !clean.endsWith(subject))
    .slice(0, count);
  const embeddings = model.weights.get("W_E").data as Float32Array;
  const deviation = 3 * Math.sqrt(embeddings.reduce((sum, x) => sum + x * x, 0) / embeddings.length);
  const random = randomGenerator("noise");
  const effects = new Map<Kind, number[][]>(
    (["mlp_out", "attn_out", "resid_pre"] as const).map((kind) => [
      kind,
      Array.from({ length: nLayers }, () => [0, 0, 0, 0]),
    ]),
  );
  let corrupted = 0;
  for (const prompt of prompts) {
    const tokens = model.toTokens(prompt.clean);
    const answer = model.toSingleToken(prompt.answer);
    const probability = async (edits: ReturnType<typeof patch>[]): Promise<number> => {
      const logits = await model.forward(tokens, { logits: "last", edits });
      return softmax(logits.pick(0, 0, null) as Tensor).get(answer);
    };
    const end = lastOfSubject(model, tokens, prompt);
    const { cache } = await model.runWithCache(tokens, { names: /hook_embed|_out$|resid_pre/ });
    const embedding = cache.get("hook_embed");
    const noisy = tensor(Float32Array.from(embedding.data), embedding.shape);
    for (const pos of [end - 1, end])
      for (let d = 0; d < dModel; d++)
        noisy.set(0, pos, d, embedding.get(0, pos, d) + deviation * random.normal());
    const noise = patch("hook_embed", noisy);
    const base = await probability([noise]);
    corrupted += base / prompts.length;
    for (const [kind, table] of effects)
      for (let layer = 0; layer < nLayers; layer++)
        for (const [column, pos] of [end - 1, end, end + 1, tokens.length - 1].entries()) {
          const restored = await probability([noise, patch([kind, layer], cache, { pos })]);
          table[layer]![column]! += (restored - base) / prompts.length;
        }
  }
  return { effects, kinds: ["first", "last of subject", "behind", "end"], corrupted };
}

function lastOfSubject(model: Model, tokens: readonly number[], { subject }: FactPrompt): number {
  const last = subject.split(" ").at(-1)!;
  return model.toStrTokens(tokens).findIndex((token) => token.trim() === last);
}

interface Mover {
  readonly name: string;
  /** Direct effect on the logit difference. */
  readonly direct: number;
  readonly toObject: number;
  readonly toSubject: number;
}

/** What each head writes, at the end of the prompt, towards the right name, and where it looks; largest first. */
async function nameMovers(model: Model, count: number): Promise<Mover[]> {
  const { nLayers, nHeads } = model.config;
  const heads = Array.from({ length: nLayers * nHeads }, (_, i) => ({
    name: `${Math.floor(i / nHeads)}.${i % nHeads}`,
    direct: 0,
    toObject: 0,
    toSubject: 0,
  }));
  for (const prompt of ioi({ count, seed: 4 })) {
    const words = model.toStrTokens(prompt.clean).map((token) => token.trim());
    const [object, subject] = [prompt.indirectObject, prompt.subject].map((name) => words.indexOf(name));
    const { cache } = await model.runWithCache(prompt.clean);
    const direct = cache.logitAttrs(cache.stackHeadResults({ pos: -1 }), {
      tokens: prompt.answer,
      incorrectTokens: prompt.wrongAnswer,
    });
    heads.forEach((entry, i) => {
      const pattern = cache.get("pattern", Math.floor(i / nHeads));
      entry.direct += direct.get(i, 0) / count;
      entry.toObject += pattern.get(0, i % nHeads, words.length - 1, object!) / count;
      entry.toSubject += pattern.get(0, i % nHeads, words.length - 1, subject!) / count;
    });
  }
  return heads.sort((a, b) => b.direct - a.direct);
}
