/** Widgets that choose among options. Labels and indices travel; the values stay in the kernel. */
import { isDeepStrictEqual } from "node:util";
import { CoreWidget, type TraitOptions } from "./core-widget.js";
import { shortly, type TraitSpec } from "./traits.js";

/** Options: values that are their own labels, or values by label. */
export type Options<V> = readonly V[] | Readonly<Record<string, V>> | ReadonlyMap<string, V>;

type Labels = readonly (readonly [label: string, value: unknown])[];

/** What a selection begins with. */
export type SelectionOptions<T, V> = TraitOptions<T> & {
  /** What can be chosen: values, or values by label. */
  readonly options: Options<V>;
};

/**
 * @typeParam V an option
 * @typeParam W what is chosen
 */
abstract class Selection<V, W, T extends object> extends CoreWidget<
  T & { value: W },
  SelectionOptions<T & { value: W }, V>
> {
  #pairs: Labels;

  constructor(
    given: SelectionOptions<T & { value: W }, V>,
    /** The index of what is chosen, or of what is chosen at first where nothing is said. */
    indexOf: (labels: Labels, value: W | undefined) => unknown,
  ) {
    const { options, value, ...rest } = given as { options: Options<V>; value?: W; index?: unknown };
    const pairs = pairsOf(options);
    const index = value === undefined && rest.index !== undefined ? rest.index : indexOf(pairs, value);
    super({ ...rest, index, optionsLabels: pairs.map(([label]) => label) } as never);
    this.#pairs = pairs;
  }

  /** What can be chosen. New options choose the first, where one was chosen before. */
  get options(): readonly V[] {
    return this.#pairs.map(([, value]) => value as V);
  }
  set options(options: Options<V>) {
    this.#pairs = pairsOf(options);
    const labels = this.labels;
    this.handle.set({ _options_labels: labels, index: this.startOf(labels.length) });
  }

  /** The labels of the options. */
  get labels(): readonly string[] {
    return this.#pairs.map(([label]) => label);
  }

  /** What is chosen: the options themselves, not their labels. */
  get value(): W {
    return this.get("value");
  }
  set value(value: W) {
    this.set({ value } as TraitOptions<T & { value: W }>);
  }

  /** The index after the options have changed. */
  protected abstract startOf(length: number): unknown;
  /** What stands at an index, or at each of several. */
  protected abstract valueAt(index: unknown, options: readonly V[]): W;
  protected abstract indexOf(value: W, find: (option: V) => number): unknown;

  protected override decode(name: string, spec: TraitSpec, value: unknown): unknown {
    return name === "value" ? this.valueAt(value, this.options) : super.decode(name, spec, value);
  }

  protected override encode(name: string, spec: TraitSpec, value: unknown): unknown {
    if (name === "value") return this.indexOf(value as W, (option) => indexIn(this.#pairs, option));
    const encoded = super.encode(name, spec, value);
    const { length } = this.#pairs;
    for (const index of name === "index" ? [encoded].flat() : [])
      if (index !== null && !((index as number) >= 0 && (index as number) < length))
        throw new RangeError(
          `There are ${length} options, counted from 0: none has the index ${String(index)}.`,
        );
    return encoded;
  }
}

function pairsOf(options: unknown): Labels {
  if (options instanceof Map) return [...options].map(([label, value]) => [String(label), value]);
  if (Array.isArray(options)) return options.map((value) => [String(value), value]);
  if (typeof options === "object" && options !== null) return Object.entries(options);
  throw new TypeError(`Options are a list of values, or values by label, not ${shortly(options)}.`);
}

function indexIn(pairs: Labels, value: unknown): number {
  const index = pairs.findIndex(([, other]) => isDeepStrictEqual(other, value));
  if (index >= 0) return index;
  const labels = pairs.map(([label]) => label).join(", ");
  throw new RangeError(`${shortly(value)} is none of the options: ${labels}.`);
}

/** A widget that chooses one of its options, the first at first. */
export abstract class SingleSelection<V, T extends object> extends Selection<V, V | null, T> {
  constructor(given: SelectionOptions<T & { value: V | null }, V>) {
    super(given, (pairs, value) => {
      if (value === undefined) return pairs.length ? 0 : null;
      return value === null ? null : indexIn(pairs, value);
    });
  }

  /** The label of the option that is chosen; null where none is. */
  get label(): string | null {
    const index = this.handle.get("index") as number | null;
    return index === null ? null : (this.labels[index] ?? null);
  }

  protected startOf(length: number): number | null {
    return length && this.handle.get("index") !== null ? 0 : null;
  }

  protected valueAt(index: unknown, options: readonly V[]): V | null {
    return index === null ? null : (options[index as number] ?? null);
  }

  protected indexOf(value: V | null, find: (option: V) => number): number | null {
    return value === null ? null : find(value);
  }
}

/** A widget that chooses several of its options, none at first. */
export abstract class MultipleSelection<V, T extends object> extends Selection<V, readonly V[], T> {
  constructor(given: SelectionOptions<T & { value: readonly V[] }, V>) {
    super(given, (pairs, value = []) => value.map((option) => indexIn(pairs, option)));
  }

  protected startOf(): readonly number[] {
    return [];
  }

  protected valueAt(index: unknown, options: readonly V[]): readonly V[] {
    return (index as readonly number[]).map((i) => options[i]!);
  }

  protected indexOf(value: readonly V[], find: (option: V) => number): readonly number[] {
    return value.map(find);
  }
}

/** A widget that chooses a range of its options, by the first and the last: all at first. */
export abstract class RangeSelection<V, T extends object> extends Selection<V, readonly [V, V], T> {
  constructor(given: SelectionOptions<T & { value: readonly [V, V] }, V>) {
    super(given, (pairs, value) => value?.map((option) => indexIn(pairs, option)) ?? rangeOf(pairs.length));
  }

  protected startOf(length: number): readonly number[] {
    return rangeOf(length);
  }

  protected valueAt(index: unknown, options: readonly V[]): readonly [V, V] {
    const [first, last] = index as readonly [number, number];
    return [options[first]!, options[last]!];
  }

  protected indexOf([first, last]: readonly [V, V], find: (option: V) => number): readonly number[] {
    return [find(first), find(last)];
  }
}

function rangeOf(length: number): readonly number[] {
  return [0, Math.max(0, length - 1)];
}
