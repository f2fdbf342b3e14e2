/** Writes a graph as an ONNX model. */

import "../operators/index.js";
import { bytesOf, elementsAs } from "../../array/dtype.js";
import { termsOf } from "../dims.js";
import { type Graph, topological } from "../graph.js";
import {
  type ElementType,
  type Emitter,
  type NodeOptions,
  type OnnxAttributes,
  operator,
  type Shape,
  type Value,
} from "../value.js";
import { type AttributeProto, encodeModel } from "./schema.js";
import { onnxType } from "./types.js";
import { WRITTEN_OPSET } from "./upgrade.js";

/** Where the bytes of a parameter are. */
export type ParameterSource =
  /** In a file beside the model (or in the folder that ONNX Runtime is told), at an offset. */
  | { readonly kind: "file"; readonly location: string; readonly offset: number; readonly byteLength: number }
  /** In the model itself. */
  | { readonly kind: "inline"; readonly bytes: Uint8Array }
  /** Fed like an input. */
  | { readonly kind: "fed" };

const IR_VERSION = 10;
const EXTERNAL = 1;
/** The entry of a model's metadata that says what the axes of its points are, as JSON. */
export const AXES_KEY = "tslens.axes";

/**
 * Writes a graph as an ONNX model: its inputs and outputs under their names, parameters as initializers.
 *
 * @param parameters tells where a parameter's bytes are
 * @param inputs inputs that the model has in this order, in front of others, even where nothing is made from them
 */
export function exportOnnx(
  graph: Graph,
  parameters: (name: string) => ParameterSource,
  inputs: readonly Value[] = [],
): Uint8Array {
  return new Writer(graph, parameters, inputs).write(true).model;
}

/** A model to be run: its bytes, and which of its tensors each output is. */
export interface CompiledModel {
  readonly model: Uint8Array;
  readonly outputs: Readonly<Record<string, string>>;
}

/**
 * Writes a graph as an ONNX model to be run at once: as `exportOnnx` does, but outputs keep the names of the tensors
 * that they are, since naming them anew would cost a copy of each.
 */
export function compileOnnx(
  graph: Graph,
  parameters: (name: string) => ParameterSource,
  inputs: readonly Value[] = [],
): CompiledModel {
  return new Writer(graph, parameters, inputs).write(false);
}

type Proto = Record<string, unknown>;

const typeOf = ({ dtype, shape }: Value): string => `${dtype}[${shape.join(", ")}]`;

class Writer implements Emitter {
  private readonly nodes: Proto[] = [];
  private readonly inputs: Proto[] = [];
  private readonly declared = new Map<string, Value>();
  private readonly initializers: Proto[] = [];
  private readonly names = new Map<Value, string>();
  /** The tensors that nodes make. */
  private readonly made = new Set<string>();
  /** Names that belong to something else than a node's result. */
  private readonly reserved: ReadonlySet<string>;
  private readonly constants = new Map<string, string>();
  private readonly dimensions = new Map<string, string>();
  private readonly values: readonly Value[];
  private count = 0;

  constructor(
    private readonly graph: Graph,
    private readonly parameters: (name: string) => ParameterSource,
    inputs: readonly Value[] = [],
  ) {
    this.values = [...topological([...inputs, ...Object.values(graph.outputs)])];
    const named = this.values.filter(({ attributes }) => typeof attributes.name === "string");
    this.reserved = new Set([
      ...Object.keys(graph.outputs),
      ...named.map(({ attributes }) => attributes.name as string),
    ]);
  }

  write(rename: boolean): CompiledModel {
    for (const value of this.values) this.names.set(value, this.emit(value));
    const named = rename ? this.nameTensors() : new Map<string, Value>();
    const outputs: Record<string, string> = {};
    const output = Object.entries(this.graph.outputs).map(([name, value]) => {
      const tensor = this.name(value);
      // What no node makes, an input or a weight, is no output before a node has passed it on.
      const passed = rename ? !named.has(name) && tensor !== name : !this.made.has(tensor);
      outputs[name] = passed ? (rename ? name : this.unique(`${tensor} as ${name}`)) : tensor;
      if (passed) this.nodes.push({ opType: "Identity", input: [tensor], output: [outputs[name]] });
      return rename
        ? valueInfo(name, value)
        : { name: outputs[name], type: { tensorType: { elemType: onnxType(value.dtype) } } };
    });
    const model = encodeModel({
      irVersion: IR_VERSION,
      producerName: "tslens",
      opsetImport: this.operatorSets(),
      metadataProps: rename ? [{ key: AXES_KEY, value: JSON.stringify(this.axes()) }] : [],
      graph: {
        name: "tslens",
        node: this.weightsFirst(),
        input: this.inputs,
        output,
        initializer: this.initializers,
        valueInfo: [...named]
          .filter(([name]) => !Object.hasOwn(this.graph.outputs, name))
          .map(([name, value]) => valueInfo(name, value)),
      },
    });
    return { model, outputs };
  }

  /**
   * The nodes, those first that depend on weights alone. Of the operands of a node, ONNX Runtime computes the one that
   * stands later in this list first: so a weight is widened when the other operand is ready, not long before.
   */
  private weightsFirst(): Proto[] {
    const runs = new Set(this.inputs.map(({ name }) => name as string));
    const early: Proto[] = [];
    const late: Proto[] = [];
    for (const node of this.nodes) {
      const { input, output } = node as { input: readonly string[]; output: readonly string[] };
      const isLate = input.some((name) => runs.has(name));
      (isLate ? late : early).push(node);
      if (isLate) for (const name of output) runs.add(name);
    }
    return [...early, ...late];
  }

  private operatorSets(): Proto[] {
    const sets = new Map([
      ["", WRITTEN_OPSET],
      ["com.microsoft", 1],
    ]);
    for (const { op, attributes } of this.values)
      if (op === "onnx") {
        const domain = attributes.domain as string;
        sets.set(domain, Math.max(sets.get(domain) ?? 1, attributes.opset as number));
      }
    return [...sets].map(([domain, version]) => ({ domain, version }));
  }

  private get points(): [name: string, value: Value][] {
    return this.values
      .filter(({ op }) => op === "point")
      .map((value) => [value.attributes.name as string, value]);
  }

  private axes(): Record<string, readonly string[]> {
    return Object.fromEntries(
      this.points.map(([name, { attributes }]) => [name, attributes.axes as string[]]),
    );
  }

  /** Calls tensors by the names of outputs and points; what has several names is passed on under the others. */
  private nameTensors(): Map<string, Value> {
    const renamed = new Map<string, string>();
    const extra: Proto[] = [];
    const taken = new Set([...this.inputs, ...this.initializers].map(({ name }) => name as string));
    const named = new Map<string, Value>();
    for (const [name, value] of [...Object.entries(this.graph.outputs), ...this.points]) {
      const tensor = this.name(value);
      if (taken.has(name)) continue;
      taken.add(name);
      named.set(name, value);
      if (this.made.has(tensor) && !renamed.has(tensor)) renamed.set(tensor, name);
      else extra.push({ opType: "Identity", input: [tensor], output: [name] });
    }
    const final = (tensor: string): string => renamed.get(tensor) ?? tensor;
    for (const node of [...this.nodes, ...extra]) {
      node.input = (node.input as string[]).map(final);
      if (!extra.includes(node)) node.output = (node.output as string[]).map(final);
      renameCaptured(node, final);
    }
    this.nodes.push(...extra);
    for (const [value, tensor] of this.names) this.names.set(value, final(tensor));
    return named;
  }

  private emit(value: Value): string {
    const { name } = value.attributes as { name: string };
    if (value.op === "input") return this.declare(name, value);
    if (value.op === "parameter") return this.initialize(name, value);
    return operator(value.op).emit(value, this);
  }

  /** Graphs that were made apart and joined may have several values of one input. */
  private declare(name: string, value: Value): string {
    const same = this.declared.get(name);
    if (same && typeOf(same) !== typeOf(value))
      throw new Error(`The graph has two inputs "${name}": ${typeOf(same)} and ${typeOf(value)}.`);
    if (!same) this.inputs.push(valueInfo(name, value));
    this.declared.set(name, value);
    return name;
  }

  private initialize(name: string, value: Value): string {
    const source = this.parameters(name);
    if (source.kind === "fed") return this.declare(name, value);
    const data =
      source.kind === "inline"
        ? { rawData: source.bytes }
        : {
            dataLocation: EXTERNAL,
            externalData: [
              { key: "location", value: source.location },
              { key: "offset", value: String(source.offset) },
              { key: "length", value: String(source.byteLength) },
            ],
          };
    this.initializers.push({ name, dims: value.shape, dataType: onnxType(value.dtype), ...data });
    return name;
  }

  // ---- what operators ask for

  name(value: Value): string {
    return this.names.get(value)!;
  }

  node(
    type: string,
    inputs: readonly string[],
    attributes: OnnxAttributes = {},
    options: NodeOptions = {},
  ): string {
    const first = this.unique(type);
    const { outputs = 1 } = options;
    const present = typeof outputs === "number" ? new Array<boolean>(outputs).fill(true) : outputs;
    const output = present.map((isThere, i) => (isThere ? (i === 0 ? first : `${first}:${i}`) : ""));
    const attribute = Object.entries(attributes).flatMap(([name, value]) =>
      value === undefined ? [] : [{ name, ...encodeAttribute(value) }],
    );
    attribute.push(...((options.encoded ?? []) as typeof attribute));
    this.nodes.push({ name: first, opType: type, input: inputs, output, attribute, domain: options.domain });
    for (const tensor of output) if (tensor !== "") this.made.add(tensor);
    return first;
  }

  unique(prefix: string): string {
    while (true) {
      const name = `${prefix}_${this.count++}`;
      if (!this.reserved.has(name) && !this.reserved.has(`${name}:1`)) return name;
    }
  }

  integers(values: readonly number[], shape: readonly number[] = [values.length]): string {
    return this.numbers(values, "int64", shape);
  }

  numbers(values: readonly number[], dtype: ElementType = "float32", shape: readonly number[] = []): string {
    const key = `${dtype}[${shape}]${values.map((value) => (Object.is(value, -0) ? "-0" : value))}`;
    const known = this.constants.get(key);
    if (known) return known;
    const name = this.unique("constant");
    this.initializers.push({
      name,
      dims: shape,
      dataType: onnxType(dtype),
      rawData: encodeNumbers(values, dtype),
    });
    this.constants.set(key, name);
    return name;
  }

  dims(shape: Shape): string {
    if (shape.every((dim) => typeof dim === "number")) return this.integers(shape as number[]);
    const parts = shape.map((dim) => (typeof dim === "number" ? this.integers([dim]) : this.namedDim(dim)));
    return parts.length === 1 ? parts[0]! : this.node("Concat", parts, { axis: 0 });
  }

  /** The running size of a named dimension: of a value that has it, or computed from the parts of its name. */
  private namedDim(dim: string): string {
    const known = this.dimensions.get(dim);
    if (known) return known;
    const made = this.readDim(dim) ?? this.computeDim(dim);
    this.dimensions.set(dim, made);
    return made;
  }

  private readDim(dim: string): string | undefined {
    const owner =
      this.values.find((value) => value.op === "input" && value.shape.includes(dim)) ??
      this.values.find(
        (value) => value.op !== "assume" && this.names.has(value) && value.shape.includes(dim),
      );
    if (!owner) return undefined;
    const axis = owner.shape.indexOf(dim);
    // An input may be written later than this node; its name is known all the same.
    const tensor = owner.op === "input" ? (owner.attributes.name as string) : this.name(owner);
    return this.node("Shape", [tensor], { start: axis, end: axis + 1 });
  }

  private computeDim(dim: string): string {
    const terms = [...termsOf(dim)];
    if (terms.length === 1 && terms[0]![0] === dim && !dim.includes("*"))
      throw new Error(`No value of the graph has the dimension "${dim}", so its size cannot be known.`);
    const products = terms.map(([names, count]) => {
      const factors = names === "" ? [] : names.split("*").map((name) => this.namedDim(name));
      if (count !== 1 || factors.length === 0) factors.unshift(this.integers([count]));
      return factors.reduce((a, b) => this.node("Mul", [a, b]));
    });
    return products.reduce((a, b) => this.node("Add", [a, b]));
  }
}

function valueInfo(name: string, { dtype, shape }: Value): Proto {
  const dim = shape.map((size) => (typeof size === "number" ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType: onnxType(dtype), shape: { dim } } } };
}

/** Renames the tensors of the main graph in the subgraphs of a node, whose own are called otherwise. */
function renameCaptured(node: Proto, final: (tensor: string) => string): void {
  for (const { g, graphs } of (node.attribute ?? []) as Partial<AttributeProto>[])
    for (const graph of [...(g ? [g] : []), ...(graphs ?? [])]) {
      for (const inner of graph.node) {
        inner.input = inner.input.map(final);
        renameCaptured(inner as unknown as Proto, final);
      }
      for (const output of graph.output) output.name = final(output.name);
    }
}

function encodeAttribute(value: number | string | readonly number[] | { readonly float: number }): Proto {
  if (typeof value === "number") return { type: 2, i: value };
  if (typeof value === "string") return { type: 3, s: new TextEncoder().encode(value) };
  return "float" in value ? { type: 1, f: value.float } : { type: 7, ints: value };
}

function encodeNumbers(values: readonly number[], dtype: ElementType): Uint8Array {
  const isHalf = dtype === "float16" || dtype === "bfloat16";
  return bytesOf(elementsAs(isHalf ? Float32Array.from(values) : Float64Array.from(values), dtype));
}
