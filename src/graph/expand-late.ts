/** The rewrite that repeats values as late as possible. */

import { expand } from "./build.js";
import { type Graph, topological } from "./graph.js";
import { apply, type Dim, type Shape, Value } from "./value.js";

const elementwise = new Set(
  "add sub mul div pow maximum minimum equal greater greaterOrEqual less lessOrEqual and or not neg exp log sqrt tanh sigmoid erf relu abs sign sin cos gelu where cast stopGradient".split(
    " ",
  ),
);

/**
 * Computes what is the same along an axis once: where a value is repeated to fill an axis, operators that act on each
 * place of that axis alone act before it is repeated, and those that repeat by themselves, as sums and products do, are
 * given what it was repeated from. The outputs are the same; points that are repeated lose their names, so that this is a
 * rewrite for graphs that are about to be compiled.
 */
export function expandLate(graph: Graph): Graph {
  /** What each value is repeated from, where it is: of the same rank, with 1 at the axes that it is repeated along. */
  const sources = new Map<Value, Value>();
  const made = new Map<Value, Value>();
  for (const value of topological(Object.values(graph.outputs))) {
    const operands = value.inputs.map((operand) => made.get(operand)!);
    const small = value.inputs.map((operand, i) => sources.get(operand) ?? operands[i]!);
    const early = small.some((operand, i) => operand !== operands[i]) ? once(value, small) : undefined;
    const source = value.op === "expand" ? repeatedFrom(value, small[0]!) : early;
    if (source && !sameDims(source.shape, value.shape)) {
      sources.set(value, source);
      made.set(value, expand(source, value.shape));
      continue;
    }
    const isSame = operands.every((operand, i) => operand === value.inputs[i]);
    made.set(value, source ?? (isSame ? value : new Value(value.op, operands, value.attributes, value)));
  }
  const outputs = Object.entries(graph.outputs).map(([name, value]) => [name, made.get(value)!]);
  return { outputs: Object.fromEntries(outputs) };
}

const sameDims = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((dim, i) => dim === b[i]);

/** Of an expansion that adds no axes: what it repeats. */
const repeatedFrom = ({ rank }: Value, from: Value): Value | undefined =>
  from.rank === rank ? from : undefined;

/** The operator on what its operands are repeated from, if that gives what its result is repeated from. */
function once(value: Value, small: readonly Value[]): Value | undefined {
  const { op, inputs, attributes, rank } = value;
  const repeated = (i: number): number[] =>
    inputs[i]!.shape.flatMap((dim, axis) => (dim === small[i]!.shape[axis] ? [] : [axis]));
  const [x] = inputs as [Value];
  if (op === "point") return small[0]!;
  if (elementwise.has(op)) return apply(op, small, attributes);
  if (op === "layerNorm" || op === "rmsNorm" || op === "softmax" || op === "logSoftmax")
    return repeated(0).includes(rank - 1) ? undefined : apply(op, small, attributes);
  // Of a norm, its mean and deviation; what is split has no source.
  if (op === "item" || op === "transpose") return apply(op, small, attributes);
  if (op === "mean" || op === "sum" || op === "max") {
    const axes = (attributes.axes as readonly number[]).map((axis) => (axis < 0 ? axis + x.rank : axis));
    return repeated(0).some((axis) => axes.includes(axis)) ? undefined : apply(op, small, attributes);
  }
  if (op === "matmul") {
    const inside = (i: number): boolean => repeated(i).every((axis) => axis < inputs[i]!.rank - 2);
    return inside(0) && inside(1) ? apply(op, small, attributes) : undefined;
  }
  if (op === "reshape") {
    // Axes in front that stay as they are may be repeated.
    const [from] = small as [Value];
    const changed = x.shape.findIndex((dim, axis) => dim !== value.shape[axis]);
    const kept = changed < 0 ? x.rank : changed;
    if (repeated(0).some((axis) => axis >= kept)) return undefined;
    const shape = value.shape.map((dim, axis): Dim => (axis < kept ? from.shape[axis]! : dim));
    return apply(op, [from], { ...attributes, shape });
  }
  return undefined;
}
