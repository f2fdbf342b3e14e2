import { randomGenerator } from "../array/index.js";
import { type ChoicePrompt, type TaskOptions, taskOptions } from "./prompt.js";
import { promptBefore } from "./tiny-world/form.js";
import { twoDigits } from "./tiny-world/lexicon/things.js";
import { drawSpan, spanForms } from "./tiny-world/passages/history.js";
import { slotClasses } from "./tiny-world/slots.js";

/** A prompt whose continuation is a year above another. */
export interface GreaterThanPrompt extends ChoicePrompt {
  /** The two digits of the beginning, as a number. */
  readonly begin: number;
}

/**
 * Years that must be greater (Hanna et al. 2023, "How does GPT-2 compute greater-than?"). Answers are all pairs of
 * digits above the beginning, wrong answers all others; the corrupt prompt begins in the year 01, after which every year is
 * possible.
 *
 * @example
 * ```ts
 * greaterThan({ count: 1 })[0].clean; // such as "The war lasted from the year 1732 to the year 17"
 * ```
 */
export function greaterThan(options: TaskOptions = {}): GreaterThanPrompt[] {
  const { count, seed, heldOut } = taskOptions(options);
  const random = randomGenerator(seed).fork("greater-than");
  // Forms that go on after the end year are left out: they would do as well, but read oddly as prompts.
  const endings = spanForms.filter(({ template }) => template.endsWith("{C}{F:year}."));
  return Array.from({ length: count }, () => {
    let span = drawSpan(random, heldOut);
    while (span.begin === 1) span = drawSpan(random, heldOut);
    const { event, century, begin } = span;
    const form = random.choice(endings);
    const values = { E: event, C: century, T: random.choice(slotClasses.town) };
    const write = (year: number): string => promptBefore(form, "F", { ...values, B: twoDigits[year]! });
    return {
      clean: write(begin),
      corrupt: write(1),
      begin,
      answers: twoDigits.slice(begin + 1),
      wrongAnswers: twoDigits.slice(0, begin + 1),
    };
  });
}
