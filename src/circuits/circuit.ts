/** Circuits: which edges of a model's graph matter for a task. Plain data, with what is asked of it. */

import { displaySymbol, inspectSymbol, type MimeBundle, readJsonFile, writeFile } from "../array/index.js";
import type { Plot } from "../plot/index.js";
import type { AcdcSettings, AcdcStep } from "./acdc-steps.js";
import { drawCircuit } from "./draw.js";
import { edgeEnds, nodeOf } from "./names.js";

/** An edge of a circuit. */
export interface CircuitEdge {
  /** Such as `a0.h1->a2.h3<q>`. */
  readonly name: string;
  /** The node that sends, such as `a0.h1`. */
  readonly from: string;
  /** The input that receives, such as `a2.h3<q>`, `m2` or `logits`. */
  readonly to: string;
  /** How much the edge matters, by the method that found the circuit: what the metric changes by without it. */
  readonly score: number;
  /** Whether the edge is in the circuit. */
  readonly kept: boolean;
}

/** How a circuit was found. */
export interface CircuitOrigin {
  /** The model's name. */
  readonly model: string;
  /** The method, such as `"acdc"` or `"eap-ig"`. */
  readonly method: string;
  /** Whether the input is split into `embed` and `pos`. */
  readonly splitInput: boolean;
  /** The settings of ACDC. */
  readonly settings?: AcdcSettings;
  /** Evaluations of the metric, where the method makes such. */
  readonly evaluations?: number;
  /** The metric of the circuit, where the method knows it. */
  readonly metric?: number;
  /** The kind of metric that edges were judged by, such as `"klDivergence"`. */
  readonly metricKind?: string;
  /** The steps of ACDC. */
  readonly log?: readonly AcdcStep[];
  /** False where the search was ended before all edges were tried. */
  readonly finished?: boolean;
}

/** A circuit as JSON has it. */
export interface CircuitData extends CircuitOrigin {
  readonly format: "tslens circuit";
  readonly version: 1;
  readonly nodes: readonly string[];
  readonly edges: readonly CircuitEdge[];
}

/** Two circuits compared by the edges that they keep. */
export interface CircuitComparison {
  /** Edges in both over edges in either; 1 where neither keeps any. */
  readonly jaccard: number;
  readonly shared: readonly string[];
  readonly onlyFirst: readonly string[];
  readonly onlySecond: readonly string[];
}

/** How edges are chosen by their scores. */
export interface ChoiceOptions {
  /** Whether large negative scores count as large; true by default. */
  readonly absolute?: boolean;
  /** Whether edges that are on no path from the input to the logits are dropped afterwards, as EAP-IG does; true by default. */
  readonly prune?: boolean;
}

/**
 * A circuit: all edges of a model's graph, with their scores, and which of them are kept. Its methods give new circuits.
 *
 * @example
 * ```ts
 * const edges = [
 *   { name: "input->m0", from: "input", to: "m0", score: 2, kept: true },
 *   { name: "input->logits", from: "input", to: "logits", score: 0.1, kept: true },
 *   { name: "m0->logits", from: "m0", to: "logits", score: 1, kept: true },
 * ];
 * const whole = new Circuit(["input", "m0", "logits"], edges, { model: "mine", method: "by hand", splitInput: false });
 * whole.top(2).keptEdges.map(({ name }) => name); // ["input->m0", "m0->logits"]
 * ```
 */
export class Circuit {
  constructor(
    /** All nodes, in the order of computation. */
    readonly nodes: readonly string[],
    /** All edges, those that are not kept among them. */
    readonly edges: readonly CircuitEdge[],
    /** How it was found. */
    readonly origin: CircuitOrigin,
  ) {}

  /** The edges of the circuit. */
  get keptEdges(): CircuitEdge[] {
    return this.edges.filter(({ kept }) => kept);
  }

  /** The nodes that an edge of the circuit begins or ends at, in the order of computation. */
  get keptNodes(): string[] {
    const used = new Set(this.keptEdges.flatMap(({ from, to }) => [from, nodeOf(to)]));
    return this.nodes.filter((node) => used.has(node));
  }

  /** The steps of the search, of a circuit found by ACDC. */
  get log(): readonly AcdcStep[] {
    return this.origin.log ?? [];
  }

  /** Evaluations of the metric as the paper of ACDC counts them; 0 where the method makes none. */
  get evaluations(): number {
    return this.origin.evaluations ?? 0;
  }

  /** Whether the search tried every edge. */
  get finished(): boolean {
    return this.origin.finished ?? true;
  }

  /** The circuit that keeps exactly these edges. @throws where one of them is not an edge of the graph */
  keep(names: Iterable<string>): Circuit {
    const wanted = new Set(names);
    const edges = this.edges.map((edge) => ({ ...edge, kept: wanted.delete(edge.name) }));
    const [unknown] = wanted;
    if (unknown !== undefined) {
      edgeEnds(unknown);
      throw new Error(`The graph of ${this.origin.model} has no edge "${unknown}".`);
    }
    return new Circuit(this.nodes, edges, this.origin);
  }

  /** The circuit of the `count` edges with the highest scores. */
  top(count: number, { absolute = true, prune = true }: ChoiceOptions = {}): Circuit {
    checkCount(count);
    const size = sizeBy(absolute);
    const best = [...this.edges].sort((a, b) => size(b) - size(a)).slice(0, count);
    const chosen = this.keep(best.map(({ name }) => name));
    return prune ? chosen.prune() : chosen;
  }

  /** The circuit of all edges whose score is `least` or more. */
  threshold(least: number, { absolute = true, prune = true }: ChoiceOptions = {}): Circuit {
    if (Number.isNaN(least)) throw new Error("The threshold of scores is a number; NaN came.");
    const size = sizeBy(absolute);
    const chosen = this.keep(this.edges.filter((edge) => size(edge) >= least).map(({ name }) => name));
    return prune ? chosen.prune() : chosen;
  }

  /** The circuit that grows from the logits: `count` times, the edge with the highest score into a node that is in it. */
  greedy(count: number, { absolute = true, prune = true }: ChoiceOptions = {}): Circuit {
    checkCount(count);
    const size = sizeBy(absolute);
    const into = new Map<string, CircuitEdge[]>();
    for (const edge of this.edges) into.set(nodeOf(edge.to), [...(into.get(nodeOf(edge.to)) ?? []), edge]);
    for (const edges of into.values()) edges.sort((a, b) => size(a) - size(b)); // the best is taken from the end
    const reached = new Set(["logits"]);
    const names: string[] = [];
    while (names.length < count) {
      let best: CircuitEdge[] | undefined;
      for (const node of reached) {
        const edges = into.get(node) ?? [];
        if (edges.length > 0 && (!best || size(edges.at(-1)!) > size(best.at(-1)!))) best = edges;
      }
      const edge = best?.pop();
      if (!edge) break;
      names.push(edge.name);
      reached.add(edge.from);
    }
    const chosen = this.keep(names);
    return prune ? chosen.prune() : chosen;
  }

  /** The circuit without the edges that are on no path from the input to the logits. */
  prune(): Circuit {
    let kept = this.keptEdges;
    for (;;) {
      const sends = new Set(kept.map(({ from }) => from));
      const receives = new Set(kept.map(({ to }) => nodeOf(to)));
      const left = kept.filter(
        ({ from, to }) => (receives.has(from) || isInput(from)) && (to === "logits" || sends.has(nodeOf(to))),
      );
      if (left.length === kept.length) return this.keep(left.map(({ name }) => name));
      kept = left;
    }
  }

  /** Compares two circuits by the edges that they keep. */
  compare(other: Circuit): CircuitComparison {
    const first = new Set(this.keptEdges.map(({ name }) => name));
    const second = new Set(other.keptEdges.map(({ name }) => name));
    const shared = [...first].filter((name) => second.has(name));
    const either = first.size + second.size - shared.length;
    return {
      jaccard: either === 0 ? 1 : shared.length / either,
      shared,
      onlyFirst: [...first].filter((name) => !second.has(name)),
      onlySecond: [...second].filter((name) => !first.has(name)),
    };
  }

  /** Plain data, which `Circuit.fromJSON` reads again. */
  toJSON(): CircuitData {
    return {
      format: "tslens circuit",
      version: 1,
      ...this.origin,
      nodes: this.nodes,
      edges: this.edges,
    };
  }

  /** A circuit from what `toJSON` gave. @throws where the data is of another kind */
  static fromJSON(data: unknown): Circuit {
    const { format, version, nodes, edges, ...origin } = (data ?? {}) as Partial<CircuitData>;
    if (format !== "tslens circuit" || !Array.isArray(nodes) || !Array.isArray(edges))
      throw new Error('This is not a circuit: it lacks "format": "tslens circuit", "nodes" or "edges".');
    if (version !== 1) throw new Error(`The circuit is of version ${version}; this program reads version 1.`);
    for (const edge of edges as readonly Partial<CircuitEdge>[]) {
      const { from, to } = edgeEnds(String(edge?.name));
      if (
        from !== edge.from ||
        to !== edge.to ||
        typeof edge.score !== "number" ||
        typeof edge.kept !== "boolean"
      )
        throw new Error(
          `The edge "${edge.name}" of the circuit lacks a score, or is not what its name says.`,
        );
    }
    return new Circuit(nodes, edges, origin as CircuitOrigin);
  }

  /** Writes the circuit as JSON, whole or not at all. */
  async save(path: string): Promise<void> {
    await writeFile(path, new TextEncoder().encode(`${JSON.stringify(this)}\n`));
  }

  /** Reads what `save` wrote. */
  static async load(path: string): Promise<Circuit> {
    return Circuit.fromJSON(await readJsonFile(path));
  }

  /** A drawing of the kept edges: nodes by layer, edges the thicker the higher their score. */
  plot(): Plot {
    return drawCircuit(this);
  }

  /** A line of text: how many nodes and edges it keeps. */
  toString(): string {
    const { model, method } = this.origin;
    return `Circuit of ${model} by ${method}: ${this.keptNodes.length} of ${this.nodes.length} nodes, ${this.keptEdges.length} of ${this.edges.length} edges`;
  }

  [inspectSymbol](): string {
    return this.toString();
  }

  [displaySymbol](): Promise<MimeBundle> {
    return this.plot()[displaySymbol]();
  }
}

const isInput = (node: string): boolean => node === "input" || node === "embed" || node === "pos";

const sizeBy =
  (absolute: boolean) =>
  ({ score }: CircuitEdge): number =>
    absolute ? Math.abs(score) : score;

function checkCount(count: number): void {
  if (!Number.isInteger(count) || count < 0)
    throw new Error(`A circuit has a whole number of edges from 0 on; ${count} came.`);
}
