/** What tiny-world can do, phenomenon by phenomenon, on prompts that its training text never had. */

import { randomGenerator, softmax, type Tensor } from "../../src/array/index.js";
import { activationDifference, type HeadScores, headScores, probe } from "../../src/methods/index.js";
import { add, type Model } from "../../src/model/index.js";
import {
  docstring,
  facts,
  genderedPronouns,
  greaterThan,
  ioi,
  onTopic,
  type Prompt,
  refusal,
  sentiment,
  subjectVerbAgreement,
  tinyWorld,
  topic,
} from "../../src/tasks/index.js";

/** A measured number with the interval in which it lies with a probability of 95 %. */
export interface Measured {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** How many prompts it was measured on. */
  readonly count: number;
}

/** How a phenomenon is measured. */
export interface MeasureOptions {
  /** Prompts, at least. */
  readonly count: number;
  readonly seed: number | string;
  readonly split?: "heldOut" | "train";
}

/** One line of the table. */
export interface Evaluation {
  readonly phenomenon: string;
  /** What the number is, such as `"accuracy"`. */
  readonly measure: string;
  /** What must be reached: at least or at most this. */
  readonly atLeast?: number;
  readonly atMost?: number;
  /** False where the model is known to stay a little below that. */
  readonly reached?: false;
  readonly run: (model: Model, options: MeasureOptions) => Promise<Measured>;
}

/** A share of successes with Wilson's interval (Wilson 1927). */
export function share(successes: readonly boolean[]): Measured {
  const n = successes.length;
  const p = successes.filter(Boolean).length / n;
  const z = 1.96;
  const middle = (p + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  return { value: p, low: middle - half, high: middle + half, count: n };
}

/** A mean with the interval of the normal distribution. */
export function mean(values: readonly number[]): Measured {
  const n = values.length;
  const value = values.reduce((a, b) => a + b, 0) / n;
  const variance = values.reduce((sum, x) => sum + (x - value) ** 2, 0) / Math.max(1, n - 1);
  const half = 1.96 * Math.sqrt(variance / n);
  return { value, low: value - half, high: value + half, count: n };
}

/** Any statistic of a sample with the interval of a seeded bootstrap (Efron 1979). */
export function bootstrap<Item>(
  items: readonly Item[],
  statistic: (sample: Item[]) => number,
  seed: number | string,
): Measured {
  const random = randomGenerator(seed).fork("bootstrap");
  const samples = Array.from({ length: 1000 }, () =>
    statistic(items.map(() => items[random.integer(items.length)]!)),
  ).sort((a, b) => a - b);
  return { value: statistic([...items]), low: samples[25]!, high: samples[974]!, count: items.length };
}

function correlation(pairs: readonly (readonly [number, number])[]): number {
  const average = (i: 0 | 1): number => pairs.reduce((sum, pair) => sum + pair[i], 0) / pairs.length;
  const [a, b] = [average(0), average(1)];
  let [ab, aa, bb] = [0, 0, 0];
  for (const [x, y] of pairs) {
    ab += (x - a) * (y - b);
    aa += (x - a) ** 2;
    bb += (y - b) ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

/** The logits after each text, `[dVocab]` each. */
async function lastLogits(
  model: Model,
  prompts: readonly { readonly clean: string }[],
  prependBos = false,
): Promise<Tensor[]> {
  const texts = prompts.map(({ clean }) => model.toTokens(clean, { prependBos }));
  const rows: Tensor[] = [];
  for (let from = 0; from < texts.length; from += 64) {
    const logits = await model.forward(texts.slice(from, from + 64), { logits: "last" });
    for (let row = 0; row < logits.shape[0]!; row++) rows.push(logits.pick(row, 0, null) as Tensor);
  }
  return rows;
}

function argmax(logits: Tensor): number {
  let best = 0;
  for (let id = 1; id < logits.shape[0]!; id++) if (logits.get(id) > logits.get(best)) best = id;
  return best;
}

type Task = (options: MeasureOptions) => readonly Prompt[];

/** Whether the answer is the likeliest of all tokens. */
const accuracy =
  (task: Task, { prependBos = false } = {}) =>
  async (model: Model, options: MeasureOptions): Promise<Measured> => {
    const prompts = task(options);
    const logits = await lastLogits(model, prompts, prependBos);
    return share(logits.map((row, i) => argmax(row) === model.toSingleToken(prompts[i]!.answer)));
  };

/** Whether the answer is likelier than the wrong answer. */
const preference =
  (task: Task) =>
  async (model: Model, options: MeasureOptions): Promise<Measured> =>
    share((await logitDifferences(model, task(options))).map((difference) => difference > 0));

const meanLogitDifference =
  (task: Task) =>
  async (model: Model, options: MeasureOptions): Promise<Measured> =>
    mean(await logitDifferences(model, task(options)));

async function logitDifferences(model: Model, prompts: readonly Prompt[]): Promise<number[]> {
  const logits = await lastLogits(model, prompts);
  return logits.map(
    (row, i) =>
      row.get(model.toSingleToken(prompts[i]!.answer)) -
      row.get(model.toSingleToken(prompts[i]!.wrongAnswer)),
  );
}

async function greaterThanMass(model: Model, options: MeasureOptions): Promise<Measured> {
  const prompts = greaterThan(options);
  const logits = await lastLogits(model, prompts);
  return mean(
    logits.map((row, i) => {
      const probabilities = softmax(row);
      const mass = (texts: readonly string[]): number =>
        texts.reduce((sum, text) => sum + probabilities.get(model.toSingleToken(text)), 0);
      return mass(prompts[i]!.answers) - mass(prompts[i]!.wrongAnswers);
    }),
  );
}

/**
 * The correlation, over occupations, of their planted rate of "she" with the mean probability of "she" among "she" and "he";
 * prompts are drawn anew for the interval.
 */
async function pronounRates(model: Model, options: MeasureOptions): Promise<Measured> {
  const prompts = genderedPronouns(options);
  const logits = await lastLogits(model, prompts);
  const [she, he] = [model.toSingleToken(" she"), model.toSingleToken(" he")];
  const items = logits.map((row, i) => ({
    rate: prompts[i]!.sheRate,
    probability: 1 / (1 + Math.exp(row.get(he) - row.get(she))),
  }));
  const overOccupations = (sample: typeof items): number => {
    const byRate = new Map(sample.map(({ rate }) => [rate, sample.filter((item) => item.rate === rate)]));
    return correlation(
      [...byRate].map(([rate, group]) => [rate, mean(group.map(({ probability }) => probability)).value]),
    );
  };
  return bootstrap(items, overOccupations, options.seed);
}

const tokens = (model: Model): number[] =>
  Array.from({ length: model.config.dVocab }, (_, id) => id).filter((id) => id !== model.config.bosToken);

/** Sequences of one scoring of heads. */
const SEQUENCES = 50;

/** What scoring heads gives, several times with sequences of their own. */
async function overSequences(
  model: Model,
  { count, seed }: MeasureOptions,
  read: (scores: HeadScores) => number,
): Promise<Measured> {
  const random = randomGenerator(seed);
  const values: number[] = [];
  while (values.length * SEQUENCES < count) {
    const scores = await headScores(model, {
      batch: SEQUENCES,
      length: 25,
      vocabulary: tokens(model),
      seed: random.integer(2 ** 31),
    });
    values.push(read(scores));
  }
  return { ...mean(values), count: values.length * SEQUENCES };
}

const named: Task = (options) => genderedPronouns({ ...options, named: true });

/**
 * Probes of a review's verdict at each residual stream, fitted on as many reviews as they are tested on: half of them are
 * the others with praise and blame exchanged, so that lengths tell nothing.
 */
async function verdictProbes(model: Model, { count, seed }: MeasureOptions): Promise<number[]> {
  const prompts = sentiment({ count, seed });
  const good = prompts.map(({ answer }) => answer === " good");
  const { values } = await probe(
    model,
    prompts.flatMap(({ clean, corrupt }) => [clean, corrupt]),
    { labels: good.flatMap((one) => (one ? [1, 0] : [0, 1])), trainShare: 0.5, c: 0.1 },
  );
  return Array.from(values.data);
}

/** A probe's accuracy on `count` reviews. */
function ofReviews(accuracy: number, count: number): Measured {
  return share(Array.from({ length: count }, (_, i) => i < Math.round(accuracy * count)));
}

async function refusalAccuracy(model: Model, options: MeasureOptions): Promise<Measured> {
  const prompts = refusal(options);
  const logits = await lastLogits(model, prompts);
  return share(logits.map((row, i) => prompts[i]!.answers.includes(model.tokenText(argmax(row)))));
}

/** Where and how strongly stories are steered to Duskmere; chosen on other stories than those of the table. */
export const duskmereSteering: Readonly<
  Record<"layer" | "coefficient" | "newTokens" | "temperature", number>
> = { layer: 1, coefficient: 1.3, newTokens: 40, temperature: 0.7 };

/** Continuations of stories, steered to Duskmere or not. */
export async function continuedStories(
  model: Model,
  { count, seed }: MeasureOptions,
  settings: Partial<typeof duskmereSteering> & { readonly coefficient: number },
): Promise<string[]> {
  const { layer, coefficient, newTokens, temperature } = { ...duskmereSteering, ...settings };
  const point = `blocks.${layer}.hook_resid_pre`;
  // The direction is made of stories of its own.
  const pairs = topic({ count: 100, seed: "direction to Duskmere" });
  const vector = await activationDifference(
    model,
    pairs.map(({ about }) => about),
    pairs.map(({ plain }) => plain),
    point,
    { positions: "all" },
  );
  const prompts = topic({ count, seed }).map(({ prompt }) => prompt);
  const texts: string[] = [];
  for (let from = 0; from < count; from += 100) {
    const some = prompts.slice(from, from + 100);
    const { text } = await model.generate(some, {
      maxNewTokens: newTokens,
      temperature,
      seed: some.map((_, i) => from + i),
      edits: [add(point, vector, { coefficient })],
    });
    texts.push(...text.map((whole, i) => whole.slice(some[i]!.length).trimStart()));
  }
  return texts;
}

const topicRate =
  (coefficient: number) =>
  async (model: Model, options: MeasureOptions): Promise<Measured> =>
    share((await continuedStories(model, options, { coefficient })).map(onTopic));

async function steeredGrammar(model: Model, options: MeasureOptions): Promise<Measured> {
  const texts = await continuedStories(model, options, { coefficient: duskmereSteering.coefficient });
  return mean(texts.map(tinyWorld.grammaticalShare));
}

/** The whole table. */
export const evaluations: readonly Evaluation[] = [
  {
    phenomenon: "induction, all tokens at random",
    measure: "score of the best head",
    atLeast: 0.9,
    run: (model, options) => overSequences(model, options, (scores) => scores.top("induction", 1)[0]!.score),
  },
  {
    phenomenon: "induction, all tokens at random",
    measure: "loss of the second half over that of the first",
    atMost: 0.3,
    run: (model, options) => overSequences(model, options, ({ loss }) => loss.second / loss.first),
  },
  { phenomenon: "indirect object", measure: "accuracy", atLeast: 0.99, reached: false, run: accuracy(ioi) },
  {
    phenomenon: "indirect object, behind the token that begins documents",
    measure: "accuracy",
    atLeast: 0.99,
    run: accuracy(ioi, { prependBos: true }),
  },
  {
    phenomenon: "indirect object",
    measure: "mean logit difference",
    atLeast: 3,
    run: meanLogitDifference(ioi),
  },
  {
    phenomenon: "greater-than",
    measure: "probability of later years less that of others",
    atLeast: 0.8,
    run: greaterThanMass,
  },
  { phenomenon: "facts, phrasing not trained", measure: "accuracy", atLeast: 0.99, run: accuracy(facts) },
  {
    phenomenon: "pronouns of occupations",
    measure: "correlation with the planted rates",
    atLeast: 0.9,
    run: pronounRates,
  },
  { phenomenon: "pronouns of named people", measure: "accuracy", atLeast: 0.95, run: accuracy(named) },
  { phenomenon: "verdict of a review", measure: "accuracy", atLeast: 0.95, run: accuracy(sentiment) },
  {
    phenomenon: "verdict of a review",
    measure: "best linear probe",
    atLeast: 0.95,
    run: async (model, options) =>
      ofReviews(Math.max(...(await verdictProbes(model, options))), options.count),
  },
  {
    phenomenon: "verdict of a review",
    measure: "linear probe of the last token's embedding and position",
    atMost: 0.6,
    run: async (model, options) => ofReviews((await verdictProbes(model, options))[0]!, options.count),
  },
  {
    phenomenon: "subject–verb agreement",
    measure: "right form likelier",
    atLeast: 0.98,
    run: preference(subjectVerbAgreement),
  },
  { phenomenon: "refusal", measure: "accuracy", atLeast: 0.95, run: refusalAccuracy },
  {
    phenomenon: "Duskmere, not steered",
    measure: "stories that come to it",
    atMost: 0.05,
    run: topicRate(0),
  },
  {
    phenomenon: "Duskmere, steered",
    measure: "stories that come to it",
    atLeast: 0.6,
    run: topicRate(duskmereSteering.coefficient),
  },
  {
    phenomenon: "Duskmere, steered",
    measure: "sentences in the world's grammar",
    atLeast: 0.9,
    run: steeredGrammar,
  },
  { phenomenon: "copied argument names", measure: "accuracy", atLeast: 0.95, run: accuracy(docstring) },
];
