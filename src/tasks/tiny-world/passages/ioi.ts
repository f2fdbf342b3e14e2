import type { Random } from "../../../array/index.js";
import { type Form, fill, form, forms } from "../form.js";
import { names } from "../lexicon/people.js";
import { isHeldOut } from "../split.js";

/** Openings that name two people; the transfer follows in the same sentence. */
const clauses = [
  "When {X:name} and {Y:name} went to the {P:place}",
  "After {X:name} and {Y:name} went to the {P:place}",
  "While {X:name} and {Y:name} were working at the {P:place}",
  "When {X:name} and {Y:name} got a {Q:thing} at the {P:place}",
  "Once {X:name} and {Y:name} had met near the {P:place}",
];

/** Openings that are a sentence of their own. */
export const openings: readonly Form[] = forms("ioi/opening", [
  "Then, {X:name} and {Y:name} went to the {P:place}.",
  "{X:name} and {Y:name} had a long day at the {P:place}.",
  "In the morning {X:name} and {Y:name} met at the {P:place}.",
  "The {P:place} was full when {X:name} and {Y:name} came in.",
  "Friends of {X:name} and {Y:name} were waiting at the {P:place}.",
]);

/** Sentences between opening and transfer; a third name in them gets nothing. */
export const distractors: readonly Form[] = forms("ioi/distractor", [
  "{D:name} stayed at home.",
  "The day was {W:weather}.",
  "{D:name} had no time to come.",
  "They talked about {D:name} for a while.",
  "A {N:animal} slept in the corner.",
  "Nobody saw the {R:occupation} behind the {Z:place}.",
]);

const deeds = [
  "{S:name} gave a {T:thing} to {I:name}.",
  "{S:name} handed the {T:thing} to {I:name}.",
  "{S:name} decided to give a {T:thing} to {I:name}.",
  "{S:name} passed a {Q2:quality} {T:thing} to {I:name}.",
  "{S:name} sold the {Q2:quality} {T:thing} to {I:name}.",
  "{S:name} wanted to show the {T:thing} to {I:name}.",
  "{S:name} said hello to {I:name}.",
];

/** Transfers that follow an opening of their own sentence. */
export const transfers: readonly Form[] = [
  ...forms("ioi/transfer", deeds),
  ...forms("ioi/later-transfer", [
    "Later {S:name} brought a {T:thing} to {I:name}.",
    "At noon {S:name} lent a {T:thing} to {I:name}.",
  ]),
];

/** Opening and transfer in one sentence. */
export const sentences: readonly Form[] = clauses.flatMap((clause, i) =>
  deeds.map((deed, j) => form(`ioi/sentence-${i}-${j}`, `${clause}, ${deed}`)),
);

/** Transfers that name the receiver before the thing. */
export const directTransfers: readonly Form[] = forms("ioi/direct", [
  "{S:name} gave {I:name} a {T:thing}.",
  "{S:name} showed {I:name} the {T:thing}.",
]);

/** Every form of these passages. */
export const ioiForms: readonly Form[] = [
  ...openings,
  ...distractors,
  ...transfers,
  ...sentences,
  ...directTransfers,
];

/** Whether two people never give each other anything in the training text. */
export function isHeldOutPair(a: string, b: string): boolean {
  return isHeldOut("ioi", [a, b].sort(), 8);
}

/** Two different people who may give each other something. */
export function drawPair(random: Random, heldOut: boolean): [string, string] {
  for (;;) {
    const [a, b] = random.sample(names, 2) as [string, string];
    if (isHeldOutPair(a, b) === heldOut) return [a, b];
  }
}

/** Two people, one of whom gives the other something (Wang et al. 2022, "Interpretability in the Wild"). */
export function ioiPassage(random: Random): string {
  const [x, y] = drawPair(random, false);
  const [s, i] = random.shuffle([x, y]) as [string, string];
  const values = { X: x, Y: y, S: s, I: i };
  if (random.uniform() < 0.35) return fill(random.choice(sentences), values, random);
  const between = random.weightedChoice([0, 1, 2], [5, 4, 1]);
  const transfer = random.uniform() < 0.15 ? random.choice(directTransfers) : random.choice(transfers);
  return [
    fill(random.choice(openings), values, random),
    ...random.sample(distractors, between).map((distractor) => fill(distractor, values, random)),
    fill(transfer, values, random),
  ].join(" ");
}
