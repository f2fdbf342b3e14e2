import type { Random } from "../../../array/index.js";
import { type Form, form } from "../form.js";
import { type Fact, facts, relations, subjects } from "../lexicon/facts.js";

/** The class of a relation's objects. */
const objectClasses = {
  birthplace: "town",
  instrument: "instrument",
  language: "language",
  location: "town",
  builder: "guild",
};

/** The form of a phrasing, with `{X}` for the subject and `{Y}` for the object. */
export const factForms: Readonly<Record<string, { phrasings: readonly Form[]; reversed: readonly Form[] }>> =
  Object.fromEntries(
    relations.map(({ id, phrasings, reversed }) => {
      const read = (templates: readonly string[], what: string): Form[] =>
        templates.map((template, i) =>
          form(
            `facts/${id}-${what}-${i}`,
            template
              .replace("{X}", "{X:subject}")
              .replace("{Y}", `{Y:${objectClasses[id as keyof typeof objectClasses]}}`),
          ),
        );
      return [id, { phrasings: read(phrasings, "phrasing"), reversed: read(reversed, "reversed") }];
    }),
  );

/** A fact as a sentence. */
export function state({ subject, object }: Fact, phrasing: Form): string {
  return phrasing.parts
    .map((part) => (typeof part === "string" ? part : part.name === "X" ? subject : object))
    .join("");
}

function draw(fact: Fact, random: Random): string {
  const { phrasings, reversed } = factForms[fact.relation.id]!;
  if (random.uniform() < 0.15) return state(fact, random.choice(reversed));
  return state(fact, random.choice(phrasings.filter((_, i) => i !== fact.heldOutPhrasing)));
}

const bySubject = new Map(
  subjects.map((subject) => [subject, facts.filter((fact) => fact.subject === subject)]),
);

/** Facts about one subject or about several, as an almanac has them. */
export function factsPassage(random: Random): string {
  const chosen =
    random.uniform() < 0.4
      ? random.shuffle(bySubject.get(random.choice(subjects))!)
      : random.sample(facts, 1 + random.integer(4));
  return chosen.map((fact) => draw(fact, random)).join(" ");
}
