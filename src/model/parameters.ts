/** A model's parameters: where they are, and their values for whoever asks. */

import {
  absolutePath,
  type DType,
  exists,
  fileName,
  folderOf,
  joinPath,
  readJsonFile,
  readRangeSync,
  readSafetensorsHeader,
  realpath,
  type SafetensorsEntry,
  shapeText,
  type Tensor,
  tensor,
  toFloat32,
  viewBytes,
} from "../array/index.js";
import type { ParameterSource } from "../graph/index.js";
import type { ParameterStore } from "../runtime/plan.js";
import type { ModelConfig } from "./config.js";
import type { Layout, Linear, Norm } from "./family.js";

/** What is known of a parameter without reading it. */
export interface ParameterInfo {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** A model's parameters. */
export interface Parameters extends ParameterStore {
  /** The names that exist. */
  readonly names: readonly string[];
  /** Dtype and shape, or an error if there is no such parameter. */
  info(name: string): ParameterInfo;
  /** The values as float32, read from where they lie. */
  read(name: string): Tensor;
}

/**
 * The parameters of a folder in Hugging Face's layout: `model.safetensors`, or shards with their index. Files are
 * mapped, not copied.
 *
 * @param prefix of the family's names, which some files leave out
 */
export async function openParameters(folder: string, prefix: string): Promise<Parameters> {
  const files = await parameterFiles(folder);
  const entries = new Map<string, SafetensorsEntry>();
  // The hub's cache is made of links; ONNX Runtime reads only inside the folder that it is told.
  const real = await Promise.all(files.map((file) => realpath(file)));
  for (const file of real) {
    const header = await readSafetensorsHeader(file);
    for (const entry of header.tensors.values()) entries.set(entry.name, entry);
  }
  const found = (name: string): SafetensorsEntry => {
    const short = name.startsWith(prefix) ? name.slice(prefix.length) : name;
    const entry = entries.get(name) ?? entries.get(short);
    if (!entry) throw new Error(`The weights of ${folder} have no tensor "${name}".`);
    return entry;
  };
  return {
    folder: folderOf(real[0]!),
    names: [...entries.keys()],
    info: found,
    source: (name): ParameterSource => {
      const { file, offset, byteLength } = found(name);
      return { kind: "file", location: fileName(file), offset, byteLength };
    },
    read: (name) => {
      const { file, offset, byteLength, dtype, shape } = found(name);
      return tensor(toFloat32(viewBytes(readRangeSync(file, offset, byteLength), dtype), dtype), shape);
    },
  };
}

async function parameterFiles(folder: string): Promise<string[]> {
  const single = joinPath(folder, "model.safetensors");
  if (await exists(single)) return [absolutePath(single)];
  const index = joinPath(folder, "model.safetensors.index.json");
  if (!(await exists(index)))
    throw new Error(`The folder ${folder} has no model.safetensors and no model.safetensors.index.json.`);
  const map = ((await readJsonFile(index)) as { weight_map?: Record<string, string> }).weight_map;
  if (!map || typeof map !== "object") throw new Error(`${index} has no "weight_map".`);
  return [...new Set(Object.values(map))].map((name) => {
    if (fileName(name) !== name) throw new Error(`${index} names the file "${name}" outside of its folder.`);
    return absolutePath(joinPath(folder, name));
  });
}

/** Parameters that are held in memory, such as those of a model in training. */
export function memoryParameters(tensors: ReadonlyMap<string, Tensor>): Parameters {
  const found = (name: string): Tensor => {
    const value = tensors.get(name);
    if (!value) throw new Error(`There is no parameter "${name}".`);
    return value;
  };
  return {
    names: [...tensors.keys()],
    info: (name) => ({ dtype: "float32", shape: found(name).shape }),
    source: (name) => {
      const { data } = found(name);
      return { kind: "inline", bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
    },
    read: found,
  };
}

/** Every parameter that a layout names, with the shape that it must have. */
export function expectedShapes(config: ModelConfig, layout: Layout): Map<string, readonly number[]> {
  const { dModel, dVocab, nCtx, nLayers } = config;
  const shapes = new Map<string, readonly number[]>();
  const linear = ({ weight, bias, layout: order, dIn, dOut, part }: Linear): void => {
    const out = part?.of ?? dOut;
    shapes.set(weight, order === "inOut" ? [dIn, out] : [out, dIn]);
    if (bias !== undefined) shapes.set(bias, [out]);
  };
  const norm = ({ weight, bias }: Norm): void => {
    shapes.set(weight, [dModel]);
    if (bias !== undefined) shapes.set(bias, [dModel]);
  };
  shapes.set(layout.embed, [dVocab, dModel]);
  if (layout.positions !== undefined) shapes.set(layout.positions, [nCtx, dModel]);
  for (let layer = 0; layer < nLayers; layer++) {
    const { ln1, ln2, q, k, v, o, mlp } = layout.block(layer);
    norm(ln1);
    norm(ln2);
    for (const map of [q, k, v, o, mlp.in, mlp.gate, mlp.out]) if (map) linear(map);
  }
  norm(layout.lnFinal);
  linear(layout.unembed);
  return shapes;
}

/** Throws if a parameter of a layout is missing, or of another shape than the configuration says. */
export function checkParameters(parameters: Parameters, config: ModelConfig, layout: Layout): void {
  for (const [name, expected] of expectedShapes(config, layout)) {
    const { shape } = parameters.info(name);
    if (shape.length !== expected.length || !shape.every((size, i) => size === expected[i]))
      throw new Error(
        `The tensor "${name}" has the shape ${shapeText(shape)}; by config.json it should be ${shapeText(expected)}.`,
      );
  }
}
