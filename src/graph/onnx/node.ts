/** A node of an ONNX file while it is turned into values: its operands, its attributes, and what is known of them. */

import { assume } from "../build.js";
import type { Dim, Shape, Value } from "../value.js";
import { labelOf, type OnnxNode } from "./read.js";
import { type AttributeProto, type GraphProto, type TensorProto, toNumber } from "./schema.js";

/** Numbers that an integer tensor is known to hold: sizes, which may be named; missing where they are not known. */
export type Known = readonly (Dim | undefined)[];

/** What a node may ask of the graph around it. */
export interface Surroundings {
  readonly opset: number;
  /** The value of a tensor. */
  value(name: string): Value;
  /** The numbers in a small integer tensor, as far as they are known. */
  known(name: string): Known | undefined;
  /** The numbers in a small constant tensor of floats. */
  floats(name: string): readonly number[] | undefined;
  /** A name for a size that is not known, used once. */
  freshDim(tensor: string, axis: number): Dim;
}

/** A node and its operands. */
export class NodeView {
  private readonly attributes: ReadonlyMap<string, AttributeProto>;

  constructor(
    readonly node: OnnxNode,
    private readonly around: Surroundings,
  ) {
    this.attributes = new Map(node.proto.attribute.map((attribute) => [attribute.name, attribute]));
  }

  get opset(): number {
    return this.around.opset;
  }

  /** How many inputs are given, left-out ones in between counted. */
  get count(): number {
    return this.node.inputs.length;
  }

  has(index: number): boolean {
    return (this.node.inputs[index] ?? "") !== "";
  }

  input(index: number): Value {
    if (this.has(index)) return this.around.value(this.node.inputs[index]!);
    throw new Error(`its input ${index} is missing.`);
  }

  optional(index: number): Value | undefined {
    return this.has(index) ? this.input(index) : undefined;
  }

  inputs(): Value[] {
    return this.node.inputs.map((_, i) => this.input(i));
  }

  /** What is known of an integer input. */
  known(index: number): Known | undefined {
    return this.has(index) ? this.around.known(this.node.inputs[index]!) : undefined;
  }

  /** An integer input of which every number is known. */
  numbers(index: number): number[] | undefined {
    const known = this.known(index);
    return known?.every((value) => typeof value === "number") ? [...(known as number[])] : undefined;
  }

  /** A small constant input of floats. */
  constantFloats(index: number): readonly number[] | undefined {
    return this.has(index) ? this.around.floats(this.node.inputs[index]!) : undefined;
  }

  /** Whether an output beside the first is read or given out. */
  gives(index: number): boolean {
    return (this.node.outputs[index] ?? "") !== "";
  }

  hasAttribute(name: string): boolean {
    return this.attributes.has(name);
  }

  int(name: string, otherwise: number): number {
    const found = this.attributes.get(name);
    return found ? toNumber(found.i) : otherwise;
  }

  flag(name: string, otherwise = false): boolean {
    return this.int(name, otherwise ? 1 : 0) !== 0;
  }

  float(name: string, otherwise: number): number {
    return this.attributes.get(name)?.f ?? otherwise;
  }

  text(name: string, otherwise: string): string {
    const found = this.attributes.get(name);
    return found ? new TextDecoder().decode(found.s) : otherwise;
  }

  ints(name: string): number[] | undefined {
    return this.attributes.get(name)?.ints.map(toNumber);
  }

  floats(name: string): readonly number[] | undefined {
    return this.attributes.get(name)?.floats;
  }

  tensor(name: string): TensorProto | undefined {
    return this.attributes.get(name)?.t;
  }

  graph(name: string): GraphProto | undefined {
    return this.attributes.get(name)?.g;
  }

  /** Whether an input is known to hold nothing but zeros. */
  isZero(index: number): boolean {
    let value = this.input(index);
    while (["point", "expand", "expandBy", "assume"].includes(value.op)) value = value.inputs[0]!;
    const numbers =
      value.op === "parameter" ? this.around.floats(value.attributes.name as string) : undefined;
    return numbers?.every((number) => number === 0) ?? false;
  }

  /** A name for a size of an output that is not known. */
  fresh(axis: number, output = 0): Dim {
    return this.around.freshDim(this.node.outputs[output] || labelOf(this.node), axis);
  }

  /** A shape of which nothing but the number of axes is known. */
  freshShape(rank: number, output = 0): Dim[] {
    return Array.from({ length: rank }, (_, axis) => this.fresh(axis, output));
  }
}

/** An axis counted from the front, or an error. */
export function axisOf(axis: number, rank: number): number {
  const found = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(axis) && found >= 0 && found < Math.max(1, rank)) return found;
  throw new Error(`its axis ${axis} is not one of ${rank}.`);
}

/**
 * The size that two aligned dimensions come to. Named sizes of which it is not known whether they are equal get a name
 * together: when the graph runs they are equal, or one of them is 1.
 */
export function joinDims(a: Dim, b: Dim): Dim {
  if (a === b || b === 1) return a;
  if (a === 1) return b;
  if (typeof a === "number" && typeof b === "number")
    throw new Error(`the sizes ${a} and ${b} do not fit together.`);
  if (typeof a === "number") return a;
  if (typeof b === "number") return b;
  const parts = [a, b].flatMap((dim) => dim.replaceAll(/[()]/g, "").split(" or "));
  const text = [...new Set(parts)].sort().join(" or ");
  return `(${text.slice(0, 150)})`;
}

/** The shape that shapes broadcast to. */
export function joinShapes(...shapes: readonly Shape[]): Dim[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, i) =>
    shapes.reduce<Dim>((dim, shape) => joinDims(dim, shape[shape.length - rank + i] ?? 1), 1),
  );
}

/** Operands of an operator that broadcasts, of which is assumed that their shapes fit together. */
export function fitted(...values: readonly Value[]): Value[] {
  const joined = joinShapes(...values.map(({ shape }) => shape));
  return values.map((value) => fittedTo(value, joined));
}

/** A value of which is assumed that it broadcasts to a shape. */
export function fittedTo(value: Value, joined: Shape): Value {
  const offset = joined.length - value.rank;
  return assume(
    value,
    value.shape.map((dim, i) => (dim === 1 ? 1 : joined[i + offset]!)),
  );
}
