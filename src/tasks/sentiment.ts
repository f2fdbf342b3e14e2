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
