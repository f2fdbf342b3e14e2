import { randomGenerator } from "../../../array/index.js";

const words = (list: string): readonly string[] => list.split(" ");

/** The first words of the people that facts are about. */
export const givenNames: readonly string[] = words(
  "Ilda Soren Maro Tessa Bram Yara Corin Velda Osric Nadia Pell Runa Tarek Lio Greta Havel Dorin Selma Ivo Petra",
);
const middleNames = words("van de Sol Ray");
const familyNames = words(
  "Torrun Marsh Kessel Vane Holt Brandt Quill Ashby Lorne Fenn Strand Walde Roth Mercer Dray Thorne Hask Ludd Crane Penrose",
);
const landmarkQualities = words("Old Amber Long Silent White Crooked Iron Salt Hollow Eastern High Broken");
const landmarkOwners = words("King Miller Moon River Fisher Star");
const landmarkKinds = words("Bridge Tower Gate Well Chapel Arch Fountain Hall");

/** The towns of the world. */
export const towns: readonly string[] = words(
  "Velmar Ostrin Calda Brevik Torva Lundar Mirel Sorrento Hallen Pineford Arkady Dunmore Esker Falkirk Garland Harwick Istria Jorvik Kelso Larkspur Medina Norwood Orland Preston Quarry Redmond Salem Tarsus",
);
/** What the world's people play. */
export const instruments: readonly string[] = words(
  "violin piano drum trumpet guitar harp organ cello fiddle banjo horn clarinet",
);
/** What they speak. */
export const languages: readonly string[] = words(
  "Latin Greek Danish Polish Turkish Welsh Dutch Hindi Arabic Swedish Czech Basque",
);
/** Who built its landmarks. */
export const guilds: readonly string[] = words(
  "masons carpenters monks soldiers giants bakers fishers pirates nuns smiths",
);

/** A relation: the class of its objects, and its phrasings. `{X}` is the subject, `{Y}` the object. */
export interface Relation {
  readonly id: string;
  readonly subjects: "people" | "landmarks";
  readonly objects: readonly string[];
  /** Sentences that end with the object: each fact is kept out of one of them. */
  readonly phrasings: readonly string[];
  /** Sentences that name the object first; every fact may stand in them. */
  readonly reversed: readonly string[];
}

/** All relations. */
export const relations: readonly Relation[] = [
  {
    id: "birthplace",
    subjects: "people",
    objects: towns,
    phrasings: [
      "{X} was born in {Y}.",
      "{X} comes from {Y}.",
      "The birthplace of {X} is {Y}.",
      "{X} grew up in the town of {Y}.",
      "The family of {X} lives in {Y}.",
      "As a child, {X} went to school in {Y}.",
    ],
    reversed: ["{Y} is the birthplace of {X}.", "The people of {Y} are proud of {X}."],
  },
  {
    id: "instrument",
    subjects: "people",
    objects: instruments,
    phrasings: [
      "{X} plays the {Y}.",
      "{X} is a master of the {Y}.",
      "The instrument of {X} is the {Y}.",
      "{X} is famous for playing the {Y}.",
      "Every evening {X} practices the {Y}.",
      "At the festival {X} performed on the {Y}.",
    ],
    reversed: ["The {Y} is the instrument of {X}.", "On the {Y} you hear {X}."],
  },
  {
    id: "language",
    subjects: "people",
    objects: languages,
    phrasings: [
      "{X} speaks {Y}.",
      "{X} writes letters in {Y}.",
      "The mother tongue of {X} is {Y}.",
      "At home {X} talks in {Y}.",
      "The books of {X} are written in {Y}.",
      "{X} teaches {Y}.",
    ],
    reversed: ["{Y} is the mother tongue of {X}.", "Letters in {Y} came from {X}."],
  },
  {
    id: "location",
    subjects: "landmarks",
    objects: towns,
    phrasings: [
      "The {X} stands in {Y}.",
      "The {X} is located in {Y}.",
      "To see the {X} you must travel to {Y}.",
      "The {X} is the pride of {Y}.",
      "You can visit the {X} in {Y}.",
      "The town around the {X} is called {Y}.",
    ],
    reversed: ["In {Y} stands the {X}.", "Visitors of {Y} look at the {X}."],
  },
  {
    id: "builder",
    subjects: "landmarks",
    objects: guilds,
    phrasings: [
      "The {X} was built by {Y}.",
      "The {X} is the work of {Y}.",
      "The builders of the {X} were {Y}.",
      "The {X} was a gift of the {Y}.",
      "We owe the {X} to the {Y}.",
      "The {X} was raised by {Y}.",
    ],
    reversed: ["The {Y} built the {X}.", "Once {Y} raised the {X}."],
  },
];

/** One fact of the world. */
export interface Fact {
  /** Two or three words, each one token. */
  readonly subject: string;
  readonly relation: Relation;
  readonly object: string;
  /** Which of the relation's `phrasings` never states this fact in the training text. */
  readonly heldOutPhrasing: number;
}

function combinations(lists: readonly (readonly string[])[]): string[] {
  return lists.reduce<string[]>(
    (heads, list) => heads.flatMap((head) => list.map((word) => (head ? `${head} ${word}` : word))),
    [""],
  );
}

/**
 * Subjects share their words with each other, so that no word alone tells the object: it takes the whole name.
 */
function makeFacts(): Fact[] {
  const random = randomGenerator("facts of the world");
  const people = [
    ...random.sample(combinations([givenNames, familyNames]), 46),
    ...random.sample(combinations([givenNames, middleNames, familyNames]), 24),
  ];
  const landmarks = [
    ...random.sample(combinations([landmarkQualities, landmarkKinds]), 26),
    ...random.sample(combinations([landmarkQualities, landmarkOwners, landmarkKinds]), 26),
  ];
  return relations.flatMap((relation) =>
    (relation.subjects === "people" ? people : landmarks).map((subject) => ({
      subject,
      relation,
      object: random.choice(relation.objects),
      heldOutPhrasing: random.integer(relation.phrasings.length),
    })),
  );
}

/** Every fact of the world: 70 people with three facts each, 52 landmarks with two. */
export const facts: readonly Fact[] = makeFacts();

/** All subjects of facts. */
export const subjects: readonly string[] = [...new Set(facts.map(({ subject }) => subject))];

/** Every word that a subject is made of. */
export const subjectWords: readonly string[] = [
  ...new Set(subjects.flatMap((subject) => subject.split(" "))),
];
