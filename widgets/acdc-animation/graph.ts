import { decodeTensor, encodeTensor, type WireTensor } from "../tensor.js";
import { inputNames } from "./state.js";

/** Where a node stands in the model. */
export interface NodePlace {
  readonly name: string;
  readonly kind: "input" | "head" | "mlp" | "logits";
  /** −1 for the input, the number of layers for the logits. */
  readonly layer: number;
  /** The number of a head in its layer; 0 of others. */
  readonly head: number;
}

/** The edges of a graph in columns. */
export interface EdgeColumns {
  readonly count: number;
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** An index into `inputNames`. */
  readonly input: Int32Array;
}

/** The node and the input that a receiver's name stands for: `a2.h3<q>` is the queries of `a2.h3`. */
function receiverOf(to: string): { node: string; input: number } {
  const match = /^(.*)<([qkv])>$/.exec(to);
  return match ? { node: match[1]!, input: inputNames.indexOf(match[2] as "q") } : { node: to, input: 0 };
}

/** The edges on the wire. @throws Error where an edge ends at no node */
export function encodeEdges(
  nodes: readonly string[],
  edges: readonly { readonly from: string; readonly to: string }[],
): WireTensor {
  const numbers = new Map(nodes.map((name, i) => [name, i]));
  const data = new Int32Array(3 * edges.length);
  edges.forEach(({ from, to }, i) => {
    const { node, input } = receiverOf(to);
    const ends = [numbers.get(from), numbers.get(node)];
    if (ends[0] === undefined || ends[1] === undefined)
      throw new Error(`The edge ${from}->${to} begins or ends at none of the ${nodes.length} nodes.`);
    data[i] = ends[0];
    data[edges.length + i] = ends[1];
    data[2 * edges.length + i] = input;
  });
  return encodeTensor(data, [3, edges.length]);
}

/** The edges from the wire. */
export function decodeEdges(wire: WireTensor | null): EdgeColumns {
  const { data, shape } = decodeTensor(wire);
  const count = shape[1]!;
  const all = data as Int32Array;
  return {
    count,
    from: all.subarray(0, count),
    to: all.subarray(count, 2 * count),
    input: all.subarray(2 * count),
  };
}

/** The name of an edge: `a0.h1->a2.h3<q>`. */
export function edgeNameOf(nodes: readonly string[], edges: EdgeColumns, edge: number): string {
  const input = inputNames[edges.input[edge]!]!;
  const to = nodes[edges.to[edge]!]!;
  return `${nodes[edges.from[edge]!]}->${input === "other" ? to : `${to}<${input}>`}`;
}

/** Where the nodes stand, by their names. */
export function placesOf(nodes: readonly string[]): { places: NodePlace[]; layers: number; heads: number } {
  const read = nodes.map((name) => ({ name, match: /^(?:a(\d+)\.h(\d+)|m(\d+))$/.exec(name) }));
  const layerOf = (match: RegExpExecArray): number => Number(match[1] ?? match[3]);
  const layers = read.reduce((most, { match }) => (match ? Math.max(most, layerOf(match) + 1) : most), 0);
  const heads = read.reduce((most, { match }) => Math.max(most, Number(match?.[2] ?? -1) + 1), 0);
  const places = read.map(({ name, match }): NodePlace => {
    if (match?.[2] !== undefined)
      return { name, kind: "head", layer: layerOf(match), head: Number(match[2]) };
    if (match) return { name, kind: "mlp", layer: layerOf(match), head: 0 };
    return name === "logits"
      ? { name, kind: "logits", layer: layers, head: 0 }
      : { name, kind: "input", layer: -1, head: 0 };
  });
  return { places, layers, heads };
}
