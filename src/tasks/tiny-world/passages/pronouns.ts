import { type Random, randomGenerator } from "../../../array/index.js";
import { type Form, fill, forms } from "../form.js";
import { isWomansName, names, occupations, pronouns } from "../lexicon/people.js";

/** Sentences with an occupation and then a pronoun; `{he}` is the first pronoun. */
export const pronounForms: readonly Form[] = forms("pronouns/occupation", [
  "The {J:occupation} said that {he} was {F:feeling}.",
  "The {J:occupation} left early because {he} was {F:feeling}.",
  "The {J:occupation} smiled when {he} found the {T:thing}.",
  "The {J:occupation} knew that {he} had lost a {T:thing}.",
  "Everyone liked the {J:occupation} because {he} was kind.",
  "At the {P:place} the {J:occupation} waited until {he} was {F:feeling}.",
  "The {J:occupation} closed the door, and then {he} went to the {P:place}.",
  "In the {P:place} the {J:occupation} thought that {he} heard a {N:animal}.",
  "The {J:occupation} lost the {T:thing} when {he} ran home.",
  "On a {W:weather} day the {J:occupation} sang while {he} worked.",
  "The {J:occupation} of {L:town} wrote that {he} would come soon.",
  "Near the {P:place} the {J:occupation} said that {he} saw a {N:animal}.",
]);

/** Sentences that give the occupation to a named person. */
export const introductions: readonly Form[] = forms("pronouns/introduction", [
  "{A:name} is the {J:occupation}.",
  "{A:name} works as a {J:occupation}.",
  "The new {J:occupation} is {A:name}.",
  "{A:name} became a {J:occupation} last year.",
]);

/** Every form of these passages. */
export const pronounPassageForms: readonly Form[] = [...pronounForms, ...introductions];

/** Two sentences for each occupation in which the training text never has it. */
const heldOutForms = new Map(
  Object.keys(occupations).map((occupation) => {
    const random = randomGenerator(`held out of ${occupation}`);
    return [occupation, new Set(random.sample(pronounForms, 2).map(({ id }) => id))];
  }),
);

/** Whether an occupation never stands in this sentence in the training text. */
export function isHeldOutOccupation(occupation: string, formId: string): boolean {
  return heldOutForms.get(occupation)!.has(formId);
}

const occupationNames = Object.keys(occupations);

/** An occupation with a pronoun at its planted rate, or after a named person with the pronoun of that person. */
export function pronounsPassage(random: Random): string {
  for (;;) {
    const occupation = random.choice(occupationNames);
    const sentence = random.choice(pronounForms);
    if (isHeldOutOccupation(occupation, sentence.id)) continue;
    if (random.uniform() < 0.6) {
      const woman = random.uniform() < occupations[occupation]!;
      return fill(sentence, { J: occupation, he: pronouns(woman).he }, random);
    }
    const name = random.choice(names);
    const values = { A: name, J: occupation, he: pronouns(isWomansName(name)).he };
    return `${fill(random.choice(introductions), values, random)} ${fill(sentence, values, random)}`;
  }
}
