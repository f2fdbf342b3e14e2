import { nearest } from "../../src/graph/rewrites.js";
import type { MagicContext } from "./magic.js";
import { UsageError } from "./options.js";

type Variables = MagicContext["variables"];

/** The names of the variables that cells have declared. */
export function variableNames(variables: Variables): string[] {
  return Object.keys(variables).filter(
    (name) => variables[name] !== undefined && !name.startsWith("tsLastExpr"),
  );
}

/**
 * The value of a variable, or of a property of it: `sweep.values`.
 *
 * @throws UsageError with the nearest names
 */
export function variableOf(variables: Variables, path: string): unknown {
  const [name, ...fields] = path.split(".") as [string, ...string[]];
  const names = variableNames(variables);
  if (!names.includes(name)) {
    const near = nearest(name, names);
    const help = near.length ? ` The nearest are ${near.join(", ")}.` : " No cell has declared one yet.";
    throw new UsageError(`There is no variable ${name}.${help}`);
  }
  return fields.reduce<unknown>((value, field) => {
    if (value === null || value === undefined || (value as Record<string, unknown>)[field] === undefined)
      throw new UsageError(`${path} is undefined: there is no ${field}.`);
    return (value as Record<string, unknown>)[field];
  }, variables[name]);
}
