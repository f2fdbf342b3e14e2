import { bundledModels } from "../../../src/index.js";
import type { MagicContext } from "../magic.js";
import { cachedModels } from "./cached-models.js";
import { pointNames } from "./current-model.js";

/**
 * What a string in a cell may be meant to become: behind `loadModel(` the id of a model that needs no network,
 * elsewhere the name of one of the current model's points.
 *
 * @param before the code in front of the string
 */
export function offeredStrings(
  before: string,
  context: Pick<MagicContext, "session" | "variables">,
): readonly string[] {
  if (/\bloadModel\(\s*$/.test(before)) return [...bundledModels(), ...cachedModels()];
  return pointNames(context);
}
