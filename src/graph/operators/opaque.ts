/**
 * Operators of ONNX files that the table has no word for: kept as they are, with their attributes and subgraphs, and
 * written out again. They run; no gradient is known of them.
 */

import { decodeNode, type GraphProto, type NodeProto } from "../onnx/schema.js";
import type { Attributes, Dim, ElementType, Emitter, Operator, Type, Value } from "../value.js";

/** What a node is kept as. */
export interface OpaqueNode extends Attributes {
  readonly type: string;
  readonly domain: string;
  /** Its first output, for messages. */
  readonly name: string;
  /** The operator set that it is written in. */
  readonly opset: number;
  /** Which of its inputs are there, in their order: optional ones may be left out. */
  readonly slots: readonly number[];
  /** The names by which its subgraphs read the inputs that follow those. */
  readonly captured: readonly string[];
  /** The outputs' types as JSON; `null` for one that is left out. */
  readonly outputs: string;
  /** The encoded node: its attributes and subgraphs, in base64. */
  readonly node: string;
}

/** The type of an output of an opaque operator. */
export function opaqueOutput(value: Value, index: number): Type {
  const types = JSON.parse(value.attributes.outputs as string) as ({
    dtype: ElementType;
    shape: Dim[];
  } | null)[];
  const type = types[index];
  if (!type) throw new Error(`${value} has no output ${index}.`);
  return type;
}

/** Renames every tensor of a subgraph: what it reads from outside, and what is its own. */
function renameGraph(
  graph: GraphProto,
  outer: ReadonlyMap<string, string>,
  own: (name: string) => string,
): void {
  const names = new Map(outer);
  const define = (name: string): string => {
    if (name === "") return name;
    names.set(name, own(name));
    return names.get(name)!;
  };
  const resolve = (name: string): string => (name === "" ? name : (names.get(name) ?? name));
  for (const tensor of graph.initializer) tensor.name = define(tensor.name);
  for (const input of graph.input) input.name = define(input.name);
  for (const node of graph.node) for (const name of node.output) define(name);
  for (const node of graph.node) {
    node.input = node.input.map(resolve);
    for (const subgraph of graphsOf(node)) renameGraph(subgraph, names, own);
    node.output = node.output.map(resolve);
  }
  for (const output of graph.output) output.name = resolve(output.name);
  for (const info of graph.valueInfo) info.name = resolve(info.name);
}

const graphsOf = ({ attribute }: NodeProto): GraphProto[] =>
  attribute.flatMap(({ g, graphs }) => [...(g ? [g] : []), ...graphs]);

function emitOpaque({ inputs, attributes }: Value, emitter: Emitter): string {
  const { type, domain, slots, captured, outputs, node } = attributes as OpaqueNode;
  const proto = decodeNode(Uint8Array.from(atob(node), (char) => char.charCodeAt(0)));
  const names: string[] = new Array((slots.at(-1) ?? -1) + 1).fill("");
  slots.forEach((slot, i) => {
    names[slot] = emitter.name(inputs[i]!);
  });
  const outer = new Map(captured.map((name, i) => [name, emitter.name(inputs[slots.length + i]!)]));
  if (graphsOf(proto).length > 0) {
    const prefix = emitter.unique("subgraph");
    let count = 0;
    const own = (name: string): string => `${prefix}/${count++}/${name}`;
    for (const graph of graphsOf(proto)) renameGraph(graph, outer, own);
  }
  const present = (JSON.parse(outputs) as unknown[]).map((output) => output !== null);
  return emitter.node(type, names, {}, { domain, outputs: present, encoded: proto.attribute });
}

export const opaque: Record<string, Operator> = {
  // Its outputs, which have types of their own, are read with `item`.
  onnx: {
    infer: () => ({ dtype: "float32", shape: [] }),
    emit: emitOpaque,
  },
};
