/** Receivers' inputs in the model's own run, with the senders replaced whose edges are cut. */

import * as g from "../graph/index.js";
import type { Feed } from "../runtime/ort.js";
import type { Plan } from "../runtime/plan.js";
import type { CircuitGraph } from "./circuit-graph.js";
import { type CutGroup, edgeOf } from "./online.js";
import type { Cuts } from "./reach.js";
import type { SenderValues } from "./sender-values.js";
import type { CircuitSetting } from "./setting.js";

/** What is known of a group of receivers. */
interface Known {
  readonly receivers: readonly number[];
  /** The cuts that `data` is made with, `[receiver, sender]`. */
  readonly cuts: Uint8Array;
  /** `[receiver, prompts·pos·dModel]` */
  readonly data: Float32Array;
}

/** A search cuts few edges from one run to the next: more of them than this for each receiver are a product of matrices. */
const FEW = 2;

/** Keeps the inputs of receivers from run to run, so that only edges that are cut or restored since are reckoned in. */
export class ReceiverBases {
  private readonly known = new Map<string, Known>();

  constructor(
    private readonly setting: CircuitSetting,
    private readonly values: SenderValues,
  ) {}

  /** The inputs of a group's receivers, `[receiver, prompts·pos·dModel]`. They stand until the group is asked for again. */
  async get(group: CutGroup, cuts: Cuts, signal?: AbortSignal): Promise<Float32Array> {
    const { name, senders, receivers, state } = group;
    const wanted = new Uint8Array(receivers.length * senders);
    receivers.forEach((receiver, row) => {
      const first = edgeOf(group, receiver, 0);
      wanted.set(cuts.subarray(first, first + senders), row * senders);
    });
    const before = this.known.get(name);
    const same = before && before.receivers.join() === receivers.join() ? before : undefined;
    const changes = same ? wanted.reduce((count, bit, i) => count + Number(bit !== same.cuts[i]), 0) : 0;
    if (same && changes <= FEW * receivers.length) {
      if (changes > 0) this.update(same, wanted, senders);
      return same.data;
    }
    const data = same?.data ?? new Float32Array(receivers.length * this.width);
    await this.compute(wanted, senders, state, data, signal);
    this.known.set(name, { receivers, cuts: wanted, data });
    return data;
  }

  /** Forgets the groups that are not among these. */
  keep(names: ReadonlySet<string>): void {
    for (const name of this.known.keys()) if (!names.has(name)) this.known.delete(name);
  }

  /** prompts · pos · dModel */
  private get width(): number {
    const { prompts, pos, engine } = this.setting;
    return prompts * pos * engine.config.dModel;
  }

  private update({ cuts, data }: Known, wanted: Uint8Array, senders: number): void {
    const { width } = this;
    wanted.forEach((bit, i) => {
      if (bit === cuts[i]) return;
      const target = data.subarray(Math.floor(i / senders) * width, (Math.floor(i / senders) + 1) * width);
      const from = this.values.difference.subarray((i % senders) * width, ((i % senders) + 1) * width);
      const sign = bit ? 1 : -1;
      for (let j = 0; j < width; j++) target[j]! += sign * from[j]!;
      cuts[i] = bit;
    });
  }

  private async compute(
    cuts: Uint8Array,
    senders: number,
    state: string,
    data: Float32Array,
    signal?: AbortSignal,
  ): Promise<void> {
    const { width } = this;
    const float = (shape: number[], values: Float32Array): Feed => ({
      dtype: "float32",
      shape,
      data: values,
    });
    const rows = cuts.length / senders;
    await this.plan().run(
      {
        cuts: float([rows, senders], Float32Array.from(cuts)),
        difference: float([senders, width], this.values.difference.subarray(0, senders * width)),
        state: float([width], this.values.at.get(state)!),
      },
      { signal, into: { inputs: float([rows, width], data) } },
    );
  }

  private plan(): Plan {
    const cuts = g.input("cuts", "float32", ["receivers", "senders"]);
    const difference = g.input("difference", "float32", ["senders", "width"]);
    const state = g.input("state", "float32", ["width"]);
    return this.setting.engine.runtime.plan({
      outputs: { inputs: g.add(g.matmul(cuts, difference), state) },
    });
  }
}

/** What all choices cut. */
export function commonCuts({ edgeCount }: CircuitGraph, choices: readonly Cuts[]): Cuts {
  if (choices.length === 1) return choices[0]!;
  const common = new Uint8Array(edgeCount).fill(1);
  for (const cuts of choices) for (let edge = 0; edge < edgeCount; edge++) common[edge]! &= cuts[edge]!;
  return common;
}
