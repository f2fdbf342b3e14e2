/**
 * Weights of 8 or 4 bits: each row of a matrix in blocks that have one scale, as ONNX Runtime's `MatMulNBits` reads
 * them. The points of a model stay the same, and so does all that is done with them.
 */

import { contiguous, type LazyTensor, type Tensor, tensor } from "../array/index.js";
import * as g from "../graph/index.js";
import type { ModelConfig } from "./config.js";
import { derivedParameters } from "./derived.js";
import { blocksOf, expectedShapes, mlpMaps } from "./expected-parameters.js";
import type { Layout, Linear } from "./family.js";
import { type Parameters, storedParameter } from "./parameters.js";

/** How weights are quantised: `"int8"`, `"int4"`, or bits and the number of weights that share a scale (32). */
export type Quantization =
  | "int8"
  | "int4"
  | { readonly bits: 4 | 8; readonly blockSize?: 16 | 32 | 64 | 128 | 256 };

/** A matrix `[out, inner]` in few bits. */
interface QuantizedMatrix {
  readonly bits: number;
  readonly blockSize: number;
  readonly out: number;
  readonly inner: number;
}

/**
 * A model's parameters with the matrices of its blocks quantised: symmetric, rounded to nearest, one float32 scale for
 * each block of inputs. Embeddings, unembedding, norms and biases stay as they are. The result lies in the cache folder.
 */
export async function quantizeParameters(
  { config, layout, parameters }: { config: ModelConfig; layout: Layout; parameters: Parameters },
  quantization: Quantization,
  signal?: AbortSignal,
): Promise<Parameters> {
  const { bits, blockSize } = settingsOf(quantization);
  const maps = quantizable(config, layout);
  const matrices = new Map<string, QuantizedMatrix>();
  const tensors = new Map<string, LazyTensor>();
  for (const [name, shape] of expectedShapes(config, layout)) {
    const map = maps.get(name);
    if (!map) {
      tensors.set(name, storedParameter(parameters, name));
      continue;
    }
    const [out, inner] = (map.layout === "outIn" ? shape : [...shape].reverse()) as [number, number];
    const matrix = { bits, blockSize, out, inner };
    const shapes = g.quantizedShapes(matrix);
    // Made once for each of its two tensors: they are written far from each other, and only one is held at a time.
    const blocks = (): QuantizedBlocks => quantizeMatrix(rowsOf(parameters.read(name), map), matrix);
    matrices.set(name, matrix);
    tensors.set(`${name}.packed`, {
      dtype: "uint8",
      shape: shapes.packed,
      read: () => ({ dtype: "uint8", shape: shapes.packed, data: blocks().packed }),
    });
    tensors.set(`${name}.scales`, {
      dtype: "float32",
      shape: shapes.scales,
      read: () => ({ dtype: "float32", shape: shapes.scales, data: blocks().scales }),
    });
  }
  const name = `quantised ${bits} ${blockSize}`;
  const stored = await derivedParameters(parameters.files, { name, tensors, ...(signal ? { signal } : {}) });
  return quantizedParameters(stored, matrices, maps);
}

function settingsOf(quantization: Quantization): { bits: 4 | 8; blockSize: number } {
  const given = typeof quantization === "string" ? { int8: 8, int4: 4 }[quantization] : quantization?.bits;
  const blockSize = (typeof quantization === "object" ? quantization?.blockSize : undefined) ?? 32;
  if ((given !== 4 && given !== 8) || ![16, 32, 64, 128, 256].includes(blockSize))
    throw new Error(
      `The quantization ${JSON.stringify(quantization)} is not known; it is "int8", "int4", or {bits: 4 or 8, blockSize: 16, 32, 64, 128 or 256}.`,
    );
  return { bits: given, blockSize };
}

/** The stored matrices of the blocks' maps by name. */
function quantizable(config: ModelConfig, layout: Layout): Map<string, Linear> {
  if (layout.encoder || layout.stateSpace)
    throw new Error(`Models of the family "${config.family}" are not quantised; load without quantization.`);
  const maps = blocksOf(config, layout).flatMap(({ q, k, v, o, mlp }) => [
    ...[q, k, v, o],
    ...mlpMaps(mlp).filter((map) => !(mlp && "router" in mlp && map === mlp.router)),
  ]);
  return new Map(maps.map((map) => [map.weight, map]));
}

/** The parameters under their own names, whose quantised ones are made of two tensors each. */
function quantizedParameters(
  stored: Parameters,
  matrices: ReadonlyMap<string, QuantizedMatrix>,
  maps: ReadonlyMap<string, Linear>,
): Parameters {
  const shapeOf = (name: string): readonly number[] => {
    const { out, inner } = matrices.get(name)!;
    return maps.get(name)!.layout === "outIn" ? [out, inner] : [inner, out];
  };
  const asStored = (name: string, rows: Tensor): Tensor =>
    maps.get(name)!.layout === "outIn" ? rows : contiguous(rows.transpose(1, 0) as Tensor);
  const part = (name: string): g.Value => {
    const { dtype, shape } = stored.info(name);
    return g.parameter(name, dtype, shape);
  };
  return {
    ...stored,
    names: stored.names
      .filter((name) => !/\.scales$/.test(name))
      .map((name) => name.replace(/\.packed$/, "")),
    info: (name) => (matrices.has(name) ? { dtype: "float32", shape: shapeOf(name) } : stored.info(name)),
    value: (name) => {
      const matrix = matrices.get(name);
      if (!matrix) return undefined;
      const rows = g.dequantize(part(`${name}.packed`), part(`${name}.scales`), matrix);
      return maps.get(name)!.layout === "outIn" ? rows : g.transpose(rows, [1, 0]);
    },
    read: (name) => {
      const matrix = matrices.get(name);
      if (!matrix) return stored.read(name);
      const packed = storedParameter(stored, `${name}.packed`).read() as { data: Uint8Array };
      return asStored(name, dequantizeMatrix(packed.data, stored.read(`${name}.scales`).data, matrix));
    },
  };
}

const rowsOf = (stored: Tensor, { layout }: Linear): Tensor =>
  contiguous(layout === "outIn" ? stored : (stored.transpose(1, 0) as Tensor));

/** A quantised matrix's two tensors. */
interface QuantizedBlocks {
  readonly packed: Uint8Array;
  readonly scales: Float32Array;
}

/** Blocks of a matrix as unsigned integers around `2^(bits−1)`; of 4 bits two in a byte, the first one low. */
function quantizeMatrix({ data }: Tensor, { bits, blockSize, out, inner }: QuantizedMatrix): QuantizedBlocks {
  const count = Math.ceil(inner / blockSize);
  const zero = 2 ** (bits - 1);
  const codes = new Uint8Array(out * count * blockSize).fill(zero);
  const scales = new Float32Array(out * count);
  for (let row = 0; row < out; row++)
    for (let block = 0; block < count; block++) {
      const from = row * inner + block * blockSize;
      const to = Math.min(from + blockSize, (row + 1) * inner);
      let extreme = 0;
      for (let i = from; i < to; i++) if (Math.abs(data[i]!) > Math.abs(extreme)) extreme = data[i]!;
      // The largest weight becomes −zero, since there is one more integer below zero than above.
      const scale = -extreme / zero;
      scales[row * count + block] = scale;
      if (scale === 0) continue;
      const at = (row * count + block) * blockSize - from;
      for (let i = from; i < to; i++)
        codes[at + i] = Math.min(2 * zero - 1, Math.max(0, Math.round(data[i]! / scale) + zero));
    }
  if (bits === 8) return { packed: codes, scales };
  const packed = new Uint8Array(codes.length / 2);
  for (let i = 0; i < packed.length; i++) packed[i] = codes[2 * i]! | (codes[2 * i + 1]! << 4);
  return { packed, scales };
}

function dequantizeMatrix(
  packed: Uint8Array,
  scales: Float32Array,
  { bits, blockSize, out, inner }: QuantizedMatrix,
): Tensor {
  const count = Math.ceil(inner / blockSize);
  const zero = 2 ** (bits - 1);
  const values = new Float32Array(out * inner);
  for (let row = 0; row < out; row++)
    for (let i = 0; i < inner; i++) {
      const block = row * count + Math.floor(i / blockSize);
      const at = block * blockSize + (i % blockSize);
      const code = bits === 8 ? packed[at]! : (packed[at >> 1]! >> (4 * (at & 1))) & 15;
      values[row * inner + i] = (code - zero) * scales[block]!;
    }
  return tensor(values, [out, inner]);
}
