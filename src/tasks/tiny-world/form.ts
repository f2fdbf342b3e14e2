import type { Random } from "../../array/index.js";
import { type SlotClass, slotClasses } from "./slots.js";

/** A sentence with slots: `"{A:name} gave a {T:thing} to {B:name}."`; a slot named again repeats its value. */
export interface Form {
  /** What the form is called in a parse, such as `"ioi/transfer-2"`. */
  readonly id: string;
  readonly template: string;
  readonly parts: readonly (string | Slot)[];
}

/** One place of a form. */
export interface Slot {
  readonly name: string;
  readonly class: SlotClass;
}

/** Values of slots by their names. */
export type Values = Readonly<Record<string, string>>;

/** Reads a template; a slot that is not named again with its class is of the class that it was first given. */
export function form(id: string, template: string): Form {
  const classes = new Map<string, SlotClass>();
  const parts = template.split(/(\{\w+(?::\w+)?\})/).map((piece) => {
    const match = /^\{(\w+)(?::(\w+))?\}$/.exec(piece);
    if (!match) return piece;
    const [, name, slotClass] = match as unknown as [string, string, SlotClass | undefined];
    const known = slotClass ?? classes.get(name) ?? (name as SlotClass);
    if (!Object.hasOwn(slotClasses, known))
      throw new Error(`The form ${id} has a slot {${name}} of no class.`);
    classes.set(name, known);
    return { name, class: known };
  });
  return { id, template, parts };
}

/** Several forms that differ in their wording. */
export function forms(id: string, templates: readonly string[]): Form[] {
  return templates.map((template, i) => form(`${id}-${i}`, template));
}

/** The sentence with its slots filled; slots without a value are drawn, different ones of a class differently. */
export function fill({ parts }: Form, values: Values, random: Random): string {
  const filled: Record<string, string> = { ...values };
  let text = "";
  for (const part of parts) {
    if (typeof part === "string") text += part;
    else text += filled[part.name] ??= draw(part.class, filled, random);
  }
  return text;
}

function draw(slotClass: SlotClass, taken: Values, random: Random): string {
  const used = Object.values(taken);
  for (;;) {
    const value = random.choice(slotClasses[slotClass]);
    if (!used.includes(value)) return value;
  }
}

/** The sentence up to a slot, and without the space before it: a prompt whose continuation is that slot. */
export function promptBefore({ parts, id }: Form, slot: string, values: Values): string {
  let text = "";
  for (const part of parts) {
    if (typeof part === "string") text += part;
    else if (part.name === slot) return text.trimEnd();
    else if (values[part.name] === undefined)
      throw new Error(`The form ${id} needs a value of {${part.name}}.`);
    else text += values[part.name];
  }
  throw new Error(`The form ${id} has no slot {${slot}}.`);
}
