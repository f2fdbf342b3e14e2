import { logitDiff, type Metric, probDiff } from "../model/index.js";

/** A prompt, a corrupted prompt that differs from it in what matters, and what may follow. */
export interface Prompt {
  /** The prompt. */
  readonly clean: string;
  /** A prompt with as many words in the same places, to which another answer belongs. */
  readonly corrupt: string;
  /** What follows the clean prompt, with the space before it where one belongs. */
  readonly answer: string;
  /** What follows the corrupt prompt. */
  readonly wrongAnswer: string;
}

/** A prompt that several tokens may follow. */
export interface ChoicePrompt {
  /** The prompt. */
  readonly clean: string;
  /** A prompt with as many words in the same places, to which other answers belong. */
  readonly corrupt: string;
  /** All that may follow the clean prompt. */
  readonly answers: readonly string[];
  /** What may not. */
  readonly wrongAnswers: readonly string[];
}

/**
 * The metric of some prompts: the mean logit difference between right and wrong answer (Wang et al. 2022), or where there
 * are several of each, the mean difference of their probabilities (Hanna et al. 2023).
 *
 * @throws Error where no prompts came, or prompts of both kinds.
 * @example
 * ```ts
 * const prompts = ioi({ count: 8 });
 * await model.metric(prompts.map(({ clean }) => clean), taskMetric(prompts)); // such as 8.1
 * ```
 */
export function taskMetric(prompts: readonly (Prompt | ChoicePrompt)[]): Metric {
  if (prompts.length === 0) throw new Error("A metric of prompts needs a prompt at least; none came.");
  const choices = prompts.filter((prompt) => "answers" in prompt);
  if (choices.length === 0) {
    const single = prompts as readonly Prompt[];
    return logitDiff({
      correct: single.map(({ answer }) => answer),
      incorrect: single.map(({ wrongAnswer }) => wrongAnswer),
    });
  }
  if (choices.length < prompts.length)
    throw new Error(
      "Prompts with one answer and prompts with several have different metrics: take them separately.",
    );
  return probDiff({
    correct: choices.map(({ answers }) => answers),
    incorrect: choices.map(({ wrongAnswers }) => wrongAnswers),
  });
}

/** What every prompt generator of the world takes. */
export interface TaskOptions {
  /** How many prompts. Default 100. */
  count?: number;
  /** A whole number or a text; the same seed gives the same prompts. Default 0. */
  seed?: number | string;
  /** Combinations that the training text never has (default), or those that it has. */
  split?: "heldOut" | "train";
}

/** The options with their defaults. @throws RangeError where the count is not a whole number from 1 on. */
export function taskOptions({ count = 100, seed = 0, split = "heldOut" }: TaskOptions): {
  count: number;
  seed: number | string;
  heldOut: boolean;
} {
  if (!Number.isSafeInteger(count) || count < 1)
    throw new RangeError(`A task takes a count from 1 on; ${count} came.`);
  if (split !== "heldOut" && split !== "train")
    throw new TypeError(`A split is "heldOut" or "train"; "${split}" came.`);
  return { count, seed, heldOut: split === "heldOut" };
}
