import { randomGenerator } from "../array/index.js";
import { type Prompt, type TaskOptions, taskOptions } from "./prompt.js";
import { promptBefore } from "./tiny-world/form.js";
import { mensNames, occupations, womensNames } from "./tiny-world/lexicon/people.js";
import { introductions, isHeldOutOccupation, pronounForms } from "./tiny-world/passages/pronouns.js";
import { slotClasses } from "./tiny-world/slots.js";

/** Options of `genderedPronouns`. */
export interface GenderedPronounsOptions extends TaskOptions {
  /**
   * Whether a person with a name is said to have the occupation first, which decides the pronoun. Default false: then the
   * occupation alone is known.
   */
  named?: boolean;
}

/** A prompt whose continuation is "she" or "he". */
export interface PronounPrompt extends Prompt {
  readonly occupation: string;
  /** How often the occupation without a name is "she" in the training text. */
  readonly sheRate: number;
}

/**
 * Pronouns of occupations (after Vig et al. 2020, "Investigating Gender Bias in Language Models Using Causal Mediation
 * Analysis"). Without a name the answer is the more frequent pronoun of the occupation, and the corrupt prompt has an
 * occupation of the other one; with a name it is that of the person, and the corrupt prompt has a person of the other.
 *
 * @example
 * ```ts
 * genderedPronouns({ count: 1, named: true })[0];
 * // { clean: "Mary is the miner. The miner said that", answer: " she", wrongAnswer: " he", sheRate: 0.07, … }
 * ```
 */
export function genderedPronouns(options: GenderedPronounsOptions = {}): PronounPrompt[] {
  const { count, seed, heldOut } = taskOptions(options);
  const random = randomGenerator(seed).fork("pronouns");
  const combinations = Object.keys(occupations).flatMap((occupation) =>
    pronounForms
      .filter(({ id }) => isHeldOutOccupation(occupation, id) === heldOut)
      .map((form) => ({ occupation, form })),
  );
  return Array.from({ length: count }, () => {
    const { occupation, form } = random.choice(combinations);
    const sheRate = occupations[occupation]!;
    const values = {
      P: random.choice(slotClasses.place),
      T: random.choice(slotClasses.thing),
      W: random.choice(slotClasses.weather),
      L: random.choice(slotClasses.town),
    };
    const write = (job: string): string => promptBefore(form, "he", { ...values, J: job });
    const she = options.named ? random.uniform() < 0.5 : sheRate > 0.5;
    const answers = she ? { answer: " she", wrongAnswer: " he" } : { answer: " he", wrongAnswer: " she" };
    if (!options.named) {
      const others = Object.keys(occupations).filter((other) => occupations[other]! > 0.5 !== she);
      return {
        clean: write(occupation),
        corrupt: write(random.choice(others)),
        ...answers,
        occupation,
        sheRate,
      };
    }
    const introduction = random.choice(introductions);
    const introduce = (woman: boolean): string => {
      const name = random.choice(woman ? womensNames : mensNames);
      const sentence = introduction.parts.map((part) =>
        typeof part === "string" ? part : part.name === "A" ? name : occupation,
      );
      return `${sentence.join("")} ${write(occupation)}`;
    };
    return { clean: introduce(she), corrupt: introduce(!she), ...answers, occupation, sheRate };
  });
}
