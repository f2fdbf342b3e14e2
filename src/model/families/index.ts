/** The families that the engine knows. A new one is a file here and a line below. */

import type { HfConfig } from "../config.js";
import type { Family } from "../family.js";
import { gpt2 } from "./gpt2.js";
import { llama } from "./llama.js";

const families: readonly Family[] = [gpt2, llama];

/** The family of a `config.json`, or an error that lists the known ones. */
export function familyOf(config: HfConfig): Family {
  const found = families.find(({ modelTypes }) => modelTypes.includes(config.model_type as string));
  if (found) return found;
  const known = families.flatMap(({ modelTypes }) => modelTypes).join(", ");
  throw new Error(
    `config.json: the architecture ${JSON.stringify(config.model_type)} is not supported; known are ${known}.`,
  );
}
