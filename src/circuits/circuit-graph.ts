/** The nodes and edges of a model, by its sizes alone. */

import type { ModelConfig } from "../model/index.js";
import { edgeEnds, edgeName } from "./names.js";

/**
 * Inputs that receive from the same senders at the same place: the queries of all heads of a layer, an MLP, the logits.
 * What may send to them are the first `senders` of the graph's senders.
 */
export interface ReceiverGroup {
  /** Such as `a2<q>`, `m2` or `logits`. */
  readonly name: string;
  /** The names of the receivers, head by head. */
  readonly receivers: readonly string[];
  /** How many of the graph's senders may send to them. */
  readonly senders: number;
  /** The layer; `nLayers` for the logits. */
  readonly layer: number;
  readonly kind: "q" | "k" | "v" | "mlp" | "logits";
  /** The number of the group's first edge: edges stand receiver by receiver, and for each sender by sender. */
  readonly firstEdge: number;
}

/** A model as nodes that send to the residual stream, and inputs that receive from it. */
export interface CircuitGraph {
  readonly nodes: readonly string[];
  /** The nodes that send, in the order of computation. */
  readonly senders: readonly string[];
  /** The receivers, in the order of computation. */
  readonly groups: readonly ReceiverGroup[];
  readonly edgeCount: number;
  readonly edges: readonly GraphEdge[];
  /** Whether the input is split into `embed` and `pos`. */
  readonly splitInput: boolean;
  /** Whether what a head sends depends on the other heads of its layer, as behind a norm of their sum. */
  readonly headsTogether: boolean;
}

/** An edge of the graph, which its number in `edges` stands for. */
export interface GraphEdge {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  /** The number of the sender, of the group, and of the receiver in it. */
  readonly sender: number;
  readonly group: number;
  readonly receiver: number;
}

/** What of a model's configuration its circuit graph depends on. */
export type GraphSizes = Pick<ModelConfig, "nLayers" | "nHeads" | "dMlp" | "parallel" | "experts">;

/**
 * The circuit graph of a decoder. Every head has an input for queries, one for keys and one for values (of its own, also
 * where heads share keys and values); in parallel blocks heads do not send to their own layer's MLP.
 *
 * @param splitInput whether `embed` and `pos` are nodes of their own; otherwise `input` is the tokens' embedding, and
 * positions belong to no node
 * @param headsTogether whether what a head sends depends on the other heads of its layer
 */
export function circuitGraph(config: GraphSizes, splitInput = false, headsTogether = false): CircuitGraph {
  const { nLayers, nHeads, parallel } = config;
  const hasMlp = config.dMlp > 0 || config.experts !== undefined;
  const senders = splitInput ? ["embed", "pos"] : ["input"];
  const groups: ReceiverGroup[] = [];
  let firstEdge = 0;
  const receive = (
    name: string,
    kind: ReceiverGroup["kind"],
    layer: number,
    count: number,
    receivers: readonly string[],
  ): void => {
    groups.push({ name, kind, layer, receivers, senders: count, firstEdge });
    firstEdge += receivers.length * count;
  };
  for (let layer = 0; layer < nLayers; layer++) {
    const before = senders.length;
    const heads = Array.from({ length: nHeads }, (_, head) => `a${layer}.h${head}`);
    for (const kind of ["q", "k", "v"] as const)
      receive(
        `a${layer}<${kind}>`,
        kind,
        layer,
        before,
        heads.map((head) => `${head}<${kind}>`),
      );
    senders.push(...heads);
    if (!hasMlp) continue;
    receive(`m${layer}`, "mlp", layer, parallel ? before : senders.length, [`m${layer}`]);
    senders.push(`m${layer}`);
  }
  receive("logits", "logits", nLayers, senders.length, ["logits"]);
  const edges = groups.flatMap(({ receivers, senders: count }, group) =>
    receivers.flatMap((to, receiver) =>
      senders.slice(0, count).map((from, sender): GraphEdge => {
        return { name: edgeName(from, to), from, to, sender, group, receiver };
      }),
    ),
  );
  const nodes = [...senders, "logits"];
  return { nodes, senders, groups, edgeCount: firstEdge, edges, splitInput, headsTogether };
}

/** The numbers of edges by their names. @throws where a name is none of the graph's edges */
export function edgeNumbers(graph: CircuitGraph, names: Iterable<string>): number[] {
  const numbers = new Map(graph.edges.map(({ name }, i) => [name, i]));
  return [...names].map((name) => {
    const number = numbers.get(name);
    if (number !== undefined) return number;
    edgeEnds(name);
    throw new Error(`The model's graph has no edge "${name}".`);
  });
}

/**
 * The edges in the order in which ACDC tries them (Conmy et al. 2023): receivers from the logits backwards, values before
 * keys before queries; the senders of each from the last to the first (`"reverse"`) or from the first on (`"normal"`).
 */
export function acdcOrder({ groups }: CircuitGraph, order: "reverse" | "normal"): number[] {
  return [...groups].reverse().flatMap(({ receivers, senders, firstEdge }) =>
    receivers.flatMap((_, i) => {
      const receiver = receivers.length - 1 - i;
      return Array.from({ length: senders }, (_, j) => {
        const sender = order === "reverse" ? senders - 1 - j : j;
        return firstEdge + receiver * senders + sender;
      });
    }),
  );
}
