/** The rewrite that computes no more of a value than what is read of it. */

import { slice } from "./build.js";
import { type Graph, topological } from "./graph.js";
import { sliceDim } from "./shapes.js";
import { type Attributes, apply, type Dim, type Shape, Value } from "./value.js";

/** A part along one axis, as the operator `slice` has it. */
interface Part {
  readonly axis: number;
  readonly start: number;
  readonly end: number | undefined;
}

const elementwise = new Set(
  "add sub mul div pow maximum minimum equal greater greaterOrEqual less lessOrEqual and or not neg exp log sqrt tanh sigmoid erf relu abs sign sin cos gelu where cast point stopGradient assume".split(
    " ",
  ),
);
/** These act along the last axis. */
const alongLast = new Set(["softmax", "logSoftmax", "layerNorm", "rmsNorm", "gatherElements"]);

/**
 * Takes parts as early as possible: where all that is read of a value is one position, only that position is computed.
 */
export function narrow(graph: Graph): Graph {
  const order = topological(Object.values(graph.outputs));
  const wanted = demands(graph, order);
  const made = new Map<Value, Value>();
  /** What stands for a part of a value, or for all of it. */
  const read = (value: Value, part: Part | undefined): Value => {
    const own = wanted.get(value);
    const stands = made.get(value)!;
    return part && !(own && same(own, part)) ? slice(stands, part.axis, part.start, part.end) : stands;
  };
  for (const value of order) {
    const { op, inputs, attributes } = value;
    const part = wanted.get(value) || undefined;
    if (op === "slice") {
      const whole = read(inputs[0]!, attributes as unknown as Part);
      made.set(value, part ? slice(whole, part.axis, part.start, part.end) : whole);
      continue;
    }
    const parts = part && partsOfOperands(value, part);
    const operands = inputs.map((operand, i) => read(operand, parts?.[i]));
    const isSame = !part && operands.every((operand, i) => operand === inputs[i]);
    made.set(
      value,
      isSame
        ? value
        : part
          ? apply(op, operands, narrowed(value, part))
          : new Value(op, operands, attributes, value),
    );
  }
  return {
    outputs: Object.fromEntries(
      Object.entries(graph.outputs).map(([name, value]) => [name, made.get(value)!]),
    ),
  };
}

/** The part of each value that all of its readers want, or null where they want all of it or different parts. */
function demands(graph: Graph, order: readonly Value[]): Map<Value, Part | null> {
  const wanted = new Map<Value, Part | null>();
  const ask = (value: Value, part: Part | null): void => {
    const before = wanted.get(value);
    wanted.set(value, before === undefined || (before && part && same(before, part)) ? part : null);
  };
  for (const value of Object.values(graph.outputs)) ask(value, null);
  for (const value of [...order].reverse()) {
    const { op, inputs, attributes } = value;
    let part = wanted.get(value) ?? null;
    if (part && op !== "slice" && !partsOfOperands(value, part)) {
      part = null;
      wanted.set(value, null);
    }
    if (op === "slice") ask(inputs[0]!, attributes as unknown as Part);
    else {
      const parts = part && partsOfOperands(value, part);
      inputs.forEach((operand, i) => {
        ask(operand, parts?.[i] ?? null);
      });
    }
  }
  return wanted;
}

const same = (a: Part, b: Part): boolean => a.axis === b.axis && a.start === b.start && a.end === b.end;

/** The parts of the operands that a part of the result is made from (`undefined` for all of one), where that can be said. */
function partsOfOperands(value: Value, part: Part): (Part | undefined)[] | undefined {
  const { op, inputs, attributes, rank, shape } = value;
  const at = (operand: Value, axis: number): Part | undefined =>
    axis < 0 || operand.shape[axis] === 1 ? undefined : { ...part, axis };
  const aligned = (operand: Value): Part | undefined => at(operand, part.axis - rank + operand.rank);
  if (shape[part.axis] === 1) return undefined;
  if (elementwise.has(op)) return inputs.map(aligned);
  if (alongLast.has(op)) return part.axis === rank - 1 ? undefined : inputs.map(aligned);
  if (op === "matmul") {
    const [a, b] = inputs as [Value, Value];
    if (part.axis === rank - 1 || attributes.transposeA) return undefined;
    return [aligned(a), part.axis === rank - 2 ? undefined : aligned(b)];
  }
  if (op === "transpose") return inputs.map((x) => at(x, (attributes.permutation as number[])[part.axis]!));
  if (op === "concat") return attributes.axis === part.axis ? undefined : inputs.map(aligned);
  if (op === "reshape") {
    const [x] = inputs as [Value];
    const before = (dims: Shape): boolean => dims.slice(0, part.axis + 1).every((dim, i) => dim === shape[i]);
    return before(x.shape) ? [at(x, part.axis)] : undefined;
  }
  if (op === "gather") {
    const [x, indices] = inputs as [Value, Value];
    const inside = part.axis - indices.rank;
    return inside < 0 ? [undefined, at(indices, part.axis)] : [at(x, inside + 1), undefined];
  }
  if (op === "mean" || op === "sum" || op === "max") {
    const [x] = inputs as [Value];
    const axes = (attributes.axes as number[]).map((axis) => (axis < 0 ? axis + x.rank : axis));
    return attributes.keepDims && !axes.includes(part.axis) ? [at(x, part.axis)] : undefined;
  }
  return undefined;
}

/** The attributes of an operator that gives a part of what it gave. */
function narrowed({ op, attributes, shape }: Value, { axis, start, end }: Part): Attributes {
  if (op !== "reshape" && op !== "assume") return attributes;
  const cut = shape.map((dim, i): Dim => (i === axis ? sliceDim(dim, start, end) : dim));
  return { ...attributes, shape: cut };
}
