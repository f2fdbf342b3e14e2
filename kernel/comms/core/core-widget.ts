import { inspect } from "node:util";
import type { MimeBundle } from "../../../widgets/host.js";
import { currentWidgets } from "../current.js";
import { DISPLAY } from "../display.js";
import type { Widget } from "../widget.js";
import { withinBounds } from "./bounds.js";
import {
  decodeTrait,
  encodeTrait,
  type TraitSpec,
  type TraitSpecs,
  type WidgetDefinition,
} from "./traits.js";

/** A change of a trait, made by the code or by a reader. */
export interface TraitChange<T, K extends keyof T = keyof T> {
  readonly name: K;
  readonly value: T[K];
  readonly old: T[K];
}

/** The traits that a widget begins with. What is left out has its default. A layout or a style may be given by its traits. */
export type TraitOptions<T> = {
  readonly [K in keyof T]?: T[K] extends CoreWidget<infer U> ? T[K] | TraitOptions<U> : T[K];
};

type Values = Readonly<Record<string, unknown>>;

/**
 * A widget whose browser half ships with ipywidgets 8. Every trait is a property: reading it gives its present value,
 * setting it changes every view. As the last value of a cell, or by `display`, the widget is shown.
 */
export abstract class CoreWidget<T extends object = object, O extends object = TraitOptions<T>> {
  /** Its names and traits. */
  static readonly definition: WidgetDefinition;
  /** The live widget behind it. */
  readonly handle: Widget<Record<string, unknown>>;

  /**
   * @throws TypeError for a trait that there is not, or a value that a trait may not have
   * @throws Error outside a notebook
   */
  constructor(traits?: O) {
    const { definition } = new.target as unknown as typeof CoreWidget;
    const widgets = currentWidgets();
    const whole = this.#whole(definition, (traits ?? {}) as Values);
    const owned = whole.made.map((widget) => widget.handle);
    this.handle = widgets.open(
      { ...definition.identity, ...whole.state },
      () => ({ "text/plain": this.#text() }),
      owned,
    );
  }

  get #definition(): WidgetDefinition {
    return (this.constructor as typeof CoreWidget).definition;
  }

  /** The whole state, with the widgets that were made for it. */
  #whole(definition: WidgetDefinition, given: Values): { state: Values; made: CoreWidget[] } {
    const made: CoreWidget[] = [];
    const state: Record<string, unknown> = {};
    for (const name of Object.keys(given)) specOf(definition, name);
    for (const [name, spec] of Object.entries(definition.traits)) {
      if (spec.derived) continue;
      const value = given[name];
      if (spec.make && !(value instanceof CoreWidget)) {
        const widget = spec.make(asTraits(definition, name, value)) as CoreWidget;
        made.push(widget);
        state[name] = widget;
      } else if (value !== undefined) state[name] = encodeTrait(`${definition.name}.${name}`, spec, value);
      else state[name] = spec.default ?? (spec.kind === "bytes" ? new Uint8Array() : null);
    }
    return { state: onWire(definition.traits, withinBounds(definition, state, state)), made };
  }

  /** The id of its model in the front ends. */
  get id(): string {
    return this.handle.id;
  }

  /** Whether it has been closed, here or by a front end. */
  get closed(): boolean {
    return this.handle.closed;
  }

  /**
   * The name of a trait on the wire, as front ends know it.
   *
   * @throws TypeError where there is no such trait
   */
  wireName(name: keyof T & string): string {
    return specOf(this.#definition, name).wire;
  }

  /** The value of a trait. */
  get<K extends keyof T & string>(name: K): T[K] {
    const spec = specOf(this.#definition, name);
    return this.decode(name, spec, this.handle.get(spec.wire)) as T[K];
  }

  /** A trait as users see it, from what is kept. */
  protected decode(_name: string, spec: TraitSpec, value: unknown): unknown {
    return decodeTrait(spec, value);
  }

  /** A trait as it is kept and sent. */
  protected encode(name: string, spec: TraitSpec, value: unknown): unknown {
    return encodeTrait(`${this.#definition.name}.${name}`, spec, value);
  }

  /**
   * Changes traits, in one message.
   *
   * @throws TypeError for a trait that there is not, or a value that it may not have
   * @throws Error when the widget is closed
   */
  set(patch: TraitOptions<T>): void {
    const definition = this.#definition;
    if (this.closed) throw new Error(`This ${definition.name} is closed: make a new one.`);
    const checked: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(patch)) {
      const spec = specOf(definition, name);
      if (spec.make && !(value instanceof CoreWidget)) {
        (this.get(name as keyof T & string) as CoreWidget).set(asTraits(definition, name, value));
      } else checked[name] = this.encode(name, spec, value);
    }
    const old = Object.fromEntries(
      Object.entries(definition.traits).map(([name, { wire }]) => [name, this.handle.get(wire)]),
    );
    this.handle.set(onWire(definition.traits, withinBounds(definition, old, checked)));
  }

  /**
   * Calls back when a trait changes, by the code or by a reader.
   *
   * @returns the function that ends it
   *
   * @example
   * ```ts
   * slider.observe("value", (value, { old }) => console.log(`from ${old} to ${value}`));
   * ```
   */
  observe<K extends keyof T & string>(
    name: K,
    callback: (value: T[K], change: TraitChange<T, K>) => unknown,
  ): () => void {
    const { wire } = specOf(this.#definition, name);
    return this.handle.observe(({ name: changed, value, old }) => {
      if (changed !== wire) return;
      const change = this.#change(name, value, old);
      return callback(change.value, change);
    });
  }

  /** Calls back at each change of any trait, or when the widget is closed; returns the function that ends it. */
  on(event: "change", callback: (change: TraitChange<T>) => unknown): () => void;
  on(event: "close", callback: () => unknown): () => void;
  on(
    event: "change" | "close",
    callback: ((change: TraitChange<T>) => unknown) | (() => unknown),
  ): () => void {
    if (event === "close") return this.handle.onClose(callback as () => unknown);
    if (event !== "change")
      throw new TypeError(`Widgets have the events "change" and "close", not ${JSON.stringify(event)}.`);
    const names = new Map(Object.entries(this.#definition.traits).map(([name, { wire }]) => [wire, name]));
    return this.handle.observe(({ name: wire, value, old }) => {
      const name = names.get(wire);
      if (name !== undefined) return callback(this.#change(name as keyof T & string, value, old));
    });
  }

  #change<K extends keyof T & string>(name: K, value: unknown, old: unknown): TraitChange<T, K> {
    const spec = specOf(this.#definition, name);
    return { name, value: this.decode(name, spec, value) as T[K], old: this.decode(name, spec, old) as T[K] };
  }

  /**
   * The changes from now on, one after the other, until the widget is closed.
   *
   * @example
   * ```ts
   * for await (const { name, value } of slider) if (name === "value" && value === 10) break;
   * ```
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<TraitChange<T>, void, void> {
    const queue: TraitChange<T>[] = [];
    let wake = (): void => {};
    const ends = [
      this.on("change", (change) => {
        queue.push(change);
        wake();
      }),
      this.on("close", () => wake()),
    ];
    try {
      while (true) {
        while (queue.length) yield queue.shift()!;
        if (this.closed) return;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      for (const end of ends) end();
    }
  }

  /** Ends the widget, with the layout and the style that were made for it, here and in every view. */
  close(): void {
    this.handle.close();
  }

  /** The live view, with a text for places where no widget runs. */
  bundle(): MimeBundle {
    return this.handle.bundle();
  }

  [inspect.custom](): string {
    return this.#text();
  }

  /** The traits that differ from their defaults, as text. */
  #text(): string {
    const { name, traits } = this.#definition;
    const shown = Object.entries(traits).filter(
      ([, spec]) => !spec.make && !isDefault(spec, this.handle.get(spec.wire)),
    );
    const parts = shown.map(([trait]) => `${trait}: ${textOf(this.get(trait as keyof T & string))}`);
    return `${name}(${parts.join(", ")})`;
  }
}

Object.defineProperty(CoreWidget.prototype, DISPLAY, { value: CoreWidget.prototype.bundle });

/** Gives a class the properties of its traits; returns its definition. */
export function define(
  type: { readonly prototype: object },
  name: string,
  identity: WidgetDefinition["identity"],
  traits: TraitSpecs,
): WidgetDefinition {
  for (const trait of Object.keys(traits)) {
    if (trait in type.prototype) continue;
    Object.defineProperty(type.prototype, trait, {
      configurable: true,
      enumerable: true,
      get(this: CoreWidget<Record<string, unknown>>) {
        return this.get(trait);
      },
      set(this: CoreWidget<Record<string, unknown>>, value: unknown) {
        this.set({ [trait]: value });
      },
    });
  }
  return { name, identity, traits };
}

function specOf({ name, traits }: WidgetDefinition, trait: string): TraitSpec {
  const spec = Object.hasOwn(traits, trait) ? traits[trait] : undefined;
  if (spec) return spec;
  throw new TypeError(
    `${name} has no trait ${JSON.stringify(trait)}. Its traits are ${Object.keys(traits).join(", ")}.`,
  );
}

function asTraits({ name }: WidgetDefinition, trait: string, value: unknown): object {
  if (value === undefined) return {};
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new TypeError(`${name}.${trait} is a widget, or an object of its traits, not ${String(value)}.`);
}

function onWire(traits: TraitSpecs, values: Values): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [traits[name]!.wire, value]));
}

function isDefault(spec: TraitSpec, value: unknown): boolean {
  const standard = spec.default ?? null;
  if (value instanceof Uint8Array) return value.length === 0;
  if (spec.kind === "widget") return Array.isArray(value) ? value.length === 0 : !value;
  return JSON.stringify(value ?? null) === JSON.stringify(standard);
}

function textOf(value: unknown): string {
  const text = inspect(value, { depth: 1, breakLength: Number.POSITIVE_INFINITY });
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`;
}
