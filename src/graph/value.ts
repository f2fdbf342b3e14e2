/**
 * Values: the nodes of a graph.
 *
 * A value is a symbolic tensor, made by an operator from other values, and never changes. A rewrite makes new values.
 */

import type { DType } from "../array/dtype.js";

/** One dimension: a size, or the name of a size that is known when the graph runs, such as `"batch"` or `"pos"`. */
export type Dim = number | string;

/** The dimensions of a tensor, outermost first. */
export type Shape = readonly Dim[];

/** The type of a tensor's elements. */
export type ElementType = DType;

/** What an attribute of an operator may hold: plain data, so that graphs can be compared and hashed. */
export type Attribute =
  | number
  | string
  | boolean
  | readonly number[]
  | readonly string[]
  | readonly Dim[]
  | undefined;

/** The attributes of one application of an operator. */
export type Attributes = Readonly<Record<string, Attribute>>;

/** Dtype and shape: what is known of a value before anything runs. */
export interface Type {
  readonly dtype: ElementType;
  readonly shape: Shape;
}

/** A symbolic tensor. Make one with the words of `build.ts`, not with `new`. */
export class Value implements Type {
  readonly dtype: ElementType;
  readonly shape: Shape;

  constructor(
    readonly op: string,
    readonly inputs: readonly Value[],
    readonly attributes: Attributes,
    type: Type,
  ) {
    this.dtype = type.dtype;
    this.shape = type.shape;
  }

  /** The number of dimensions. */
  get rank(): number {
    return this.shape.length;
  }

  /** Such as `matmul float32[batch, pos, 768]`; for messages. */
  toString(): string {
    if (this.op === "onnx") return `${this.attributes.type} at "${this.attributes.name}"`;
    const name = this.attributes.name === undefined ? this.op : `${this.op} "${this.attributes.name}"`;
    return `${name} ${this.dtype}${showShape(this.shape)}`;
  }
}

/** What an operator's emission rule may ask for; `onnx/emit.ts` implements it. */
export interface Emitter {
  /** The name of the tensor that holds a value. */
  name(value: Value): string;
  /** Adds a node and gives the name of its first output. */
  node(type: string, inputs: readonly string[], attributes?: OnnxAttributes, options?: NodeOptions): string;
  /** A constant tensor of 64-bit integers, by default one-dimensional. */
  integers(values: readonly number[], shape?: readonly number[]): string;
  /** A constant tensor of the given type; a scalar unless a shape is given. */
  numbers(values: readonly number[], dtype?: ElementType, shape?: readonly number[]): string;
  /** A one-dimensional tensor of 64-bit integers that holds these dimensions when the graph runs. */
  dims(shape: Shape): string;
  /** A name that no tensor has. */
  unique(prefix: string): string;
}

/** Attributes as ONNX knows them: integers, floats (`{ float }`), strings and lists of integers. */
export type OnnxAttributes = Readonly<
  Record<string, number | string | readonly number[] | { readonly float: number } | undefined>
>;

/** Details of an emitted node. */
export interface NodeOptions {
  /** The operator set; ONNX's own by default. */
  readonly domain?: string;
  /** How many outputs the node has, or which of them are there; output *i* > 0 is read with the word `item`. */
  readonly outputs?: number | readonly boolean[];
  /** More attributes, as ONNX's schema has them. */
  readonly encoded?: readonly object[];
}

/** An operator: everything that the engine knows of it. */
export interface Operator {
  /** The type of the result, or an error that names what does not fit. */
  infer(inputs: readonly Value[], attributes: Attributes): Type;
  /**
   * The gradients of a scalar with respect to the inputs, given its gradient with respect to the result; `undefined`
   * for an input through which none flows. An operator without this rule has gradient zero by nature (comparisons,
   * integer arithmetic) if `flat` is set, and is refused by `grad` otherwise.
   */
  gradient?(node: Value, gradient: Value, needs: readonly boolean[]): readonly (Value | undefined)[];
  /**
   * For an operator of several outputs: the gradient of the whole, which `gradient` is then given, from those of the
   * outputs (`undefined` where nothing depends on one).
   */
  join?(node: Value, gradients: readonly (Value | undefined)[]): Value;
  /** The result does not change under small changes of the inputs, so no gradient flows. */
  readonly flat?: boolean;
  /** Writes the operator as ONNX nodes and gives the name of the result. */
  emit(node: Value, emitter: Emitter): string;
}

const table = new Map<string, Operator>();

/** Adds operators to the table. An operator's name is taken once. */
export function defineOperators(operators: Readonly<Record<string, Operator>>): void {
  for (const [name, operator] of Object.entries(operators)) {
    if (table.has(name)) throw new Error(`The operator "${name}" is defined twice.`);
    table.set(name, operator);
  }
}

/** The table's entry for an operator. */
export function operator(name: string): Operator {
  const found = table.get(name);
  if (!found) throw new Error(`There is no operator "${name}"; known are ${[...table.keys()].join(", ")}.`);
  return found;
}

/** Applies an operator: infers the type of the result, or throws. */
export function apply(op: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
  return new Value(op, inputs, attributes, operator(op).infer(inputs, attributes));
}

/** A shape as text, such as `[batch, pos, 768]`. */
export function showShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}
