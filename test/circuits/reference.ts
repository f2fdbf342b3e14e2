/** The reference values of circuits in a small random GPT-2, computed in float64. */

import { readFileSync } from "node:fs";
import { npyToTensor, readNpz, type Tensor, toNested } from "../../src/array/index.js";
import { loadModel, logitDiff, type Metric, type Model } from "../../src/model/index.js";
import { fixture } from "../shared.js";

interface ReferenceRun {
  readonly threshold: number;
  /** 1 for each kept edge, in the order of `edges`. */
  readonly kept: string;
  readonly evaluations: number;
  readonly metric: number;
}

interface Reference {
  readonly senders: readonly string[];
  readonly receivers: readonly string[];
  readonly edges: readonly string[];
  readonly metric: { readonly clean: number; readonly corrupt: number };
  readonly order: Readonly<Record<"reverse" | "normal", readonly number[]>>;
  readonly runs: Readonly<Record<string, readonly ReferenceRun[]>>;
  readonly logs: Readonly<Record<string, readonly (readonly [number, number, number | null, boolean])[]>>;
  readonly circuits: Readonly<Record<string, readonly ReferenceCircuit[]>>;
}

/** A circuit that EAP-IG's code chose, and its metric. */
export interface ReferenceCircuit {
  readonly n: number;
  readonly edges_after_prune: number;
  /** Null for large circuits. */
  readonly kept: string | null;
  readonly patching: number;
  readonly zero: number;
  readonly "mean-positional": number;
  readonly greedy_edges_after_prune: number;
  readonly greedy_patching: number;
  readonly faithfulness_patching: number;
}

export const reference: Reference = JSON.parse(readFileSync(fixture("circuits", "reference.json"), "utf8"));

/** The names of edges that a string of 0 and 1 marks. */
export const marked = (bits: string): string[] => reference.edges.filter((_, i) => bits[i] === "1");

/** The model, its prompts and its metric. */
export interface ReferenceTask {
  readonly model: Model;
  readonly clean: number[][];
  readonly corrupt: number[][];
  readonly metric: Metric;
  /** A table `[sender, receiver]`. */
  readonly table: (name: string) => Tensor;
}

export async function referenceTask(): Promise<ReferenceTask> {
  const model = await loadModel(fixture("circuits", "gpt2"));
  const arrays = await readNpz(fixture("circuits", "tables.npz"));
  const table = (name: string): Tensor => npyToTensor(arrays.get(name)!);
  const rows = (name: string): number[][] => toNested(table(name)) as number[][];
  const ids = (name: string): number[] => Array.from(table(name).data);
  return {
    model,
    clean: rows("clean"),
    corrupt: rows("corrupt"),
    metric: logitDiff({ correct: ids("answer"), incorrect: ids("wrong") }),
    table,
  };
}

/** The largest difference of edges' scores from a table. */
export function worstScore(
  edges: readonly { readonly from: string; readonly to: string; readonly score: number }[],
  table: Tensor,
): number {
  return edges.reduce((most, { from, to, score }) => {
    const expected = table.get(reference.senders.indexOf(from), reference.receivers.indexOf(to));
    return Math.max(most, Math.abs(score - expected));
  }, 0);
}
