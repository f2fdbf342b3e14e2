import { type Random, randomGenerator } from "../array/index.js";
import { type Prompt, type TaskOptions, taskOptions } from "./prompt.js";
import { type Form, fill, promptBefore } from "./tiny-world/form.js";
import { names } from "./tiny-world/lexicon/people.js";
import { distractors, drawPair, openings, sentences, transfers } from "./tiny-world/passages/ioi.js";
import { slotClasses } from "./tiny-world/slots.js";

/** Options of `ioi`. */
export interface IoiOptions extends TaskOptions {
  /** Which name comes first: the one that receives (`"ABBA"`), the one that gives (`"BABA"`), or either (default). */
  order?: "ABBA" | "BABA";
  /**
   * How the corrupt prompt differs: `"swap"` (default) lets the other person give, so that the answers change places;
   * `"abc"` has three other names, so that there is no answer.
   */
  corruption?: "swap" | "abc";
}

/** A prompt of indirect object identification. */
export interface IoiPrompt extends Prompt {
  /** Who receives: the answer. */
  readonly indirectObject: string;
  /** Who gives, and stands in the prompt twice. */
  readonly subject: string;
  readonly order: "ABBA" | "BABA";
  /** Which forms the prompt was made of. */
  readonly template: string;
}

/** An opening, unless the transfer has its own, and the transfer. */
interface Template {
  readonly opening: Form | undefined;
  readonly between: readonly Form[];
  readonly transfer: Form;
}

function drawTemplate(random: Random): Template {
  if (random.uniform() < 0.5) return { opening: undefined, between: [], transfer: random.choice(sentences) };
  const between = random.sample(distractors, random.weightedChoice([0, 1, 2], [5, 4, 1]));
  return { opening: random.choice(openings), between, transfer: random.choice(transfers) };
}

/** Values for the slots of opening and transfer but the names of the two. */
function drawRest({ opening, transfer }: Template, random: Random): Record<string, string> {
  const values: Record<string, string> = {};
  for (const part of [...(opening?.parts ?? []), ...transfer.parts]) {
    if (typeof part === "string" || part.class === "name") continue;
    values[part.name] ??= random.choice(
      slotClasses[part.class].filter((value) => !Object.values(values).includes(value)),
    );
  }
  return values;
}

/**
 * Indirect object identification (Wang et al. 2022, "Interpretability in the Wild: a Circuit for Indirect Object
 * Identification in GPT-2 small"): two people, one of whom gives something to — the other. In the forms of the world of
 * tiny-world, with other people and sentences between; all names are single tokens of GPT-2 as well.
 *
 * @returns Prompts that end before the receiver's name. `clean` and `corrupt` have the same words in the same places but
 * for names.
 * @example
 * ```ts
 * const [{ clean, answer, wrongAnswer }] = ioi({ count: 1, seed: 1 });
 * // "When Mary and John went to the store, John gave a drink to", " Mary", " John"
 * ```
 */
export function ioi(options: IoiOptions = {}): IoiPrompt[] {
  const { count, seed, heldOut } = taskOptions(options);
  const { order: wantedOrder, corruption = "swap" } = options;
  const random = randomGenerator(seed).fork("ioi");
  return Array.from({ length: count }, () => {
    const [indirectObject, subject] = drawPair(random, heldOut);
    const order = wantedOrder ?? random.choice(["ABBA", "BABA"] as const);
    const template = drawTemplate(random);
    const others = random.sample(
      names.filter((name) => name !== indirectObject && name !== subject),
      3,
    );
    const rest = drawRest(template, random);
    const { opening, between, transfer } = template;
    const taken = { a: indirectObject, b: subject, c: others[0]!, d: others[1]!, e: others[2]! };
    const distractions = between.map((distractor) => fill(distractor, taken, random));
    const write = (first: string, second: string, giver: string, receiver: string): string => {
      const values = { ...rest, X: first, Y: second, S: giver, I: receiver };
      const start = opening ? [fill(opening, values, random)] : [];
      return [...start, ...distractions, promptBefore(transfer, "I", values)].join(" ");
    };
    const pair: [string, string] = order === "ABBA" ? [indirectObject, subject] : [subject, indirectObject];
    const corrupt =
      corruption === "swap"
        ? write(...pair, indirectObject, subject)
        : write(others[0]!, others[1]!, others[2]!, others[1]!);
    return {
      clean: write(...pair, subject, indirectObject),
      corrupt,
      answer: ` ${indirectObject}`,
      wrongAnswer: ` ${subject}`,
      indirectObject,
      subject,
      order,
      template: [...(opening ? [opening] : []), ...between, transfer].map(({ id }) => id).join(" + "),
    };
  });
}
