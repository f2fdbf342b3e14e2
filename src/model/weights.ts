/** A model's weights by TransformerLens's names and layouts, whatever the family stores. */

import { contiguous, type Tensor, tensor } from "../array/index.js";
import { nearest } from "../graph/index.js";
import type { ModelConfig } from "./config.js";
import type { Block, Layout, Linear } from "./family.js";
import type { Parameters } from "./parameters.js";

/** Weights by name. */
export interface ModelWeights {
  /** The names: `W_E`, `W_U`, `W_Q`, … */
  readonly names: readonly string[];
  /**
   * A weight, read from the model's file: `W_E [dVocab, dModel]`, `W_pos [nCtx, dModel]`, `W_U [dModel, dVocab]`,
   * `W_Q W_K W_V [layer, head, dModel, dHead]`, `W_O [layer, head, dHead, dModel]`, `W_in W_gate [layer, dModel, dMlp]`,
   * `W_out [layer, dMlp, dModel]`, and their biases `b_Q …` (zeros where the model has none).
   */
  get(name: string): Tensor;
}

type Reader = () => Tensor;

/** The weights of a model. */
export function modelWeights(config: ModelConfig, layout: Layout, parameters: Parameters): ModelWeights {
  const { nLayers, nHeads, nKvHeads, dHead, dModel, dMlp, dVocab } = config;
  const blocks = (): Block[] => Array.from({ length: nLayers }, (_, layer) => layout.block(layer));
  const matrix = (map: Linear): Tensor => inOut(parameters, map);
  const bias = (map: Linear): Float32Array => biasOf(parameters, map);
  const stack = (of: (block: Block) => Float32Array, shape: readonly number[]): Tensor => {
    const parts = blocks().map(of);
    const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
    parts.forEach((part, i) => {
      all.set(part, i * part.length);
    });
    return tensor(all, [nLayers, ...shape]);
  };
  const byHead =
    (pick: (block: Block) => Linear, heads: number): Reader =>
    () =>
      stack((block) => headsFirst(matrix(pick(block)), heads, dHead), [heads, dModel, dHead]);
  const whole =
    (pick: (block: Block) => Linear, shape: readonly number[]): Reader =>
    () =>
      stack((block) => contiguous(matrix(pick(block))).data, shape);
  const biases =
    (pick: (block: Block) => Linear, shape: readonly number[]): Reader =>
    () =>
      stack((block) => bias(pick(block)), shape);

  const readers: Record<string, Reader> = {
    W_E: () => parameters.read(layout.embed),
    W_U: () => matrix(layout.unembed),
    b_U: () => tensor(biasOf(parameters, layout.unembed), [dVocab]),
    W_Q: byHead((block) => block.q, nHeads),
    W_K: byHead((block) => block.k, nKvHeads),
    W_V: byHead((block) => block.v, nKvHeads),
    W_O: whole((block) => block.o, [nHeads, dHead, dModel]),
    b_Q: biases((block) => block.q, [nHeads, dHead]),
    b_K: biases((block) => block.k, [nKvHeads, dHead]),
    b_V: biases((block) => block.v, [nKvHeads, dHead]),
    b_O: biases((block) => block.o, [dModel]),
    W_in: whole((block) => block.mlp.in, [dModel, dMlp]),
    b_in: biases((block) => block.mlp.in, [dMlp]),
    W_out: whole((block) => block.mlp.out, [dMlp, dModel]),
    b_out: biases((block) => block.mlp.out, [dModel]),
  };
  if (layout.positions !== undefined) readers.W_pos = () => parameters.read(layout.positions!);
  if (layout.block(0).mlp.gate) readers.W_gate = whole((block) => block.mlp.gate!, [dModel, dMlp]);
  const names = Object.keys(readers);
  return {
    names,
    get: (name) => {
      const reader = Object.hasOwn(readers, name) ? readers[name] : undefined;
      if (!reader)
        throw new Error(`There is no weight "${name}". The nearest are ${nearest(name, names).join(", ")}.`);
      return reader();
    },
  };
}

/** A map's matrix as `[in, out]`; a view where it is stored otherwise. */
function inOut(parameters: Parameters, { weight, layout, part, dOut }: Linear): Tensor {
  const stored = parameters.read(weight);
  const whole = layout === "inOut" ? stored : (stored.transpose(1, 0) as Tensor);
  return part ? (whole.hi(whole.shape[0], part.from + dOut).lo(0, part.from) as Tensor) : whole;
}

function biasOf(parameters: Parameters, { bias, part, dOut }: Linear): Float32Array {
  if (bias === undefined) return new Float32Array(dOut);
  const { data } = parameters.read(bias);
  return part ? data.slice(part.from, part.from + dOut) : data;
}

/** `[in, head*dHead]` as `[head, in, dHead]`. */
function headsFirst(matrix: Tensor, heads: number, dHead: number): Float32Array {
  const [dIn] = matrix.shape as [number, number];
  const { data } = contiguous(matrix);
  const result = new Float32Array(data.length);
  for (let i = 0; i < dIn; i++)
    for (let head = 0; head < heads; head++) {
      const from = (i * heads + head) * dHead;
      result.set(data.subarray(from, from + dHead), (head * dIn + i) * dHead);
    }
  return result;
}
