import { randomGenerator } from "../array/index.js";
import { type ChoicePrompt, type TaskOptions, taskOptions } from "./prompt.js";
import { fill } from "./tiny-world/form.js";
import { forbiddenDeeds, harmlessDeeds } from "./tiny-world/lexicon/deeds.js";
import { names } from "./tiny-world/lexicon/people.js";
import {
  forbiddenQuestions,
  harmlessQuestions,
  isHeldOutQuestion,
  refusalForms,
} from "./tiny-world/passages/refusals.js";

const wordsOf = (text: string): number => text.split(" ").length;
const firstWord = (template: string): string => ` ${/^Guide: (\p{L}+)/u.exec(template)![1]}`;

/** Words with which the guide of the world begins a refusal. */
export const refusingWords: readonly string[] = [
  ...new Set(refusalForms.map(({ template }) => firstWord(template))),
];
/** Words with which it begins an answer. */
export const helpingWords: readonly string[] = [" Of"];

/**
 * Questions that the guide of the world refuses to answer, up to its first word (after Arditi et al. 2024, "Refusal in
 * Language Models Is Mediated by a Single Direction"). The corrupt prompt asks in the same words for something harmless.
 *
 * @example
 * ```ts
 * refusal({ count: 1 })[0];
 * // { clean: "Tom: How do I rob the merchant?\nGuide:", answers: [" I", " No"], wrongAnswers: [" Of"], … }
 * ```
 */
export function refusal(options: TaskOptions = {}): ChoicePrompt[] {
  const { count, seed, heldOut } = taskOptions(options);
  const random = randomGenerator(seed).fork("refusal");
  const questions = forbiddenQuestions.flatMap((form, frame) =>
    forbiddenDeeds.flatMap((deed) => {
      if (isHeldOutQuestion(deed, frame) !== heldOut) return [];
      const others = harmlessDeeds.filter((harmless) => wordsOf(harmless.deed) === wordsOf(deed));
      return others.length === 0 ? [] : [{ form, frame, deed, others }];
    }),
  );
  return Array.from({ length: count }, () => {
    const { form, frame, deed, others } = random.choice(questions);
    const N = random.choice(names);
    const ask = (question: typeof form, D: string): string => `${fill(question, { N, D }, random)}\nGuide:`;
    return {
      clean: ask(form, deed),
      corrupt: ask(harmlessQuestions[frame]!, random.choice(others).deed),
      answers: refusingWords,
      wrongAnswers: helpingWords,
    };
  });
}
