/** A model of the shape of Llama 3.2 1B with random weights of 16 bits, made once and kept in `.cache/bench`. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { type LazyTensor, packageFolder, writeFile, writeSafetensorsLazily } from "../../src/array/index.js";
import { expectedShapes } from "../../src/model/expected-parameters.js";
import { familyOf } from "../../src/model/families/index.js";
import type { HfConfig } from "../../src/model/hf-config.js";

const billion = {
  hidden_size: 2048,
  intermediate_size: 8192,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  num_hidden_layers: 16,
  vocab_size: 128256,
};
/** The same in little, to see whether a program works. */
const tiny = {
  hidden_size: 64,
  intermediate_size: 128,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  num_hidden_layers: 2,
  vocab_size: 512,
};

/** The folder of a Llama with random bfloat16 weights, in Hugging Face's layout. */
export async function largeModel({ quick }: { quick: boolean }): Promise<string> {
  const name = quick ? "llama-tiny-bf16" : "llama-1b-bf16";
  const folder = join(packageFolder(), ".cache", "bench", name);
  if (existsSync(join(folder, "model.safetensors"))) return folder;
  const json: HfConfig = {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    hidden_act: "silu",
    head_dim: quick ? 16 : 64,
    max_position_embeddings: 4096,
    rms_norm_eps: 1e-5,
    rope_theta: 500000,
    tie_word_embeddings: true,
    bos_token_id: 1,
    eos_token_id: 2,
    ...(quick ? tiny : billion),
  };
  const family = familyOf(json);
  const config = family.config(json);
  console.log(`Making a model with random weights in ${folder} …`);
  const tensors = new Map<string, LazyTensor>();
  for (const [parameter, shape] of expectedShapes(config, family.layout(config, json)))
    tensors.set(parameter, {
      dtype: "bfloat16",
      shape,
      read: () => ({ dtype: "bfloat16", shape, data: randomBits(shape) }),
    });
  await writeFile(join(folder, "config.json"), JSON.stringify(json));
  await writeSafetensorsLazily(join(folder, "model.safetensors"), tensors, { format: "pt" });
  return folder;
}

/** Values between 0.0156 and 0.0312 of either sign in matrices, and 1 in norms. */
function randomBits(shape: readonly number[]): Uint16Array {
  const bits = new Uint16Array(shape.reduce((a, b) => a * b, 1));
  if (shape.length === 1) return bits.fill(0x3f80);
  let state = 12345;
  for (let i = 0; i < bits.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    bits[i] = ((state >>> 16) & 0x8000) | 0x3c80 | ((state >>> 9) & 0x7f);
  }
  return bits;
}
