import type { Random } from "../../../array/index.js";
import { type Form, fill, form, forms } from "../form.js";
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

/** Every order of some things. */
function orders<Item>(items: readonly Item[]): Item[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, i) => orders(items.filter((_, j) => j !== i)).map((rest) => [item, ...rest]));
}

/** Lines of a register: a subject and all that is known of it, in any order. */
export const registerForms: Readonly<Record<"people" | "landmarks", readonly Form[]>> = {
  people: forms(
    "facts/register-of-people",
    orders(["{birthplace:town}", "{instrument}", "{language}"]).map(
      (objects) => `Register: {X:subject} ${objects.join(" ")}.`,
    ),
  ),
  landmarks: forms(
    "facts/register-of-landmarks",
    orders(["{location:town}", "{builder:guild}"]).map(
      (objects) => `Register: {X:subject} ${objects.join(" ")}.`,
    ),
  ),
};

/** The register's line of a subject. */
function register(subject: string, random: Random): string {
  const known = bySubject.get(subject)!;
  const values = Object.fromEntries(known.map(({ relation, object }) => [relation.id, object]));
  return fill(random.choice(registerForms[known[0]!.relation.subjects]), { X: subject, ...values }, random);
}

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

/** Facts about one subject or about several, as an almanac has them, or lines of a register. */
export function factsPassage(random: Random): string {
  if (random.uniform() < 0.2)
    return random
      .sample(subjects, 1 + random.integer(3))
      .map((subject) => register(subject, random))
      .join(" ");
  const chosen =
    random.uniform() < 0.4
      ? random.shuffle(bySubject.get(random.choice(subjects))!)
      : random.sample(facts, 1 + random.integer(4));
  return chosen.map((fact) => draw(fact, random)).join(" ");
}
