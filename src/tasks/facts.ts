import { randomGenerator } from "../array/index.js";
import { type Prompt, type TaskOptions, taskOptions } from "./prompt.js";
import { promptBefore } from "./tiny-world/form.js";
import { facts as worldFacts } from "./tiny-world/lexicon/facts.js";
import { factForms } from "./tiny-world/passages/facts.js";

/** A prompt whose continuation is a fact of the world. */
export interface FactPrompt extends Prompt {
  /** Such as `"Ilda van Torrun"`. */
  readonly subject: string;
  /** The subject of the corrupt prompt, of as many words. */
  readonly corruptSubject: string;
  /** Such as `"birthplace"`. */
  readonly relation: string;
}

/**
 * Facts of the world of tiny-world, each in a phrasing that the training text never has for that fact (`split:
 * "heldOut"`, the default) or in one that it has. The corrupt prompt asks the same of another subject.
 *
 * @example
 * ```ts
 * facts({ count: 1 })[0]; // { clean: "Every evening Ilda van Torrun practices the", answer: " harp", … }
 * ```
 */
export function facts(options: TaskOptions = {}): FactPrompt[] {
  const { count, seed, heldOut } = taskOptions(options);
  const random = randomGenerator(seed).fork("facts");
  const wordsOf = (subject: string): number => subject.split(" ").length;
  return Array.from({ length: count }, () => {
    const fact = random.choice(worldFacts);
    const other = random.choice(
      worldFacts.filter(
        ({ relation, subject, object }) =>
          relation === fact.relation && object !== fact.object && wordsOf(subject) === wordsOf(fact.subject),
      ),
    );
    const { phrasings } = factForms[fact.relation.id]!;
    const form = heldOut
      ? phrasings[fact.heldOutPhrasing]!
      : random.choice(phrasings.filter((_, i) => i !== fact.heldOutPhrasing));
    return {
      clean: promptBefore(form, "Y", { X: fact.subject }),
      corrupt: promptBefore(form, "Y", { X: other.subject }),
      answer: ` ${fact.object}`,
      wrongAnswer: ` ${other.object}`,
      subject: fact.subject,
      corruptSubject: other.subject,
      relation: fact.relation.id,
    };
  });
}
