import { randomGenerator } from "../array/index.js";
import { type Prompt, type TaskOptions, taskOptions } from "./prompt.js";
import { drawReview } from "./tiny-world/passages/reviews.js";

/**
 * Reviews and their verdicts. The corrupt prompt is the same review with praise for blame and blame for praise, word for
 * word.
 *
 * @example
 * ```ts
 * sentiment({ count: 1 })[0];
 * // { clean: "Review of the inn: The soup was fresh. Verdict:", answer: " good", wrongAnswer: " bad", … }
 * ```
 */
export function sentiment(options: TaskOptions = {}): Prompt[] {
  const { count, seed, heldOut } = taskOptions(options);
  const random = randomGenerator(seed).fork("sentiment");
  return Array.from({ length: count }, () => {
    const { text, opposite, good } = drawReview(random, heldOut);
    return {
      clean: `${text} Verdict:`,
      corrupt: `${opposite} Verdict:`,
      answer: good ? " good" : " bad",
      wrongAnswer: good ? " bad" : " good",
    };
  });
}

/** A review as a whole, for classifiers. */
export interface LabelledReview {
  /** The review without its heading and its verdict. */
  readonly text: string;
  readonly label: "good" | "bad";
}

/**
 * Reviews and what they come to, for classifiers.
 *
 * @example
 * ```ts
 * labelledReviews({ count: 1 })[0]; // such as { text: "The day was cold. We found the soup fresh.", label: "good" }
 * ```
 */
export function labelledReviews(options: TaskOptions = {}): LabelledReview[] {
  const { count, seed, heldOut } = taskOptions(options);
  const random = randomGenerator(seed).fork("reviews");
  return Array.from({ length: count }, () => {
    const { text, good } = drawReview(random, heldOut);
    return { text: text.replace(/^Review of the \p{L}+: /u, ""), label: good ? "good" : "bad" };
  });
}
