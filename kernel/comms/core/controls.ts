/** ipywidgets' abbreviations: plain values that stand for controls. */
import type { AnyWidget } from "./container.js";
import { CoreWidget } from "./core-widget.js";
import { Checkbox, Dropdown, FloatSlider, IntSlider, Text } from "./generated.js";
import { shortly } from "./traits.js";

/** A value that `interact` hands over as it is, without a control. */
export class Fixed<V> {
  constructor(readonly value: V) {}
}

/** Keeps a value from becoming a control of `interact`. */
export function fixed<V>(value: V): Fixed<V> {
  return new Fixed(value);
}

/** A widget that has a value. */
export interface ValueWidget<V = unknown> extends AnyWidget {
  value: V;
  /** Ends it here and in every view. */
  close(): void;
}

/**
 * What stands for a control:
 *
 * | abbreviation | control |
 * | --- | --- |
 * | `true`, `false` | `Checkbox` |
 * | a text | `Text` |
 * | a number | a slider from its negative to its threefold; a whole number's has whole numbers |
 * | `[0, 10]`, `[0, 10, 2]` | a slider from, to, in steps |
 * | a list of anything else, or an object or Map of values by label | `Dropdown` |
 * | a widget with a value | itself |
 * | `fixed(value)` | none |
 */
export type Abbreviation =
  | boolean
  | string
  | number
  | readonly unknown[]
  | ReadonlyMap<string, unknown>
  | Fixed<unknown>
  | ValueWidget
  | Readonly<Record<string, unknown>>;

/** A control of a function. */
export interface Control {
  /** Undefined for a fixed value. */
  readonly widget: ValueWidget | undefined;
  value(): unknown;
}

/**
 * The control that an abbreviation stands for, described by its name.
 *
 * @throws TypeError where it stands for none
 */
export function controlOf(name: string, abbreviation: Abbreviation): Control {
  if (abbreviation instanceof Fixed) return { widget: undefined, value: () => abbreviation.value };
  const widget = widgetOf(name, abbreviation);
  const described = widget as unknown as { description?: string };
  if (described.description === "") described.description = name;
  return { widget, value: () => widget.value };
}

function widgetOf(name: string, abbreviation: unknown): ValueWidget {
  if (abbreviation instanceof CoreWidget) {
    if ("value" in abbreviation) return abbreviation as unknown as ValueWidget;
    throw new TypeError(
      `${name} cannot be controlled by a ${abbreviation.constructor.name}: it has no value.`,
    );
  }
  if (typeof abbreviation === "boolean") return new Checkbox({ value: abbreviation });
  if (typeof abbreviation === "string") return new Text({ value: abbreviation });
  if (typeof abbreviation === "number") return sliderAround(name, abbreviation);
  if (Array.isArray(abbreviation)) {
    if (isRange(abbreviation)) return slider(name, ...(abbreviation as [number, number, number?]));
    if (abbreviation.length) return new Dropdown({ options: abbreviation });
  } else if (typeof abbreviation === "object" && abbreviation !== null) {
    const options = abbreviation as Readonly<Record<string, unknown>> | ReadonlyMap<string, unknown>;
    if (options instanceof Map ? options.size : Object.keys(options).length) return new Dropdown({ options });
  }
  throw new TypeError(
    `${shortly(abbreviation)} stands for no control of ${name}: give a number, [from, to], a text, true or false, a list of options, or a widget.`,
  );
}

function isRange(list: readonly unknown[]): boolean {
  return (list.length === 2 || list.length === 3) && list.every((item) => typeof item === "number");
}

function sliderAround(name: string, value: number): ValueWidget {
  const [min, max] = value === 0 ? [0, 1] : value > 0 ? [-value, 3 * value] : [3 * value, -value];
  if (!Number.isFinite(value)) throw new TypeError(`No slider of ${name} goes around ${value}.`);
  return Number.isInteger(value) ? new IntSlider({ value, min, max }) : new FloatSlider({ value, min, max });
}

function slider(name: string, min: number, max: number, step?: number): ValueWidget {
  if (!(min <= max)) throw new RangeError(`The slider of ${name} would go from ${min} down to ${max}.`);
  if (step !== undefined && !(step > 0))
    throw new RangeError(`The slider of ${name} would go in steps of ${step}.`);
  const whole = [min, max, step ?? 1].every(Number.isInteger);
  const middle = whole ? min + Math.floor((max - min) / 2) : min + (max - min) / 2;
  const value = step === undefined ? middle : min + Math.floor((middle - min) / step) * step;
  if (whole) return new IntSlider({ value, min, max, step: step ?? 1 });
  return new FloatSlider({ value, min, max, step: step ?? 0.1 });
}
