/** New language models: what they are trained on, and how models are saved. */

import { joinPath, makeFolder, type Tensor, writeFile, writeSafetensors } from "../array/index.js";
import * as g from "../graph/index.js";
import type { Feed } from "../runtime/ort.js";
import type { Objective } from "../train/index.js";
import type { ModelConfig } from "./config.js";
import type { HfConfig } from "./hf-config.js";
import { newModel } from "./new-model.js";

/** A model in training. */
export interface LanguageModel extends Objective {
  readonly config: ModelConfig;
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** The inputs of a step for rows of token ids of equal length; each row's tokens predict the ones after them. */
  batch(rows: readonly ArrayLike<number>[]): Record<string, Feed>;
}

/**
 * A new language model, to be given to `train`. Its parameters are drawn as GPT-2's were: normal with the deviation
 * `initializer_range` of the configuration (0.02 by default; narrow models learn faster from a larger one), those that
 * write to the residual stream smaller by √(2 · layers), norms 1 and biases 0.
 *
 * @param json a `config.json` of a family that the engine knows
 * @throws if the family does not predict next tokens
 */
export function newLanguageModel(json: HfConfig, { seed = 0 }: { seed?: number } = {}): LanguageModel {
  const { config, parameters, graph } = newModel(json, seed);
  if (config.task !== "nextToken")
    throw new Error(`config.json: models of the family "${config.family}" do not predict next tokens.`);
  const next = g.input("next", "int64", ["batch", "pos"]);
  const loss = g.mean(g.crossEntropy(graph().outputs.logits!, next));
  return { config, parameters, loss, batch: trainingBatch };
}

function trainingBatch(rows: readonly ArrayLike<number>[]): Record<string, Feed> {
  const length = rows[0]!.length - 1;
  const shape = [rows.length, length];
  const tokens = new BigInt64Array(rows.length * length);
  const positions = new BigInt64Array(tokens.length);
  const next = new BigInt64Array(tokens.length);
  rows.forEach((row, b) => {
    if (row.length !== length + 1)
      throw new Error(`The rows of a batch differ in length: ${row.length} and ${length + 1}.`);
    for (let i = 0; i < length; i++) {
      tokens[b * length + i] = BigInt(row[i]!);
      positions[b * length + i] = BigInt(i);
      next[b * length + i] = BigInt(row[i + 1]!);
    }
  });
  const feed = (data: BigInt64Array): Feed => ({ dtype: "int64", shape, data });
  return { tokens: feed(tokens), positions: feed(positions), next: feed(next) };
}

/** Writes a model, a language model or a classifier, as a folder in Hugging Face's layout. */
export async function saveLanguageModel(
  folder: string,
  model: {
    readonly config: HfConfig;
    readonly parameters: ReadonlyMap<string, Tensor>;
    readonly tokenizer?: object;
  },
): Promise<void> {
  await makeFolder(folder);
  const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
  await writeFile(joinPath(folder, "config.json"), json(model.config));
  if (model.tokenizer) await writeFile(joinPath(folder, "tokenizer.json"), json(model.tokenizer));
  await writeSafetensors(joinPath(folder, "model.safetensors"), model.parameters, { format: "pt" });
}
