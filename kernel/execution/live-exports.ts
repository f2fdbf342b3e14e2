import type { Declared } from "./live-variables.js";

type Setter = (value: unknown) => void;

/** What cells have declared: tslab's store, in front of which stand the accessors of the variables that are live. */
export class LiveExports {
  /** What cells get as `exports`. */
  readonly exports: Record<string, unknown>;
  readonly #live = new Map<string | symbol, PropertyDescriptor>();
  /** Of each function, what sets it in the cells that have declared it, as long as they have functions that run. */
  readonly #functions = new Map<string | symbol, WeakRef<Setter>[]>();

  /** @param store where tslab keeps the variables; it evaluates accessors when they are defined */
  constructor(store: Record<string, unknown>) {
    this.exports = new Proxy(store, {
      get: (target, name) => {
        const live = this.#live.get(name);
        return live ? live.get!() : Reflect.get(target, name);
      },
      set: (target, name, value) => {
        const live = this.#live.get(name);
        if (live) live.set!(value);
        else Reflect.set(target, name, value);
        return true;
      },
      defineProperty: (target, name, descriptor) => {
        if (!descriptor.get || !descriptor.set) return Reflect.defineProperty(target, name, descriptor);
        this.#live.set(name, descriptor);
        this.#link(name, descriptor.get(), descriptor.set);
        return Reflect.set(target, name, undefined);
      },
      deleteProperty: (target, name) => {
        this.#live.delete(name);
        this.#functions.delete(name);
        return Reflect.deleteProperty(target, name);
      },
    });
  }

  /** Gives a function that is declared anew to the cells that have declared it before. */
  #link(name: string | symbol, value: unknown, set: Setter): void {
    const linked = this.#functions.get(name);
    if (!linked) return;
    for (const earlier of linked) earlier.deref()?.(value);
    linked.push(new WeakRef(set));
  }

  /** Lets go of variables that a cell declares anew: the functions of earlier cells keep theirs, but for functions. */
  release({ names, functions }: Declared): void {
    for (const name of names) {
      this.#live.delete(name);
      if (!functions.includes(name)) this.#functions.delete(name);
    }
    for (const name of functions) {
      const alive = this.#functions.get(name)?.filter((set) => set.deref()) ?? [];
      this.#functions.set(name, alive);
    }
  }

  /** Forgets all. */
  clear(): void {
    this.#live.clear();
    this.#functions.clear();
  }
}
