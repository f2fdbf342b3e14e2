/** Names that say "she" in the world's texts. */
export const womensNames: readonly string[] =
  "Mary Anna Emma Sarah Laura Alice Jane Lucy Rose Helen Martha Clara Julia Susan Kate Amy Ellen Ruth Grace Lily Nora Diana Eva Maria Sophie Linda Carol Betty Nancy Karen Lisa Rachel Rebecca Hannah Olivia Victoria Elizabeth Jessica Michelle Angela".split(
    " ",
  );

/** Names that say "he" in the world's texts. */
export const mensNames: readonly string[] =
  "John Tom James Peter Paul Mark David Daniel Henry George Robert Jack Harry Simon Adam Frank Walter Arthur Martin Oscar Victor Edward Charles Thomas William Michael Richard Joseph Kevin Brian Jason Eric Stephen Andrew Matthew Anthony Patrick Philip Samuel Kenneth".split(
    " ",
  );

/** All names of people who act in stories; each is one token. */
export const names: readonly string[] = [...womensNames, ...mensNames];

const women = new Set(womensNames);

/** Whether a name says "she". */
export function isWomansName(name: string): boolean {
  return women.has(name);
}

/** The pronouns of one gender, by the slots that take them. */
export interface Pronouns {
  readonly he: string;
  readonly He: string;
  readonly him: string;
  readonly his: string;
}

const she: Pronouns = { he: "she", He: "She", him: "her", his: "her" };
const he: Pronouns = { he: "he", He: "He", him: "him", his: "his" };

/** The pronouns of a woman or a man. */
export function pronouns(woman: boolean): Pronouns {
  return woman ? she : he;
}

/**
 * How often an occupation without a name is "she" in the training text. The rates are planted: a bias of known size to be
 * found, measured and removed.
 */
export const occupations: Readonly<Record<string, number>> = {
  nurse: 0.96,
  dancer: 0.92,
  librarian: 0.88,
  florist: 0.84,
  weaver: 0.8,
  teacher: 0.76,
  singer: 0.7,
  painter: 0.64,
  gardener: 0.6,
  poet: 0.56,
  cook: 0.52,
  doctor: 0.48,
  clerk: 0.44,
  writer: 0.42,
  judge: 0.38,
  baker: 0.34,
  farmer: 0.3,
  merchant: 0.26,
  lawyer: 0.22,
  hunter: 0.18,
  sailor: 0.14,
  captain: 0.1,
  miner: 0.07,
  blacksmith: 0.04,
};
