/** New models: fresh parameters, and the graph that they are trained through. */

import { normalTensor, randomGenerator, type Tensor, tensor } from "../array/index.js";
import * as g from "../graph/index.js";
import type { ModelConfig } from "./config.js";
import { blocksOf, expectedShapes } from "./expected-parameters.js";
import { familyOf } from "./families/index.js";
import type { Layout } from "./family.js";
import { type HfConfig, numberOf } from "./hf-config.js";
import { transformer } from "./transformer.js";

/** A model that nothing has been learned by. */
export interface NewModel {
  readonly config: ModelConfig;
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** Its graph; `padded` where there is an input `attentionMask`. */
  readonly graph: (options?: { padded?: boolean }) => g.Graph;
}

/**
 * A new model of a family. Its parameters are drawn as its family's usually are: normal with the deviation
 * `initializer_range` of the configuration (0.02 by default; narrow models learn faster from a larger one), norms that
 * do nothing, and biases 0. As GPT-2's, matrices that write to a residual stream which is only added to are smaller by
 * √(2 · layers).
 *
 * @param json a `config.json` of a family that the engine knows
 */
export function newModel(json: HfConfig, seed: number | string): NewModel {
  const family = familyOf(json);
  const config = family.config(json);
  const layout = family.layout(config, json);
  const parameters = freshParameters(config, layout, seed, numberOf(json, "initializer_range", 0.02));
  const leaves = new Map(
    [...parameters].map(([name, { shape }]) => [name, g.parameter(name, "float32", shape)]),
  );
  return {
    config,
    parameters,
    graph: ({ padded } = {}) =>
      transformer(config, layout, (name) => leaves.get(name)!, { wants: () => false, padded }),
  };
}

function freshParameters(
  config: ModelConfig,
  layout: Layout,
  seed: number | string,
  deviation: number,
): Map<string, Tensor> {
  const random = randomGenerator(seed);
  const writers = new Set<string>();
  if (config.normPlacement === "before" && !layout.stateSpace)
    for (const { o, mlp } of blocksOf(config, layout)) {
      const mlps = mlp === undefined ? [] : "router" in mlp ? mlp.experts : [mlp];
      for (const { weight } of [o, ...mlps.map(({ out }) => out)]) writers.add(weight);
    }
  const parameters = new Map<string, Tensor>();
  for (const [name, shape] of expectedShapes(config, layout)) {
    const size = shape.reduce((a, b) => a * b, 1);
    const standardDeviation = writers.has(name) ? deviation / Math.sqrt(2 * config.nLayers) : deviation;
    const flat = name.endsWith("bias") ? 0 : 1 - (config.normOffset ?? 0);
    if (shape.length > 1) parameters.set(name, normalTensor(random.fork(name), shape, { standardDeviation }));
    else parameters.set(name, tensor(new Float32Array(size).fill(flat), shape));
  }
  return parameters;
}
