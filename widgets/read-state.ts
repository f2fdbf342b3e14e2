import type { WidgetHandle } from "./host.js";

/** The whole state of a widget as it is now: the attributes that its defaults name. */
export function readState<S extends object>(handle: WidgetHandle<S>, defaults: S): S {
  const names = Object.keys(defaults) as (keyof S)[];
  return Object.fromEntries(names.map((name) => [name, handle.get(name)])) as S;
}
