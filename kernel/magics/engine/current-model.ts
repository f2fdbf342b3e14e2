import { Model } from "../../../src/index.js";
import type { MagicContext } from "../magic.js";
import { UsageError } from "../options.js";

/** The name under which `%model` keeps the model. */
export const MODEL = "model";

/** Where models are. */
type ModelPlaces = Pick<MagicContext, "session" | "variables">;

function findModel({ session, variables }: ModelPlaces): Model | undefined {
  const declared = Object.values(variables).filter((value): value is Model => value instanceof Model);
  return session.get<Model>(MODEL) ?? declared.at(-1);
}

/** The names of the current model's points, for completion; none where there is no model. */
export function pointNames(context: ModelPlaces): readonly string[] {
  return findModel(context)?.hookNames ?? [];
}

/**
 * The model that magics work on: the one that `%model` loaded, or the last one that a cell has declared.
 *
 * @throws UsageError where there is none, with the ways to get one
 */
export function currentModel(context: ModelPlaces): Model {
  const model = findModel(context);
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
