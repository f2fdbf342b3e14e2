/** Reads ONNX files as graphs. */

import "../operators/index.js";
import { viewBytes } from "../../array/dtype.js";
import { input as inputLeaf, item, parameter, point } from "../build.js";
import type { Graph } from "../graph.js";
import { apply, type Dim, type Type, type Value } from "../value.js";
import { describable, RANK_OF } from "./describe.js";
import { AXES_KEY } from "./emit.js";
import { evaluateNode } from "./known.js";
import { type Known, NodeView, type Surroundings } from "./node.js";
import { opaqueTypes } from "./opaque-types.js";
import {
  type KnownType,
  labelOf,
  nodeOf,
  type OnnxModel,
  type OnnxNode,
  readModel,
  subgraphsOf,
} from "./read.js";
import { ruleFor } from "./rules/index.js";
import { decodeNode, encodeNode, type NodeProto } from "./schema.js";
import { readTensor, type StoredTensor, type TensorContext } from "./tensors.js";
import { upgradeNode, WRITTEN_OPSET } from "./upgrade.js";

/** What reading a file may need from outside of it. */
export interface ImportOptions {
  /** The size in bytes of a file beside it, which holds weights; by default such files are refused. */
  readonly sizeBeside?: (location: string) => number;
  /** Reads a small part of such a file, at once. */
  readonly readBeside?: (location: string, offset: number, byteLength: number) => Uint8Array;
  /**
   * Tells the types of the outputs of an ONNX model; ONNX Runtime can. It is asked only where operators that the table
   * has no word for have outputs of which the file does not tell the type, and given the checked graph without its weights.
   */
  readonly describe?: (model: Uint8Array) => Promise<ReadonlyMap<string, KnownType>>;
}

/** An operator through which no gradient can pass. */
export interface UnsupportedGradient {
  /** The point that is its output. */
  readonly point: string;
  /** Such as `"LSTM"`, or `"com.microsoft.Attention"`. */
  readonly operator: string;
}

/** An ONNX file as a graph. */
export interface ImportedGraph {
  /** Every tensor of the file is an output and a point, under its name; inputs and weights too. */
  readonly graph: Graph;
  /** The inputs, without weights, in the file's order. */
  readonly inputs: readonly Value[];
  /** The names of the file's own outputs. */
  readonly outputs: readonly string[];
  /** The weights and constants, by their names. */
  readonly weights: ReadonlyMap<string, StoredTensor>;
  readonly unsupportedGradients: readonly UnsupportedGradient[];
}

/**
 * Reads an ONNX file (operator sets 13 to 23) as a graph. Weights stay where they are; nothing is computed.
 *
 * Operators that the table has words for become those; all others are kept as they are, and run, but no gradient passes
 * them.
 *
 * @param file the bytes of the file
 * @throws if the file is malformed, or uses operators of domains that ONNX Runtime does not bring with it
 */
export async function importOnnx(file: Uint8Array, options: ImportOptions = {}): Promise<ImportedGraph> {
  const context: TensorContext = {
    file,
    readBeside: options.readBeside,
    sizeBeside:
      options.sizeBeside ??
      ((location) => {
        throw new Error(`The model has weights in ${location}, which was not given.`);
      }),
  };
  const model = readModel(context);
  const told = new Map(model.types);
  const first = new Builder(model, context, told).build();
  if (first.graph) return first.graph;
  const names = model.nodes.flatMap((node) => node.outputs.filter((name) => name !== "" && !told.has(name)));
  const described = await options.describe?.(describable(model, names));
  for (const name of names) {
    const type = described?.get(name);
    // The shape of a tensor of which not even the rank is known looks like a scalar's; the size of its shape does not.
    const [rank] = described?.get(RANK_OF + name)?.shape ?? [];
    if (type && rank === type.shape.length) told.set(name, type);
  }
  const second = new Builder(model, context, told).build();
  if (second.graph) return second.graph;
  throw new Error(
    `The type of the tensor "${second.untold}" is not known: the file does not say it, or it is no tensor of numbers (sequences, texts and complex numbers are not supported). Tools such as onnx.shape_inference write types into a file.`,
  );
}

/** A tensor whose type is not known. */
class Untold extends Error {
  constructor(readonly tensor: string) {
    super(tensor);
  }
}

/** Small tensors of integers are looked into. */
const MOST_KNOWN = 64;

class Builder implements Surroundings {
  private readonly values = new Map<string, Value>();
  private readonly knowns = new Map<string, Known>();
  private readonly weights = new Map<string, StoredTensor>();
  private readonly dims = new Set<string>();
  private readonly unsupported: UnsupportedGradient[] = [];
  /** The axes of points, where the file was written with them. */
  private readonly axes: Readonly<Record<string, unknown>>;
  private readonly batch: Dim | undefined;
  /** The names of all that nodes of the main graph give. */
  private readonly later: ReadonlySet<string>;

  constructor(
    private readonly model: OnnxModel,
    private readonly context: TensorContext,
    private readonly types: ReadonlyMap<string, KnownType>,
  ) {
    this.axes = readAxes(model.metadata.get(AXES_KEY));
    this.batch = model.inputs[0]?.shape[0];
    this.later = new Set(model.nodes.flatMap((node) => node.outputs));
  }

  get opset(): number {
    return this.model.opset;
  }

  build(): { graph?: ImportedGraph; untold?: string } {
    const { model } = this;
    for (const tensor of model.initializers.values()) this.addWeight(tensor);
    for (const { name, dtype, shape } of model.inputs) {
      for (const dim of shape) if (typeof dim === "string") this.dims.add(dim);
      this.define(name, inputLeaf(name, dtype, shape));
    }
    try {
      for (const node of model.nodes) this.addNode(node);
    } catch (error) {
      if (error instanceof Untold) return { untold: error.tensor };
      throw error;
    }
    const graph: ImportedGraph = {
      graph: { outputs: Object.fromEntries(this.values) },
      inputs: model.inputs.map(({ name }) => this.values.get(name)!),
      outputs: model.outputs,
      weights: this.weights,
      unsupportedGradients: this.unsupported,
    };
    return { graph };
  }

  // ---- what nodes ask for

  value(name: string): Value {
    return this.values.get(name)!;
  }

  known(name: string): Known | undefined {
    return this.knowns.get(name);
  }

  floats(name: string): readonly number[] | undefined {
    const tensor = this.weights.get(name);
    if (tensor?.dtype !== "float32" || !tensor.bytes || tensor.bytes.byteLength > 4 * MOST_KNOWN)
      return undefined;
    return Array.from(viewBytes(tensor.bytes, "float32") as Float32Array);
  }

  freshDim(tensor: string, axis: number): Dim {
    const base = `${tensor.slice(0, 80).replaceAll(/[^\w.]/g, "_")}.${axis}`;
    let name = /^\d/.test(base) ? `_${base}` : base;
    while (this.dims.has(name)) name += "_";
    this.dims.add(name);
    return name;
  }

  // ---- building

  private addWeight(tensor: StoredTensor): void {
    this.weights.set(tensor.name, tensor);
    this.define(tensor.name, parameter(tensor.name, tensor.dtype, tensor.shape));
    const isInteger = tensor.dtype === "int64" || tensor.dtype === "int32";
    const size = tensor.shape.reduce((a, b) => a * b, 1);
    if (isInteger && tensor.bytes && tensor.shape.length <= 1 && size <= MOST_KNOWN) {
      const numbers = viewBytes(tensor.bytes, tensor.dtype) as BigInt64Array | Int32Array;
      this.knowns.set(tensor.name, Array.from(numbers as Int32Array, Number));
    }
  }

  private define(name: string, value: Value): void {
    this.values.set(name, point(name, value, this.axesOf(name, value)));
  }

  /** What each dimension of a tensor is: by the file's own notes, or by the names of sizes. */
  private axesOf(name: string, { shape }: Value): readonly string[] {
    const noted = Object.hasOwn(this.axes, name) ? this.axes[name] : undefined;
    if (
      Array.isArray(noted) &&
      noted.length === shape.length &&
      noted.every((axis) => typeof axis === "string")
    )
      return noted as string[];
    return shape.map((dim, i) =>
      i === 0 && typeof dim === "string" && dim === this.batch
        ? "batch"
        : typeof dim === "string" && /^[A-Za-z_]\w*$/.test(dim) && shape.indexOf(dim) === i
          ? dim
          : `axis${i}`,
    );
  }

  private addNode(node: OnnxNode): void {
    const at = new NodeView(node, this);
    try {
      if (node.domain === "" && node.type === "Constant") {
        this.addConstant(at);
        return;
      }
      if (node.domain === "" && node.type === "If" && this.inline(at)) return;
      const made = ruleFor(at)?.(at);
      const outputs = made === undefined ? undefined : Array.isArray(made) ? made : [made];
      const isWhole = outputs && node.outputs.every((name, i) => name === "" || outputs[i] !== undefined);
      const values = isWhole ? (outputs as readonly (Value | undefined)[]) : this.keep(at);
      node.outputs.forEach((name, i) => {
        if (name !== "") this.define(name, values[i]!);
      });
      const known = node.outputs[0] && evaluateNode(at);
      if (known) this.knowns.set(node.outputs[0]!, known);
    } catch (error) {
      if (error instanceof Untold) throw error;
      throw new Error(
        `The node "${labelOf(node)}" (${node.type}) is malformed: ${(error as Error).message}`,
        {
          cause: error,
        },
      );
    }
  }

  private addConstant(at: NodeView): void {
    const name = at.node.outputs[0];
    if (!name) return;
    const proto = at.tensor("value") ?? constantOf(at);
    if (!proto) throw new Error("it is a constant of texts or sparse numbers, which are not supported.");
    const tensor = readTensor(proto, this.context, `The constant "${name}"`);
    this.addWeight({ ...tensor, name });
  }

  /**
   * A branch whose condition is known is the graph itself: exporters write those where shapes decide. Tells whether it
   * was; otherwise the node is kept as it is.
   */
  private inline(at: NodeView): boolean {
    const condition = at.known(0)?.[0];
    const branch = at.graph(condition ? "then_branch" : "else_branch");
    if (typeof condition !== "number" || branch?.output.length !== at.node.outputs.length) return false;
    const own = [
      ...branch.initializer.map(({ name }) => name),
      ...branch.node.flatMap((inner) => inner.output.filter((name) => name !== "")),
    ];
    const given = new Set(own);
    if (own.some((name) => this.values.has(name) || this.later.has(name))) return false;
    if (branch.output.some(({ name }) => !given.has(name) && !this.values.has(name))) return false;
    for (const proto of branch.initializer)
      this.addWeight(readTensor(proto, this.context, `The weight "${proto.name}" of a branch`));
    for (const inner of branch.node) {
      const node = nodeOf(inner);
      const missing = [...node.inputs, ...node.captured].find(
        (name) => name !== "" && !this.values.has(name),
      );
      if (missing !== undefined) throw new Error(`a branch reads "${missing}" before it is made.`);
      this.addNode(node);
    }
    at.node.outputs.forEach((name, i) => {
      if (name === "") return;
      this.define(name, this.value(branch.output[i]!.name));
      const known = this.knowns.get(branch.output[i]!.name);
      if (known) this.knowns.set(name, known);
    });
    return true;
  }

  /** A node kept as it is. */
  private keep(at: NodeView): (Value | undefined)[] {
    const { node } = at;
    const types = this.outputTypes(at);
    const proto = decodeNode(encodeNode(node.proto));
    let count = 0;
    upgradeNode(proto, this.model.opset, (values, shape = [values.length]) =>
      this.addUpgrade(`${labelOf(node)}/upgraded ${count++}`, values, shape),
    );
    for (const tensor of tensorsOf(proto))
      if (tensor.dataLocation !== 0) throw new Error("it holds numbers that lie in another file.");
    const slots = proto.input.flatMap((name, i) => (name === "" ? [] : [i]));
    const operands = [...slots.map((slot) => proto.input[slot]!), ...node.captured].map((name) =>
      this.value(name),
    );
    const first = node.outputs.find((name) => name !== "") ?? labelOf(node);
    const kept = apply("onnx", operands, {
      type: node.type,
      domain: node.domain,
      name: first,
      opset: this.writtenOpset(node.domain),
      slots,
      captured: node.captured,
      outputs: JSON.stringify(types.map((type) => type ?? null)),
      node: base64(encodeNode({ attribute: proto.attribute })),
    });
    const isFloat = ({ dtype }: { dtype: string }): boolean => dtype.includes("float");
    const flows = operands.some((value) => isFloat(value) && value.inputs[0]!.op !== "parameter");
    const floats = node.outputs.filter((_, i) => types[i] && isFloat(types[i]));
    if (flows)
      for (const point of floats)
        this.unsupported.push({
          point,
          operator: node.domain === "" ? node.type : `${node.domain}.${node.type}`,
        });
    return types.map((type, i) => type && item(kept, i));
  }

  private writtenOpset(domain: string): number {
    return domain === "" ? Math.max(WRITTEN_OPSET, this.model.opset) : (this.model.domains.get(domain) ?? 1);
  }

  private addUpgrade(name: string, values: readonly number[], shape: readonly number[]): string {
    const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    let unique = name;
    while (this.values.has(unique)) unique += "'";
    this.addWeight({ name: unique, dtype: "int64", shape, source: { kind: "given", bytes }, bytes });
    return unique;
  }

  private outputTypes(at: NodeView): (Type | undefined)[] {
    const own = opaqueTypes(at);
    return at.node.outputs.map((name, i) => {
      if (name === "") return undefined;
      const told = this.types.get(name);
      const inferred = own?.[i];
      if (inferred) return inferred;
      if (!told) throw new Untold(name);
      return { dtype: told.dtype, shape: told.shape.map((size, axis) => size ?? at.fresh(axis, i)) };
    });
  }
}

/** A constant that stands in a node as plain numbers. */
function constantOf(at: NodeView): Parameters<typeof readTensor>[0] | undefined {
  const empty = {
    floatData: [],
    int32Data: [],
    int64Data: [],
    uint64Data: [],
    doubleData: [],
    externalData: [],
    dataLocation: 0,
  };
  const make = (dataType: number, dims: number[], numbers: object): Parameters<typeof readTensor>[0] =>
    ({ ...empty, name: "", dataType, dims, ...numbers }) as never;
  if (at.hasAttribute("value_float")) return make(1, [], { floatData: [at.float("value_float", 0)] });
  if (at.hasAttribute("value_int")) return make(7, [], { int64Data: [at.int("value_int", 0)] });
  const [floats, ints] = [at.floats("value_floats"), at.ints("value_ints")];
  if (floats) return make(1, [floats.length], { floatData: floats });
  if (ints) return make(7, [ints.length], { int64Data: ints });
  return undefined;
}

/** The tensors among a node's attributes and those of its subgraphs. */
function* tensorsOf(node: NodeProto): Generator<{ dataLocation: number }> {
  for (const { t, tensors } of node.attribute) {
    if (t) yield t;
    yield* tensors;
  }
  for (const graph of subgraphsOf(node)) {
    yield* graph.initializer;
    for (const inner of graph.node) yield* tensorsOf(inner);
  }
}

function readAxes(text: string | undefined): Record<string, unknown> {
  if (text === undefined) return {};
  try {
    const axes: unknown = JSON.parse(text);
    return typeof axes === "object" && axes !== null ? (axes as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Bytes as text of plain characters. */
function base64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}
