/** The families that there are reference values of. */

import { existsSync } from "node:fs";
import { fixture, sharedOrSkip } from "../shared.js";

/** The names of the folders that hold a small model of each family with its reference values. */
export const goldenFamilies: readonly string[] = [
  "gpt2",
  "gpt_neo",
  "gptj",
  "gpt_neox",
  "gpt_neox_sequential",
  "opt",
  "llama",
  "llama_rope3",
  "mistral",
  "mixtral",
  "gemma",
  "gemma2",
  "gemma3",
  "qwen2",
  "qwen3",
  "phi",
  "phi3",
  "olmo2",
  "bert",
  "bert_classifier",
  "distilbert_classifier",
  "extra-falcon",
  "extra-bloom",
  "extra-granite",
  "extra-stablelm",
];

/** The folder of a family's model and reference values: all of them where they are, a part of them otherwise. */
export function goldenFolder(test: Mocha.Context, family: string): string {
  const own = fixture("models", family);
  return existsSync(own) ? own : sharedOrSkip(test, "golden", "models", family);
}
