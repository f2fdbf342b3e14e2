/**
 * Nodes of older operator sets as the set that graphs are written in has them: the operators whose form changed in
 * between. Every other one of the sets 13 to 19 means the same there.
 */

import { subgraphsOf } from "./read.js";
import { type AttributeProto, type GraphProto, type NodeProto, toNumber } from "./schema.js";

/** The operator set that graphs are written in; one of newer nodes is written in theirs. */
export const WRITTEN_OPSET = 20;

const REDUCTIONS = /^Reduce(L1|L2|LogSum|LogSumExp|Max|Mean|Min|Prod|SumSquare)$/;

/** Names a new tensor of 64-bit integers, by default of one dimension. */
type Constant = (values: readonly number[], shape?: readonly number[]) => string;

/** Brings a node, and those of its subgraphs, to the written operator set; `constant` names a tensor of integers. */
export function upgradeNode(node: NodeProto, opset: number, constant: Constant): void {
  if (node.domain !== "" && node.domain !== "ai.onnx") return;
  for (const graph of subgraphsOf(node)) upgradeGraph(graph, opset);
  if (opset < 18 && REDUCTIONS.test(node.opType)) attributeToInput(node, "axes", 1, constant);
  if (opset < 18 && node.opType === "Split" && node.input.length < 2)
    node.attribute = [...node.attribute, integer("num_outputs", node.output.length)];
  if (opset < 20 && node.opType === "DFT") {
    const axis = take(node, "axis");
    while (node.input.length < 2) node.input.push("");
    node.input.push(constant([axis ? toNumber(axis.i) : 1], []));
  }
  if (opset < 20 && node.opType === "GridSample") renameMode(node, { bilinear: "linear", bicubic: "cubic" });
  if (opset < 16 && node.opType === "RoiAlign" && !has(node, "coordinate_transformation_mode"))
    node.attribute = [...node.attribute, text("coordinate_transformation_mode", "output_half_pixel")];
}

function upgradeGraph(graph: GraphProto, opset: number): void {
  let count = 0;
  const taken = new Set([
    ...graph.initializer.map(({ name }) => name),
    ...graph.input.map(({ name }) => name),
    ...graph.node.flatMap(({ output, input }) => [...output, ...input]),
  ]);
  for (const node of graph.node)
    upgradeNode(node, opset, (values, shape = [values.length]) => {
      while (taken.has(`upgraded ${count}`)) count++;
      const name = `upgraded ${count++}`;
      const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
      const tensor = { name, dims: shape, dataType: 7, rawData } as never;
      graph.initializer = [...graph.initializer, tensor];
      return name;
    });
}

const has = (node: NodeProto, name: string): boolean =>
  node.attribute.some((attribute) => attribute.name === name);

function take(node: NodeProto, name: string): AttributeProto | undefined {
  const found = node.attribute.find((attribute) => attribute.name === name);
  node.attribute = node.attribute.filter((attribute) => attribute !== found);
  return found;
}

function attributeToInput(node: NodeProto, name: string, at: number, constant: Constant): void {
  const attribute = take(node, name);
  if (!attribute) return;
  while (node.input.length < at) node.input.push("");
  node.input[at] = constant(attribute.ints.map(toNumber));
}

function renameMode(node: NodeProto, names: Readonly<Record<string, string>>): void {
  const mode = take(node, "mode");
  if (!mode) return;
  const old = new TextDecoder().decode(mode.s);
  node.attribute = [...node.attribute, text("mode", names[old] ?? old)];
}

const integer = (name: string, i: number): AttributeProto => ({ name, type: 2, i }) as AttributeProto;
const text = (name: string, value: string): AttributeProto =>
  ({ name, type: 3, s: new TextEncoder().encode(value) }) as AttributeProto;
