/** The families that there are reference values of. */

import { existsSync, readdirSync } from "node:fs";
import { fixture, shared } from "../shared.js";

/** The folders that hold a small model of each family with its reference values, and what the family is called. */
export const goldenFamilies: Readonly<Record<string, string>> = {
  gpt2: "GPT-2",
  gpt_neo: "GPT-Neo",
  gptj: "GPT-J",
  gpt_neox: "GPT-NeoX, Pythia",
  gpt_neox_sequential: "GPT-NeoX, not parallel",
  opt: "OPT",
  llama: "Llama",
  llama_rope3: "Llama 3 (scaled rotation)",
  mistral: "Mistral",
  mixtral: "Mixtral",
  gemma: "Gemma",
  gemma2: "Gemma 2",
  gemma3: "Gemma 3",
  qwen2: "Qwen 2, 2.5",
  qwen3: "Qwen 3",
  phi: "Phi 1–2",
  phi3: "Phi-3, Phi-4",
  olmo2: "OLMo 2",
  "extra-falcon": "Falcon",
  "extra-bloom": "BLOOM",
  "extra-granite": "Granite",
  "extra-stablelm": "StableLM",
  "extra-mamba": "Mamba",
  "extra-t5": "T5",
  bert: "BERT",
  bert_classifier: "BERT, classifying",
  distilbert_classifier: "DistilBERT, classifying",
};

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
