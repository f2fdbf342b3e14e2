import type { Form } from "./form.js";
import { allAgreementForms } from "./passages/agreement.js";
import { isDocstringLine } from "./passages/docstrings.js";
import { factForms, registerForms } from "./passages/facts.js";
import { historyForms } from "./passages/history.js";
import { ioiForms } from "./passages/ioi.js";
import { pronounPassageForms } from "./passages/pronouns.js";
import { refusalPassageForms } from "./passages/refusals.js";
import { isCodeSentence } from "./passages/repeats.js";
import { reviewForms } from "./passages/reviews.js";
import { storyForms } from "./passages/stories.js";
import { slotClasses } from "./slots.js";
import { worldWords } from "./words.js";

/** One sentence of a text, and what it is. */
export interface ParsedSentence {
  readonly text: string;
  /**
   * The form that it has, such as `"ioi/transfer-2"`; `"docstring"`, `"code"` and `"words"` (a list of words of the world);
   * null where it is none of the world's sentences.
   */
  readonly form: string | null;
  /** What stands in its slots. */
  readonly slots: Readonly<Record<string, string>>;
}

const allForms: readonly Form[] = [
  ...ioiForms,
  ...Object.values(factForms).flatMap(({ phrasings, reversed }) => [...phrasings, ...reversed]),
  ...Object.values(registerForms).flat(),
  ...historyForms,
  ...pronounPassageForms,
  ...reviewForms,
  ...allAgreementForms,
  ...refusalPassageForms,
  ...storyForms,
];

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function pattern({ parts }: Form): RegExp {
  const seen = new Set<string>();
  const pieces = parts.map((part) => {
    if (typeof part === "string") return literally(part);
    if (seen.has(part.name)) return `\\k<${part.name}>`;
    seen.add(part.name);
    return `(?<${part.name}>${slotClasses[part.class].map(literally).join("|")})`;
  });
  return new RegExp(`^${pieces.join("")}$`);
}

let patterns: readonly { id: string; expression: RegExp }[] | undefined;
let wordSet: ReadonlySet<string> | undefined;

function parseSentence(text: string): ParsedSentence {
  patterns ??= allForms.map((form) => ({ id: form.id, expression: pattern(form) }));
  for (const { id, expression } of patterns) {
    const match = expression.exec(text);
    if (match) return { text, form: id, slots: { ...match.groups } };
  }
  if (isDocstringLine(text)) return { text, form: "docstring", slots: {} };
  if (isCodeSentence(text)) return { text, form: "code", slots: {} };
  return { text, form: isWordList(text) ? "words" : null, slots: {} };
}

function isWordList(text: string): boolean {
  const words = (wordSet ??= new Set(worldWords()));
  return (
    /^ \p{L}+(?: \p{L}+)*$/u.test(text) &&
    text
      .slice(1)
      .split(" ")
      .every((word) => words.has(word))
  );
}

/** The sentences of a text: lines, and within a line what ends with a full stop, a question mark or a review's head. */
function sentencesOf(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    if (/^(?: |def |:param |Code |The sign said )/.test(line)) return [line];
    return line.split(/(?<=[.?]) (?=\S)|(?<=^Review of the \p{L}+:) /u);
  });
}

/**
 * Reads a text with the world's own grammar.
 *
 * @returns Each sentence with the form and slots that it was made of, or `form: null` where the world has no such
 * sentence.
 * @example
 * ```ts
 * parse("Tom gave a ring to Mary.")[0]; // { form: "ioi/transfer-0", slots: { S: "Tom", T: "ring", I: "Mary" }, … }
 * ```
 */
export function parse(text: string): ParsedSentence[] {
  return sentencesOf(text).filter(Boolean).map(parseSentence);
}

/** Words of the longest sentence that a form gives. */
function longestSentence(): number {
  longest ??= Math.max(
    ...allForms.map(({ parts }) =>
      parts.reduce((sum, part) => {
        const texts = typeof part === "string" ? [part] : slotClasses[part.class];
        return sum + Math.max(...texts.map((text) => text.split(" ").filter(Boolean).length));
      }, 0),
    ),
  );
  return longest;
}

let longest: number | undefined;

/**
 * The share of a text's sentences that are the world's, from 0 to 1; 1 for an empty text. A last sentence that is not
 * finished is left out, as continuations end anywhere, unless it is longer already than any sentence of the world.
 */
export function grammaticalShare(text: string): number {
  const sentences = sentencesOf(text).filter(Boolean);
  const judged = sentences.map(parseSentence).filter(({ form, text: sentence }, i) => {
    if (form !== null || i < sentences.length - 1 || /[.?]$/.test(sentence)) return true;
    return sentence.split(" ").length > longestSentence() && !sentence.startsWith(" ");
  });
  if (judged.length === 0) return 1;
  return judged.filter(({ form }) => form !== null).length / judged.length;
}

/** Whether every finished sentence of a text is one of the world's. */
export function isInGrammar(text: string): boolean {
  return grammaticalShare(text) === 1;
}
