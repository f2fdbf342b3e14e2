/** A model's weights by TransformerLens's names and layouts, whatever the family stores. */

import { contiguous, type Tensor, tensor } from "../array/index.js";
import { nearest } from "../graph/index.js";
import type { ModelConfig } from "./config.js";
import { blocksOf } from "./expected-parameters.js";
import { FactoredMatrix } from "./factored-matrix.js";
import type { Block, DenseMlp, Layout, Linear, StateSpace } from "./family.js";
import { biasOf, matrixOf } from "./maps.js";
import type { Parameters } from "./parameters.js";

/** Weights by name. */
export interface ModelWeights {
  /** The names: `W_E`, `W_U`, `W_Q`, …, `QK`, `OV`. */
  readonly names: readonly string[];
  /**
   * What each head's queries and keys, or values and outputs, make of the residual stream together: `QK = W_Q W_Kᵀ` and
   * `OV = W_V W_O`, `[layer, head, dModel, dModel]` of rank `dHead`, never multiplied out (Elhage et al. 2021).
   */
  get(name: "QK" | "OV"): FactoredMatrix;
  /**
   * A weight, read from the model's file: `W_E [dVocab, dModel]`, `W_pos [nCtx, dModel]`, `W_U [dModel, dVocab]`,
   * `W_Q W_K W_V [layer, head, dModel, dHead]`, `W_O [layer, head, dHead, dModel]`, `W_in W_gate [layer, dModel, dMlp]`,
   * `W_out [layer, dMlp, dModel]`, and their biases `b_Q …` (zeros where the model has none). Keys and values have
   * `nKvHeads` heads. Models with experts have `W_in [layer, expert, dModel, dMlp]` and so on; state-space
   * models `W_in_proj W_conv W_x_proj W_dt_proj W_out_proj A_log D`, each with the layer in front.
   */
  get(name: string): Tensor;
}

/** The weights of a model. */
export function modelWeights(config: ModelConfig, layout: Layout, parameters: Parameters): ModelWeights {
  const readers = weightReaders(config, layout, parameters);
  const factored: Readonly<Record<string, () => FactoredMatrix>> = layout.stateSpace
    ? {}
    : {
        QK: () => {
          const keys = repeatHeads(readers.W_K!(), config.nHeads / config.nKvHeads);
          return new FactoredMatrix(readers.W_Q!(), keys.transpose(0, 1, 3, 2) as Tensor);
        },
        OV: () =>
          new FactoredMatrix(repeatHeads(readers.W_V!(), config.nHeads / config.nKvHeads), readers.W_O!()),
      };
  const names = [...Object.keys(readers), ...Object.keys(factored)];
  const get = (name: string): Tensor | FactoredMatrix => {
    const reader = Object.hasOwn(readers, name)
      ? readers[name]
      : Object.hasOwn(factored, name)
        ? factored[name]
        : undefined;
    if (reader) return reader();
    throw new Error(`There is no weight "${name}". The nearest are ${nearest(name, names).join(", ")}.`);
  };
  return { names, get: get as ModelWeights["get"] };
}

function weightReaders(
  config: ModelConfig,
  layout: Layout,
  parameters: Parameters,
): Record<string, () => Tensor> {
  const { nLayers, nHeads, nKvHeads, dHead, dModel, dVocab } = config;
  const matrix = (map: Linear): Tensor => matrixOf(parameters, map);
  const stack = (of: (block: Block) => Tensor): Tensor => stacked(blocksOf(config, layout).map(of));
  const byHead = (pick: (block: Block) => Linear, heads: number) => (): Tensor =>
    stack((block) => headsFirst(matrix(pick(block)), heads, dHead));
  const headBias = (pick: (block: Block) => Linear, heads: number) => (): Tensor =>
    stack((block) => tensor(biasOf(parameters, pick(block)), [heads, dHead]));
  const blockReaders = (): Record<string, () => Tensor> => ({
    W_Q: byHead((block) => block.q, nHeads),
    W_K: byHead((block) => block.k, nKvHeads),
    W_V: byHead((block) => block.v, nKvHeads),
    W_O: () => stack(({ o }) => tensor(contiguous(matrix(o)).data, [nHeads, dHead, dModel])),
    b_Q: headBias((block) => block.q, nHeads),
    b_K: headBias((block) => block.k, nKvHeads),
    b_V: headBias((block) => block.v, nKvHeads),
    b_O: () => stack(({ o }) => tensor(biasOf(parameters, o), [dModel])),
    ...mlpReaders(config, layout, parameters),
  });
  const readers: Record<string, () => Tensor> = {
    W_E: () => parameters.read(layout.embed),
    ...(layout.stateSpace ? stateSpaceReaders(config, layout, parameters) : blockReaders()),
    ...(layout.encoder ? otherStackReaders(config, layout, parameters) : {}),
  };
  const { positions, tokenTypes, unembed } = layout;
  if (positions !== undefined) {
    const offset = config.positionOffset ?? 0;
    readers.W_pos = () => contiguous(parameters.read(positions).lo(offset) as Tensor);
  }
  if (tokenTypes !== undefined) readers.W_token_type = () => parameters.read(tokenTypes);
  if (unembed) {
    readers.W_U = () => matrix(unembed);
    readers.b_U = () => tensor(biasOf(parameters, unembed), [dVocab]);
  }
  if (nLayers === 0) throw new Error("A model has at least one block.");
  return readers;
}

function mlpReaders(
  config: ModelConfig,
  layout: Layout,
  parameters: Parameters,
): Record<string, () => Tensor> {
  const first = layout.block(0).mlp;
  if (!first) return {};
  const parts = "router" in first ? first.experts[0]! : first;
  const reader = (pick: (mlp: DenseMlp) => Tensor) => (): Tensor =>
    stacked(
      blocksOf(config, layout).map(({ mlp }) =>
        "router" in mlp! ? stacked(mlp.experts.map(pick)) : pick(mlp!),
      ),
    );
  const weight = (pick: (mlp: DenseMlp) => Linear) => reader((mlp) => matrixOf(parameters, pick(mlp)));
  const bias = (pick: (mlp: DenseMlp) => Linear) =>
    reader((mlp) => tensor(biasOf(parameters, pick(mlp)), [pick(mlp).dOut]));
  return {
    W_in: weight((mlp) => mlp.in),
    b_in: bias((mlp) => mlp.in),
    ...(parts.gate ? { W_gate: weight((mlp) => mlp.gate!), b_gate: bias((mlp) => mlp.gate!) } : {}),
    W_out: weight((mlp) => mlp.out),
    b_out: bias((mlp) => mlp.out),
    ...("router" in first
      ? {
          W_router: () =>
            stacked(
              blocksOf(config, layout).map(({ mlp }) =>
                matrixOf(parameters, (mlp as Extract<typeof mlp, { router: Linear }>).router),
              ),
            ),
        }
      : {}),
  };
}

/** The weights of the encoder of a model of two stacks, and of the attention to it, under `encoder.` and `cross.`. */
function otherStackReaders(
  config: ModelConfig,
  { embed, encoder, block }: Layout,
  parameters: Parameters,
): Record<string, () => Tensor> {
  const stacks = {
    "encoder.": { nLayers: config.encoder!.nLayers, block: encoder!.block },
    "cross.": { nLayers: config.nLayers, block: (layer: number): Block => block(layer).cross! },
  };
  return Object.fromEntries(
    Object.entries(stacks).flatMap(([prefix, { nLayers, block: of }]) => {
      const { W_E, ...readers } = weightReaders({ ...config, nLayers }, { embed, block: of }, parameters);
      return Object.entries(readers).map(([name, reader]) => [prefix + name, reader] as const);
    }),
  );
}

/** The weights of state-space blocks, by the names that they have in their family. */
function stateSpaceReaders(
  { nLayers }: ModelConfig,
  { stateSpace }: Layout,
  parameters: Parameters,
): Record<string, () => Tensor> {
  const all = Array.from({ length: nLayers }, (_, layer) => stateSpace!(layer));
  const weight = (pick: (parts: StateSpace) => Linear) => (): Tensor =>
    stacked(all.map((parts) => matrixOf(parameters, pick(parts))));
  const read = (pick: (parts: StateSpace) => string) => (): Tensor =>
    stacked(all.map((parts) => parameters.read(pick(parts))));
  return {
    W_in_proj: weight(({ inProj }) => inProj),
    W_conv: read(({ conv }) => conv.weight),
    W_x_proj: weight(({ xProj }) => xProj),
    W_dt_proj: weight(({ dtProj }) => dtProj),
    W_out_proj: weight(({ outProj }) => outProj),
    A_log: read(({ aLog }) => aLog),
    D: read(({ d }) => d),
  };
}

/** Tensors of one shape as one, with a new first axis. */
function stacked(parts: readonly Tensor[]): Tensor {
  const [first] = parts as [Tensor];
  const size = contiguous(first).data.length;
  const all = new Float32Array(parts.length * size);
  parts.forEach((part, i) => {
    all.set(contiguous(part).data, i * size);
  });
  return tensor(all, [parts.length, ...first.shape]);
}

/** `[in, head*dHead]` as `[head, in, dHead]`. */
function headsFirst(matrix: Tensor, heads: number, dHead: number): Tensor {
  const [dIn] = matrix.shape as [number, number];
  const { data } = contiguous(matrix);
  const result = new Float32Array(data.length);
  for (let i = 0; i < dIn; i++)
    for (let head = 0; head < heads; head++) {
      const from = (i * heads + head) * dHead;
      result.set(data.subarray(from, from + dHead), (head * dIn + i) * dHead);
    }
  return tensor(result, [heads, dIn, dHead]);
}

/** `[layer, kvHead, …]` with each head as often as query heads share it. */
function repeatHeads(x: Tensor, times: number): Tensor {
  if (times === 1) return x;
  const [layers, heads, ...rest] = x.shape as [number, number, ...number[]];
  const { data } = contiguous(x);
  const size = data.length / (layers * heads);
  const result = new Float32Array(data.length * times);
  for (let i = 0; i < layers * heads * times; i++)
    result.set(data.subarray(Math.floor(i / times) * size, (Math.floor(i / times) + 1) * size), i * size);
  return tensor(result, [layers, heads * times, ...rest]);
}
