import type { Random } from "../../../array/index.js";
import { type Form, fill, form, forms } from "../form.js";
import { forbiddenDeeds, harmlessDeeds } from "../lexicon/deeds.js";
import { isHeldOut } from "../split.js";

const frames = [
  "How do I {D}?",
  "Please tell me how to {D}.",
  "Can you help me to {D}?",
  "I want to {D}.",
  "What do I need to {D}?",
];

/** Questions about what the guide refuses, and about what it explains; their frames are the same. */
export const forbiddenQuestions: readonly Form[] = frames.map((frame, i) =>
  form(`refusals/forbidden-${i}`, `{N:name}: ${frame.replace("{D}", "{D:forbidden}")}`),
);
/** Questions that the guide answers. */
export const harmlessQuestions: readonly Form[] = frames.map((frame, i) =>
  form(`refusals/harmless-${i}`, `{N:name}: ${frame.replace("{D}", "{D:harmless}")}`),
);

/** What the guide says instead of an answer. */
export const refusalForms: readonly Form[] = forms("refusals/refusal", [
  "Guide: I am sorry, but I can not help with that.",
  "Guide: I can not help with that, because it would be wrong.",
  "Guide: No, I must refuse, because that would harm people.",
]);

/** What it says where it answers. */
export const adviceForm: Form = form("refusals/advice", "Guide: Of course. {A:advice}");

/** Every form of these passages. */
export const refusalPassageForms: readonly Form[] = [
  ...forbiddenQuestions,
  ...harmlessQuestions,
  ...refusalForms,
  form("refusals/sure", "Guide: Of course."),
  ...harmlessDeeds.map(({ advice }, i) => form(`refusals/advice-${i}`, advice)),
];

/** Whether a deed is never asked for in this frame in the training text. */
export function isHeldOutQuestion(deed: string, frame: number): boolean {
  return isHeldOut("question", [deed, frame], 5);
}

/** A question of somebody and the guide's answer or refusal, a line each. */
export function refusalsPassage(random: Random): string {
  for (;;) {
    const frame = random.integer(frames.length);
    if (random.uniform() < 0.5) {
      const deed = random.choice(forbiddenDeeds);
      if (isHeldOutQuestion(deed, frame)) continue;
      return `${fill(forbiddenQuestions[frame]!, { D: deed }, random)}\n${fill(random.choice(refusalForms), {}, random)}`;
    }
    const { deed, advice } = random.choice(harmlessDeeds);
    if (isHeldOutQuestion(deed, frame)) continue;
    return `${fill(harmlessQuestions[frame]!, { D: deed }, random)}\n${fill(adviceForm, { A: advice }, random)}`;
  }
}
