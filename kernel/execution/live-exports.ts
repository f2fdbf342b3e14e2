/** What cells have declared: tslab's store, in front of which stand the accessors of the variables that are live. */
export class LiveExports {
  /** What cells get as `exports`. */
  readonly exports: Record<string, unknown>;
  readonly #live = new Map<string | symbol, PropertyDescriptor>();

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
        return Reflect.set(target, name, undefined);
      },
      deleteProperty: (target, name) => {
        this.#live.delete(name);
        return Reflect.deleteProperty(target, name);
      },
    });
  }

  /** Lets go of variables that a cell declares anew: the functions of earlier cells keep theirs. */
  release(names: Iterable<string>): void {
    for (const name of names) this.#live.delete(name);
  }

  /** Forgets all. */
  clear(): void {
    this.#live.clear();
  }
}
