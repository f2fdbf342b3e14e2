/** Checkpoints: parameters, what the optimiser remembers, and where the training stands, in one safetensors file. */

import {
  readSafetensors,
  readSafetensorsHeader,
  type Tensor,
  tensor,
  writeSafetensors,
} from "../array/index.js";
import type { AdamState, ParameterMap } from "./adam.js";

/** A stopped training. */
export interface Checkpoint {
  /** Steps done. */
  readonly step: number;
  readonly parameters: ReadonlyMap<string, Tensor>;
  readonly state: AdamState;
  /** What the caller wanted to be kept, such as the state of a random generator. */
  readonly notes: Readonly<Record<string, string>>;
}

const groups = { parameters: "parameter/", first: "adam.first/", second: "adam.second/" } as const;

/** Writes a checkpoint; a file that was there before is replaced only when the new one is whole. */
export async function writeCheckpoint(
  path: string,
  parameters: ParameterMap,
  state: AdamState,
  notes: Readonly<Record<string, string>> = {},
): Promise<void> {
  const tensors = new Map<string, Tensor>();
  for (const [name, { data, shape }] of parameters) {
    tensors.set(groups.parameters + name, tensor(data, shape));
    tensors.set(groups.first + name, tensor(state.first.get(name)!, shape));
    tensors.set(groups.second + name, tensor(state.second.get(name)!, shape));
  }
  await writeSafetensors(path, tensors, { ...notes, "tslens.step": String(state.step) });
}

/** Reads a checkpoint. */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const { metadata } = await readSafetensorsHeader(path);
  const step = Number(metadata["tslens.step"]);
  if (!Number.isInteger(step))
    throw new Error(`${path} is no checkpoint: its header does not say how many steps were done.`);
  const tensors = await readSafetensors(path);
  const group = (prefix: string): Map<string, Tensor> =>
    new Map(
      [...tensors]
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, value]) => [name.slice(prefix.length), value]),
    );
  const data = (prefix: string): Map<string, Float32Array> =>
    new Map([...group(prefix)].map(([name, value]) => [name, value.data]));
  const state = { step, first: data(groups.first), second: data(groups.second) };
  return { step, parameters: group(groups.parameters), state, notes: metadata };
}
