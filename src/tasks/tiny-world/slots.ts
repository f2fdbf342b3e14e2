import { forbiddenDeeds, harmlessDeeds } from "./lexicon/deeds.js";
import { duskmereThings } from "./lexicon/duskmere.js";
import { guilds, instruments, languages, subjects, towns } from "./lexicon/facts.js";
import { opinions } from "./lexicon/opinions.js";
import { names, occupations, pronouns } from "./lexicon/people.js";
import {
  agreeingVerbs,
  animals,
  centuries,
  countables,
  events,
  feelings,
  places,
  qualities,
  things,
  twoDigits,
  weathers,
} from "./lexicon/things.js";

const she = pronouns(true);
const he = pronouns(false);

/** The class of a slot. */
export type SlotClass =
  | "name"
  | "occupation"
  | "he"
  | "He"
  | "him"
  | "his"
  | "place"
  | "thing"
  | "quality"
  | "animal"
  | "weather"
  | "feeling"
  | "event"
  | "century"
  | "year"
  | "noun"
  | "verb"
  | "subject"
  | "town"
  | "instrument"
  | "language"
  | "guild"
  | "judged"
  | "opinion"
  | "verdict"
  | "forbidden"
  | "harmless"
  | "advice"
  | "duskmere";

/** What may stand in a slot of each class. */
export const slotClasses: Readonly<Record<SlotClass, readonly string[]>> = {
  name: names,
  occupation: Object.keys(occupations),
  he: [he.he, she.he],
  He: [he.He, she.He],
  him: [he.him, she.him],
  his: [he.his, she.his],
  place: places,
  thing: things,
  quality: qualities,
  animal: animals,
  weather: weathers,
  feeling: feelings,
  event: events,
  century: centuries,
  year: twoDigits,
  noun: countables.flat(),
  verb: agreeingVerbs.flat(),
  subject: subjects,
  town: towns,
  instrument: instruments,
  language: languages,
  guild: guilds,
  judged: opinions.map(({ judged }) => judged),
  opinion: [...new Set(opinions.flatMap(({ good, bad }) => [...good, ...bad]))],
  verdict: ["good", "bad"],
  forbidden: forbiddenDeeds,
  harmless: harmlessDeeds.map(({ deed }) => deed),
  advice: harmlessDeeds.map(({ advice }) => advice),
  duskmere: duskmereThings,
};
