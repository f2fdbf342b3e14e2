/** Which nodes a choice of edges changes, and which of them still matter to the logits. */

import type { CircuitGraph } from "./circuit-graph.js";

/** For each edge 1 where it is cut, and 0 where it is kept. */
export type Cuts = Uint8Array;

/** The node that a receiver belongs to, by its number among the senders; −1 for the logits. */
function owners({ groups, senders }: CircuitGraph): number[][] {
  const numbers = new Map(senders.map((name, i) => [name, i]));
  return groups.map(({ receivers }) =>
    receivers.map((receiver) => numbers.get(receiver.replace(/<[qkv]>$/, "")) ?? -1),
  );
}

const known = new WeakMap<CircuitGraph, number[][]>();

/** The senders' numbers of the nodes that receivers belong to, group by group. */
export function receiverOwners(graph: CircuitGraph): readonly (readonly number[])[] {
  const found = known.get(graph) ?? owners(graph);
  known.set(graph, found);
  return found;
}

/** The senders from which kept edges lead to the logits. */
export function reachingLogits(graph: CircuitGraph, cuts: Cuts): Uint8Array {
  const reaching = new Uint8Array(graph.senders.length);
  const owner = receiverOwners(graph);
  for (let group = graph.groups.length - 1; group >= 0; group--) {
    const { receivers, senders, firstEdge } = graph.groups[group]!;
    spread(graph, owner[group]!, reaching);
    receivers.forEach((_, receiver) => {
      const node = owner[group]![receiver]!;
      if (node >= 0 && !reaching[node]) return;
      const first = firstEdge + receiver * senders;
      for (let sender = 0; sender < senders; sender++) if (!cuts[first + sender]) reaching[sender] = 1;
    });
  }
  return reaching;
}

/** The senders whose output is another than in the model's own run, or may be. */
export function changed(graph: CircuitGraph, cuts: Cuts): Uint8Array {
  const changes = new Uint8Array(graph.senders.length);
  const owner = receiverOwners(graph);
  graph.groups.forEach(({ receivers, senders, firstEdge }, group) => {
    receivers.forEach((_, receiver) => {
      const node = owner[group]![receiver]!;
      if (node < 0 || changes[node]) return;
      const first = firstEdge + receiver * senders;
      for (let sender = 0; sender < senders; sender++)
        if (cuts[first + sender] || changes[sender]) {
          changes[node] = 1;
          return;
        }
    });
    spread(graph, owner[group]!, changes);
  });
  return changes;
}

/**
 * The same choice with further edges cut, where that changes nothing: a node that reads replaced outputs alone writes what
 * replaces it, if that is what it writes on the corrupt prompts. So no path from the input leads to it, and it need not be
 * computed.
 */
export function cutUnreached(graph: CircuitGraph, cuts: Cuts): Cuts {
  const { groups, senders } = graph;
  const owner = receiverOwners(graph);
  const reached = new Uint8Array(senders.length);
  senders.forEach((name, sender) => {
    if (/^(input|embed|pos)$/.test(name)) reached[sender] = 1;
  });
  const result = cuts.slice();
  groups.forEach(({ receivers, senders: count, firstEdge }, group) => {
    receivers.forEach((_, receiver) => {
      const node = owner[group]![receiver]!;
      const first = firstEdge + receiver * count;
      for (let sender = 0; sender < count; sender++) {
        if (!reached[sender]) result[first + sender] = 1;
        else if (!cuts[first + sender] && node >= 0) reached[node] = 1;
      }
    });
    spread(graph, owner[group]!, reached);
  });
  return result;
}

/** Of heads that depend on each other, what one of a layer is, all are. */
function spread({ headsTogether }: CircuitGraph, nodes: readonly number[], marks: Uint8Array): void {
  if (headsTogether && nodes.some((node) => node >= 0 && marks[node]))
    for (const node of nodes) if (node >= 0) marks[node] = 1;
}
