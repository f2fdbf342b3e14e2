/** The families that there are reference values of. */

import { existsSync, readdirSync } from "node:fs";
import { fixture, shared } from "../shared.js";

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

/**
 * The folder of a family's model and reference values: with the values of all layers where those are at hand, else with
 * those of the last layer.
 */
export function goldenFolder(family: string): string {
  const own = fixture("models", family);
  return existsSync(own) && full.has(family) ? own : (shared("golden", "models", family) ?? own);
}

/** Families whose fixture is not cut down. */
const full: ReadonlySet<string> = new Set(["gpt2", "llama", "llama_rope3"]);

/** The folder of a family's model, for tests that need no reference values. */
export const familyFolder = (family: string): string => fixture("models", family);

/** The names of small models with settings that the families' reference models do not have. */
export const variants: readonly string[] = readdirSync(fixture("models", "variants")).sort();
