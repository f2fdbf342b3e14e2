/** What a model remembers of the positions that it has seen, so that generation runs the new ones only. */

import type { Tensor } from "../array/index.js";
import type { Feed } from "../runtime/ort.js";
import type { ModelConfig } from "./config.js";
import { pastName, presentName } from "./parts/context.js";

/** The memory of one generation. */
export interface Memory {
  /** Positions remembered. */
  readonly length: number;
  /** What is remembered, for the next run. */
  feeds(): Record<string, Feed>;
  /** Takes what a run of `added` new positions gives to remember. */
  append(outputs: Readonly<Record<string, Tensor>>, added: number): void;
  /** Remembers nothing. */
  clear(): void;
}

/** An empty memory for some rows and at most `capacity` positions. */
export const newMemory = (config: ModelConfig, batch: number, capacity: number): Memory =>
  config.stateSpace ? new StateMemory(config, batch) : new KeyValueMemory(config, batch, capacity);

const float = (data: Float32Array, shape: readonly number[]): Feed => ({ dtype: "float32", shape, data });

/** The keys and values of the positions seen so far, `[past, batch, kvHead, dHead]` in each layer. */
class KeyValueMemory implements Memory {
  length = 0;
  private readonly width: number;
  private readonly buffers = new Map<string, { present: string; data: Float32Array }>();

  constructor(
    private readonly config: ModelConfig,
    private readonly batch: number,
    capacity: number,
  ) {
    this.width = batch * config.nKvHeads * config.dHead;
    for (let layer = 0; layer < config.nLayers; layer++)
      for (const kind of ["key", "value"] as const)
        this.buffers.set(pastName(kind, layer), {
          present: presentName(kind, layer),
          data: new Float32Array(capacity * this.width),
        });
  }

  /** Views of the buffers. */
  feeds(): Record<string, Feed> {
    const shape = [this.length, this.batch, this.config.nKvHeads, this.config.dHead];
    const used = this.length * this.width;
    return Object.fromEntries(
      [...this.buffers].map(([name, { data }]) => [name, float(data.subarray(0, used), shape)]),
    );
  }

  append(outputs: Readonly<Record<string, Tensor>>, added: number): void {
    for (const { present, data } of this.buffers.values())
      data.set(outputs[present]!.data, this.length * this.width);
    this.length += added;
  }

  clear(): void {
    this.length = 0;
  }
}

/** The states of a state-space model, and the last inputs of its convolutions: of one size however long the text is. */
class StateMemory implements Memory {
  length = 0;
  private readonly shapes = new Map<string, { present: string; shape: readonly number[] }>();
  private readonly values = new Map<string, Float32Array>();

  constructor({ nLayers, stateSpace }: ModelConfig, batch: number) {
    const { dInner, dState, kernel } = stateSpace!;
    for (let layer = 0; layer < nLayers; layer++)
      for (const [kind, shape] of [
        ["state", [batch, dInner, dState]],
        ["input", [batch, kernel - 1, dInner]],
      ] as const)
        this.shapes.set(pastName(kind, layer), { present: presentName(kind, layer), shape });
    this.clear();
  }

  feeds(): Record<string, Feed> {
    return Object.fromEntries(
      [...this.shapes].map(([name, { shape }]) => [name, float(this.values.get(name)!, shape)]),
    );
  }

  append(outputs: Readonly<Record<string, Tensor>>, added: number): void {
    for (const [name, { present }] of this.shapes) this.values.set(name, outputs[present]!.data.slice());
    this.length += added;
  }

  clear(): void {
    this.length = 0;
    for (const [name, { shape }] of this.shapes)
      this.values.set(name, new Float32Array(shape.reduce((a, b) => a * b)));
  }
}
