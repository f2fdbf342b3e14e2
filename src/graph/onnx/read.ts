/**
 * From the bytes of an ONNX file to a checked description of it. Nothing is computed, and nothing is believed that the
 * file says of its own sizes.
 */

import { termsOf } from "../dims.js";
import { nearest } from "../rewrites.js";
import type { Dim, ElementType, Shape } from "../value.js";
import { operatorNames } from "./operator-names.js";
import {
  decodeModel,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  toNumber,
  type ValueInfoProto,
} from "./schema.js";
import { readTensor, type StoredTensor, shapeOf, type TensorContext } from "./tensors.js";
import { elementType, typeText } from "./types.js";

/** What is known of a tensor before anything runs; a dimension is missing where the file does not say it. */
export interface KnownType {
  readonly dtype: ElementType;
  readonly shape: readonly (number | undefined)[];
}

/** A node, with the names of the tensors that its subgraphs read from outside of them. */
export interface OnnxNode {
  readonly type: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly captured: readonly string[];
  readonly proto: NodeProto;
}

/** A checked ONNX model. */
export interface OnnxModel {
  readonly opset: number;
  readonly domains: ReadonlyMap<string, number>;
  readonly inputs: readonly { readonly name: string; readonly dtype: ElementType; readonly shape: Shape }[];
  readonly outputs: readonly string[];
  readonly initializers: ReadonlyMap<string, StoredTensor>;
  /** Operands before results. */
  readonly nodes: readonly OnnxNode[];
  /** What the file says of its tensors. */
  readonly types: ReadonlyMap<string, KnownType>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** The operator sets that can be read. */
export const OPSETS: readonly [first: number, last: number] = [13, 23];
/** The domains whose operators ONNX Runtime brings with it. */
const DOMAINS = new Set(["", "ai.onnx.ml", "com.microsoft"]);
const DEEPEST = 16;

/** Reads and checks a model. */
export function readModel(context: TensorContext): OnnxModel {
  const { file } = context;
  if (file.byteLength === 0) throw new Error("The ONNX file is empty.");
  const proto = decode(file);
  const { graph } = proto;
  if (!graph || graph.node.length + graph.output.length === 0)
    throw new Error("The file is not an ONNX model: it has no graph.");
  const domains = readDomains(proto);
  if (proto.functions.length > 0)
    throw new Error(
      `The model defines functions of its own (${proto.functions[0]!.domain}.${proto.functions[0]!.name}); inline them first, as onnx.inliner.inline_local_functions does.`,
    );
  const reader = new GraphReader(graph, context, domains);
  return {
    opset: domains.get("")!,
    domains,
    ...reader.read(),
    metadata: new Map(proto.metadataProps.map(({ key, value }) => [key, value])),
  };
}

function decode(file: Uint8Array): ModelProto {
  try {
    return decodeModel(file);
  } catch (error) {
    throw new Error(`The file is not an ONNX model, or it is cut off: ${(error as Error).message}.`);
  }
}

function readDomains({ opsetImport }: ModelProto): Map<string, number> {
  const domains = new Map<string, number>();
  for (const { domain, version } of opsetImport)
    domains.set(domain === "ai.onnx" ? "" : domain, toNumber(version));
  const opset = domains.get("");
  const [first, last] = OPSETS;
  if (opset === undefined)
    throw new Error("The ONNX model does not say which operator set it is written in.");
  if (!Number.isInteger(opset) || opset < first || opset > last)
    throw new Error(
      `The ONNX model is written in operator set ${opset}; ${first} to ${last} are supported. Convert it with onnx.version_converter, or export it anew.`,
    );
  return domains;
}

const quoted = (name: string): string => JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);

class GraphReader {
  /** What gives each name its value. */
  private readonly givers = new Map<string, "an input" | "a weight" | OnnxNode>();

  constructor(
    private readonly graph: GraphProto,
    private readonly context: TensorContext,
    private readonly domains: ReadonlyMap<string, number>,
  ) {}

  read(): Pick<OnnxModel, "inputs" | "outputs" | "initializers" | "nodes" | "types"> {
    const { graph } = this;
    if (graph.sparseInitializer.length > 0)
      throw new Error("The model has sparse weights, which are not supported; make them dense.");
    const initializers = new Map<string, StoredTensor>();
    for (const proto of graph.initializer) {
      const what = `The weight ${quoted(proto.name)}`;
      this.give(proto.name, "a weight");
      initializers.set(proto.name, readTensor(proto, this.context, what));
    }
    // Before IR version 4 weights were listed among the inputs too.
    const inputs = graph.input
      .filter(({ name }) => !initializers.has(name))
      .map((info) => {
        this.give(info.name, "an input");
        return readInput(info);
      });
    const nodes = graph.node.map((proto) => this.readNode(proto));
    const outputs = graph.output.map(({ name }) => name);
    if (outputs.length === 0) throw new Error("The model has no outputs.");
    if (new Set(outputs).size !== outputs.length)
      throw new Error("The model names one of its outputs twice.");
    for (const name of outputs)
      if (!this.givers.has(name)) throw new Error(`Nothing in the model gives its output ${quoted(name)}.`);
    return { inputs, outputs, initializers, nodes: this.sort(nodes), types: knownTypes(graph) };
  }

  private give(name: string, giver: "an input" | "a weight" | OnnxNode): void {
    if (name === "" || name.includes("\0") || name === "__proto__")
      throw new Error("A tensor of the model has an empty or unreadable name.");
    if (this.givers.has(name)) throw new Error(`Two tensors of the model are called ${quoted(name)}.`);
    this.givers.set(name, giver);
  }

  private readNode(proto: NodeProto): OnnxNode {
    checkNode(proto, this.domains, 0);
    const node = nodeOf(proto);
    for (const name of proto.output) if (name !== "") this.give(name, node);
    return node;
  }

  /** The nodes, operands before results. */
  private sort(nodes: readonly OnnxNode[]): OnnxNode[] {
    const order: OnnxNode[] = [];
    const state = new Map<OnnxNode, "open" | "done">();
    // An explicit stack, since graphs are deeper than the call stack.
    for (const root of nodes) {
      const stack: { node: OnnxNode; next: number; operands: readonly string[] }[] = [];
      const visit = (node: OnnxNode): void => {
        state.set(node, "open");
        stack.push({
          node,
          next: 0,
          operands: [...node.inputs.filter((name) => name !== ""), ...node.captured],
        });
      };
      if (!state.has(root)) visit(root);
      while (stack.length > 0) {
        const top = stack.at(-1)!;
        const name = top.operands[top.next++];
        if (name === undefined) {
          state.set(top.node, "done");
          order.push(top.node);
          stack.pop();
          continue;
        }
        const giver = this.givers.get(name);
        if (giver === undefined)
          throw new Error(
            `The node ${quoted(labelOf(top.node))} (${top.node.type}) reads ${quoted(name)}, which nothing in the model gives.`,
          );
        if (typeof giver === "string" || state.get(giver) === "done") continue;
        if (state.get(giver) === "open")
          throw new Error(`The model is no graph without cycles: ${quoted(name)} is made from itself.`);
        visit(giver);
      }
    }
    return order;
  }
}

/** A node, with what it reads. */
export const nodeOf = (proto: NodeProto): OnnxNode => ({
  type: proto.opType,
  domain: domainOf(proto),
  inputs: proto.input,
  outputs: proto.output,
  captured: capturedNames(proto),
  proto,
});

/** A node's name, for messages. */
export const labelOf = (node: OnnxNode): string =>
  node.proto.name || node.outputs.find((name) => name !== "") || node.type;

const domainOf = ({ domain }: NodeProto): string => (domain === "ai.onnx" ? "" : domain);

function readInput({ name, type }: ValueInfoProto): { name: string; dtype: ElementType; shape: Shape } {
  const tensor = type?.tensorType;
  if (!tensor)
    throw new Error(
      `The input ${quoted(name)} is no tensor; sequences, maps and optional inputs are not supported.`,
    );
  const dtype = elementType(tensor.elemType);
  if (!dtype)
    throw new Error(
      `The input ${quoted(name)} holds ${typeText(tensor.elemType)}, an element type that is not supported.`,
    );
  if (!tensor.shape)
    throw new Error(`The model does not say how many dimensions the input ${quoted(name)} has.`);
  const shape = tensor.shape.dim.map(({ dimValue, dimParam }, axis): Dim => {
    if (dimParam) return readableDim(dimParam);
    const size = dimValue === undefined ? -1 : toNumber(dimValue);
    // Some exporters write 0 or −1 for what they do not know.
    return size > 0 ? size : `${name.replaceAll(/[^\w.]/g, "_")}.${axis}`;
  });
  shapeOf({ dims: shape.filter((dim) => typeof dim === "number") } as never, `The input ${quoted(name)}`);
  return { name, dtype, shape };
}

/** A named dimension as graphs write it; text that is no sum of products becomes one name. */
function readableDim(text: string): Dim {
  const terms = termsOf(text.slice(0, 100));
  const [only] = terms.size === 1 ? terms : [];
  if (only && only[0] !== "" && only[1] === 1 && !only[0].includes("*"))
    return only[0].replaceAll(/[()[\]*+-]/g, "_");
  const sum = [...terms].every(([names, count]) => count > 0 && !/[()[\]]/.test(names));
  return sum && terms.size > 0
    ? [...terms]
        .sort(([a], [b]) => (a === "" ? 1 : b === "" ? -1 : a < b ? -1 : 1))
        .map(([names, count]) => (names === "" ? String(count) : count === 1 ? names : `${count}*${names}`))
        .join("+")
    : text.slice(0, 100).replaceAll(/[^\w.]/g, "_");
}

/** Throws where a node, or one of its subgraphs, is not of the kind that can be handed to ONNX Runtime. */
function checkNode(proto: NodeProto, domains: ReadonlyMap<string, number>, depth: number): void {
  const label = quoted(proto.name || proto.output[0] || proto.opType);
  if (depth > DEEPEST) throw new Error(`The model has subgraphs nested deeper than ${DEEPEST}.`);
  if (!/^[A-Za-z]\w{0,63}$/.test(proto.opType))
    throw new Error(`The node ${label} has ${quoted(proto.opType)} for an operator.`);
  const domain = domainOf(proto);
  if (!DOMAINS.has(domain))
    throw new Error(
      `The node ${label} uses the operator ${proto.opType} of the domain ${quoted(domain)}, which is not known; operators of ONNX and of com.microsoft can be run.`,
    );
  const known = operatorNames(domain);
  if (known && !known.has(proto.opType))
    throw new Error(
      `The node ${label} uses the operator ${proto.opType}, which ONNX does not have. The nearest are ${nearest(proto.opType, known).join(", ")}.`,
    );
  if (!domains.has(domain) && domain !== "com.microsoft")
    throw new Error(
      `The node ${label} uses the domain ${quoted(domain)}, whose version the model does not say.`,
    );
  if (proto.input.length > 4096 || proto.output.length > 4096)
    throw new Error(`The node ${label} has more inputs or outputs than any operator.`);
  const seen = new Set<string>();
  for (const attribute of proto.attribute) {
    if (seen.has(attribute.name))
      throw new Error(`The node ${label} has the attribute ${quoted(attribute.name)} twice.`);
    seen.add(attribute.name);
    if (attribute.refAttrName)
      throw new Error(`The node ${label} reads an attribute of a function, but stands in none.`);
    const positive = [
      "group",
      "hidden_size",
      "num_heads",
      "kv_num_heads",
      "blocksize",
      "block_size",
      "N",
      "K",
      "bits",
    ];
    const numbers = attribute.type === 2 && positive.includes(attribute.name) ? [toNumber(attribute.i)] : [];
    if (["strides", "dilations", "kernel_shape"].includes(attribute.name))
      numbers.push(...attribute.ints.map(toNumber));
    if (numbers.some((number) => number < 1 || number > 2 ** 31))
      throw new Error(
        `The node ${label} has the ${attribute.name} ${numbers.join(", ")}; numbers above 0 were expected.`,
      );
    for (const graph of [...(attribute.g ? [attribute.g] : []), ...attribute.graphs])
      checkSubgraph(graph, domains, depth + 1);
  }
}

function checkSubgraph(graph: GraphProto, domains: ReadonlyMap<string, number>, depth: number): void {
  if (graph.sparseInitializer.length > 0)
    throw new Error("A subgraph of the model has sparse weights, which are not supported.");
  for (const tensor of graph.initializer) {
    const what = `The weight ${quoted(tensor.name)} of a subgraph`;
    if (tensor.dataLocation !== 0)
      throw new Error(`${what} lies in another file, which is supported for weights of the main graph only.`);
    readTensor(tensor, { file: new Uint8Array(), sizeBeside: () => 0 }, what);
  }
  const made = new Set<string>();
  for (const name of [
    ...graph.initializer.map((tensor) => tensor.name),
    ...graph.input.map((info) => info.name),
    ...graph.node.flatMap((node) => node.output.filter((output) => output !== "")),
  ]) {
    if (name === "" || name.includes("\0") || made.has(name))
      throw new Error(`Two tensors of a subgraph are called ${quoted(name)}, or one has no name.`);
    made.add(name);
  }
  for (const node of graph.node) checkNode(node, domains, depth);
}

/** The tensors that a node's subgraphs read from the graph around them. */
function capturedNames(node: NodeProto): string[] {
  const captured = new Set<string>();
  const visit = (graph: GraphProto, outer: ReadonlySet<string>): void => {
    const known = new Set(outer);
    for (const { name } of [...graph.initializer, ...graph.input]) known.add(name);
    for (const inner of graph.node) {
      for (const name of inner.input) if (name !== "" && !known.has(name)) captured.add(name);
      for (const subgraph of subgraphsOf(inner)) visit(subgraph, known);
      for (const name of inner.output) known.add(name);
    }
    for (const { name } of graph.output) if (!known.has(name)) captured.add(name);
  };
  for (const graph of subgraphsOf(node)) visit(graph, new Set());
  return [...captured];
}

/** The graphs among a node's attributes. */
export const subgraphsOf = ({ attribute }: NodeProto): GraphProto[] =>
  attribute.flatMap(({ g, graphs }) => [...(g ? [g] : []), ...graphs]);

/** What the file says of tensors: types, and the sizes of dimensions that are numbers. Its names are not reliable. */
function knownTypes(graph: GraphProto): Map<string, KnownType> {
  const types = new Map<string, KnownType>();
  for (const { name, type } of [...graph.valueInfo, ...graph.output]) {
    const tensor = type?.tensorType;
    const dtype = tensor && elementType(tensor.elemType);
    if (!dtype || !tensor.shape || tensor.shape.dim.length > 32) continue;
    const shape = tensor.shape.dim.map(({ dimValue, dimParam }) => {
      const size = dimParam || dimValue === undefined ? -1 : toNumber(dimValue);
      return size > 0 && size < 2 ** 40 ? size : undefined;
    });
    types.set(name, { dtype, shape });
  }
  return types;
}
