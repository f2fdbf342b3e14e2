/** The families that the engine knows. A new one is a file here and a line below. */

import type { Family } from "../family.js";
import type { HfConfig } from "../hf-config.js";
import { bert } from "./bert.js";
import { bloom } from "./bloom.js";
import { distilbert } from "./distilbert.js";
import { falcon } from "./falcon.js";
import { gemma, gemma2, gemma3 } from "./gemma.js";
import { gptNeo } from "./gpt-neo.js";
import { gptNeox } from "./gpt-neox.js";
import { gpt2 } from "./gpt2.js";
import { gptj } from "./gptj.js";
import { granite } from "./granite.js";
import { llama } from "./llama.js";
import { mamba } from "./mamba.js";
import { mistral } from "./mistral.js";
import { mixtral } from "./mixtral.js";
import { olmo2 } from "./olmo2.js";
import { opt } from "./opt.js";
import { phi } from "./phi.js";
import { phi3 } from "./phi3.js";
import { qwen2, qwen3 } from "./qwen.js";
import { stablelm } from "./stablelm.js";
import { t5 } from "./t5.js";
import { toy } from "./toy.js";

/** All families. */
export const families: readonly Family[] = [
  bert,
  bloom,
  distilbert,
  falcon,
  gemma,
  gemma2,
  gemma3,
  gptNeo,
  gptNeox,
  gpt2,
  gptj,
  granite,
  llama,
  mamba,
  mistral,
  mixtral,
  olmo2,
  opt,
  phi,
  phi3,
  qwen2,
  qwen3,
  stablelm,
  t5,
  toy,
];

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
