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

/** Pages under titles, the first of which is shown where nothing else is said. */
export abstract class Tabbed<
  T extends { children: readonly AnyWidget[]; selectedIndex: number | null },
> extends Container<T> {
  constructor(children: readonly AnyWidget[] | TraitOptions<T> = [], traits: TraitOptions<T> = {}) {
    super(children, traits);
    const given = (Array.isArray(children) ? traits : children) as TraitOptions<{
      selectedIndex: number | null;
    }>;
    if (given.selectedIndex === undefined && this.get("children").length)
      this.set({ selectedIndex: 0 } as unknown as TraitOptions<T>);
  }
}
