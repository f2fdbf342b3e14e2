/** The families that the engine knows. A new one is a file here and a line below. */

import type { Family } from "../family.js";
import type { HfConfig } from "../hf-config.js";
import { bert } from "./bert.js";
import { distilbert } from "./distilbert.js";
import { gpt2 } from "./gpt2.js";
import { llama } from "./llama.js";
import { toy } from "./toy.js";

const families: readonly Family[] = [toy, gpt2, llama, bert, distilbert];

/** The family of a `config.json`, or an error that lists the known ones. */
export function familyOf(config: HfConfig): Family {
  const found = families.find(({ modelTypes }) => modelTypes.includes(config.model_type as string));
  if (!found) {
    const known = families.flatMap(({ modelTypes }) => modelTypes).join(", ");
    throw new Error(
      `config.json: the architecture ${JSON.stringify(config.model_type)} is not supported; known are ${known}.`,
    );
  }
  const architectures = Array.isArray(config.architectures) ? (config.architectures as unknown[]) : [];
  for (const name of architectures)
    if (!found.heads.some((head) => String(name).endsWith(head)))
      throw new Error(
        `config.json: the architecture ${JSON.stringify(name)} is not supported; of ${JSON.stringify(config.model_type)} those are that end in ${found.heads.join(" or ")}.`,
      );
  return found;
}
