import { Model } from "../../../src/index.js";
import type { MagicContext } from "../magic.js";
import { UsageError } from "../options.js";

/** The name under which `%model` keeps the model. */
export const MODEL = "model";

/**
 * The model that magics work on: the one that `%model` loaded, or the last one that a cell has declared.
 *
 * @throws UsageError where there is none, with the ways to get one
 */
export function currentModel({ session, variables }: Pick<MagicContext, "session" | "variables">): Model {
  const declared = Object.values(variables).filter((value): value is Model => value instanceof Model);
  const model = session.get<Model>(MODEL) ?? declared.at(-1);
  if (model) return model;
  throw new UsageError(
    'No model is loaded: run `%model tiny-world`, or `const model = await loadModel("tiny-world")` in a cell.',
  );
}

/** The text of a magic: its words, or the cell below it. */
export function textOf({ words, body }: Pick<MagicContext, "words" | "body">, example: string): string {
  const text = words.length > 0 ? words.join(" ") : body.replace(/\n$/, "");
  if (text === "") throw new UsageError(`A text is missing, such as \`${example}\`.`);
  return text;
}
