/** Links between traits of widgets: in the browser, where they work without a kernel, or in the kernel. */
import type { CoreWidget } from "./core-widget.js";
import { DirectionalLink, Link } from "./generated.js";

/** A trait of a widget. */
export type TraitOf<T extends object, K extends keyof T & string> = readonly [
  widget: CoreWidget<T>,
  trait: K,
];

/** A link that can be ended. */
export interface Linked {
  /** Ends the link. */
  unlink(): void;
}

/**
 * Links two traits in the browser, both ways: they stay equal there also when no kernel runs.
 *
 * @example
 * ```ts
 * jslink([play, "value"], [slider, "value"]);
 * ```
 */
export function jslink<A extends object, B extends object>(
  source: TraitOf<A, keyof A & string>,
  target: TraitOf<B, keyof B & string>,
): Linked {
  const link = new Link({ source: onWire(source), target: onWire(target) });
  return { unlink: () => link.close() };
}

/** Links two traits in the browser, from the source to the target only. */
export function jsdlink<A extends object, B extends object>(
  source: TraitOf<A, keyof A & string>,
  target: TraitOf<B, keyof B & string>,
): Linked {
  const link = new DirectionalLink({ source: onWire(source), target: onWire(target) });
  return { unlink: () => link.close() };
}

/** Links two traits in the kernel, both ways. The target takes the source's value first. */
export function link<A extends object, B extends object>(
  source: TraitOf<A, keyof A & string>,
  target: TraitOf<B, keyof B & string>,
): Linked {
  const [there, back] = [dlink(source, target), follow(target, source)];
  return {
    unlink() {
      there.unlink();
      back();
    },
  };
}

/**
 * Links two traits in the kernel, from the source to the target only, which takes the source's value at once.
 *
 * @param transform makes the target's value from the source's. Default: the value as it is
 */
export function dlink<A extends object, B extends object>(
  source: TraitOf<A, keyof A & string>,
  target: TraitOf<B, keyof B & string>,
  transform: (value: A[keyof A & string]) => unknown = (value) => value,
): Linked {
  const [widget, trait] = source;
  put(target, transform(widget.get(trait)));
  return { unlink: follow(source, target, transform) };
}

function follow<A extends object, B extends object>(
  [widget, trait]: TraitOf<A, keyof A & string>,
  target: TraitOf<B, keyof B & string>,
  transform: (value: A[keyof A & string]) => unknown = (value) => value,
): () => void {
  return widget.observe(trait, (value) => put(target, transform(value)));
}

function put<B extends object>([widget, trait]: TraitOf<B, keyof B & string>, value: unknown): void {
  (widget as unknown as CoreWidget<Record<string, unknown>>).set({ [trait]: value });
}

function onWire<T extends object>([widget, trait]: TraitOf<T, keyof T & string>): readonly [
  CoreWidget,
  string,
] {
  return [widget as unknown as CoreWidget, widget.wireName(trait)];
}
