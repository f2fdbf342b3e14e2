/** New language models: fresh parameters, what they are trained on, and how they are saved. */

import {
  joinPath,
  makeFolder,
  normalTensor,
  randomGenerator,
  type Tensor,
  tensor,
  writeFile,
  writeSafetensors,
} from "../array/index.js";
import * as g from "../graph/index.js";
import type { Feed } from "../runtime/ort.js";
import type { Objective } from "../train/index.js";
import type { ModelConfig } from "./config.js";
import { blocksOf, expectedShapes } from "./expected-parameters.js";
import { familyOf } from "./families/index.js";
import type { Layout } from "./family.js";
import { type HfConfig, numberOf } from "./hf-config.js";
import { transformer } from "./transformer.js";

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
 */
export function newLanguageModel(json: HfConfig, { seed = 0 }: { seed?: number } = {}): LanguageModel {
  const family = familyOf(json);
  const config = family.config(json);
  const layout = family.layout(config, json);
  const parameters = freshParameters(config, layout, seed, numberOf(json, "initializer_range", 0.02));
  const leaves = new Map(
    [...parameters].map(([name, { shape }]) => [name, g.parameter(name, "float32", shape)]),
  );
  const graph = transformer(config, layout, (name) => leaves.get(name)!, { wants: () => false });
  const next = g.input("next", "int64", ["batch", "pos"]);
  const loss = g.mean(g.crossEntropy(graph.outputs.logits!, next));
  return { config, parameters, loss, batch: trainingBatch };
}

function freshParameters(
  config: ModelConfig,
  layout: Layout,
  seed: number,
  deviation: number,
): Map<string, Tensor> {
  const random = randomGenerator(seed);
  const writers = new Set<string>();
  for (const { o, mlp } of blocksOf(config, layout))
    for (const { weight } of [o, ...("router" in mlp ? mlp.experts : [mlp]).map(({ out }) => out)])
      writers.add(weight);
  const parameters = new Map<string, Tensor>();
  for (const [name, shape] of expectedShapes(config, layout)) {
    const size = shape.reduce((a, b) => a * b, 1);
    const standardDeviation = writers.has(name) ? deviation / Math.sqrt(2 * config.nLayers) : deviation;
    if (shape.length > 1) parameters.set(name, normalTensor(random.fork(name), shape, { standardDeviation }));
    else parameters.set(name, tensor(new Float32Array(size).fill(name.endsWith("bias") ? 0 : 1), shape));
  }
  return parameters;
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

/** Writes a model as a folder in Hugging Face's layout. */
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
