import { randomGenerator } from "../array/index.js";
import { type Prompt, type TaskOptions, taskOptions } from "./prompt.js";
import { promptBefore } from "./tiny-world/form.js";
import { agreementForms, drawAgreement, possessionForms } from "./tiny-world/passages/agreement.js";
import { slotClasses } from "./tiny-world/slots.js";

/**
 * Verbs that agree with their subject across another noun (Linzen et al. 2016, "Assessing the Ability of LSTMs to Learn
 * Syntax-Sensitive Dependencies"). The nearer noun has the other number. The corrupt prompt has the subject in the other
 * number.
 *
 * @example
 * ```ts
 * subjectVerbAgreement({ count: 1 })[0];
 * // { clean: "The key near the cabinets", corrupt: "The keys near the cabinets", answer: " is", wrongAnswer: " are" }
 * ```
 */
export function subjectVerbAgreement(options: TaskOptions = {}): Prompt[] {
  const { count, seed, heldOut } = taskOptions(options);
  const random = randomGenerator(seed).fork("agreement");
  const possessions = possessionForms.filter(({ template }) => template.includes("{M:noun}"));
  return Array.from({ length: count }, () => {
    const { subject, distractor, verb } = drawAgreement(random, heldOut);
    const number = random.integer(2) as 0 | 1;
    const other = (1 - number) as 0 | 1;
    const form = random.choice(verb[0] === "has" ? possessions : agreementForms);
    const values = {
      M: distractor[other],
      Q2: random.choice(slotClasses.quality),
      P: random.choice(slotClasses.place),
    };
    return {
      clean: promptBefore(form, "V", { ...values, N: subject[number] }),
      corrupt: promptBefore(form, "V", { ...values, N: subject[other] }),
      answer: ` ${verb[number]}`,
      wrongAnswer: ` ${verb[other]}`,
    };
  });
}
