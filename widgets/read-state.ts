/** What has attributes: a widget in the kernel, or its model in a view. */
export interface Attributes {
  get(name: never): unknown;
}

/** Some attributes as they are now. */
export function readAttributes<T extends object>(from: Attributes, names: readonly (keyof T)[]): T {
  return Object.fromEntries(names.map((name) => [name, from.get(name as never)])) as T;
}

/** The whole state as it is now: the attributes that its defaults name. */
export function readState<S extends object>(from: Attributes, defaults: S): S {
  return readAttributes<S>(from, Object.keys(defaults) as (keyof S)[]);
}
