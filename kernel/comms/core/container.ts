import { CoreWidget, type TraitOptions } from "./core-widget.js";

/** Whatever is a live widget: a core widget, or any that has one as its handle. */
export type AnyWidget = { readonly handle: object };

/**
 * A widget that holds others: `new HBox([a, b])`, `new Tab([a, b], { titles: ["one", "two"] })`, or with `children`
 * among the traits. Any live widget may be a child, not only core widgets.
 */
export abstract class Container<T extends { children: readonly AnyWidget[] }> extends CoreWidget<T> {
  constructor(children: readonly AnyWidget[] | TraitOptions<T> = [], traits: TraitOptions<T> = {}) {
    super(
      Array.isArray(children) ? ({ ...traits, children } as TraitOptions<T>) : (children as TraitOptions<T>),
    );
  }
}
