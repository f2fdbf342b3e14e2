/** Models with random weights to measure with, made once and kept in `.cache/bench`. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { NdArray } from "ndarray";
import { packageFolder, randomGenerator, tensor } from "../../src/array/index.js";
import type { HfConfig } from "../../src/model/config.js";
import type { Model } from "../../src/model/index.js";
import { newLanguageModel, saveLanguageModel } from "../../src/model/language-model.js";

/** The shape of GPT-2 small. */
const small = { n_embd: 768, n_head: 12, n_layer: 12, n_positions: 1024, vocab_size: 50257 };
/** The same in little, to see whether a program works. */
const tiny = { n_embd: 64, n_head: 4, n_layer: 4, n_positions: 256, vocab_size: 512 };

/** The folder of a GPT-2 with random weights, in Hugging Face's layout. */
export async function randomModel({ quick }: { quick: boolean }): Promise<string> {
  const sizes = quick ? tiny : small;
  const folder = join(packageFolder(), ".cache", "bench", quick ? "gpt2-tiny-random" : "gpt2-small-random");
  if (existsSync(join(folder, "model.safetensors"))) return folder;
  const last = sizes.vocab_size - 1;
  const config: HfConfig = {
    architectures: ["GPT2LMHeadModel"],
    model_type: "gpt2",
    activation_function: "gelu_new",
    bos_token_id: last,
    eos_token_id: last,
    ...sizes,
  };
  console.log(`Making a model with random weights in ${folder} …`);
  const { parameters } = newLanguageModel(config, { seed: 0 });
  await saveLanguageModel(folder, { config, parameters });
  return folder;
}

/** Rows of random token ids. */
export function randomTokens(vocabulary: number, batch: number, length: number, seed = "tokens"): number[][] {
  const random = randomGenerator(`${seed} ${batch} ${length}`);
  return Array.from({ length: batch }, () => Array.from({ length }, () => random.integer(vocabulary)));
}

/** Token ids as a model is fed them. */
export function tokenTensor(rows: readonly (readonly number[])[]): NdArray<Int32Array> {
  return tensor(Int32Array.from(rows.flat()), [rows.length, rows[0]!.length]);
}

/** How many plans a model has, and how many of them hold packed weights. */
export function plansOf(model: Model): () => { plans: number; packed: number } {
  // No user needs to know, but a measurement must: hence past `private`.
  // biome-ignore lint/complexity/useLiteralKeys: only this form of access is allowed to.
  return () => model["parts"].engine.runtime.statistics;
}
