/**
 * What is known of integer tensors before anything runs: exporters compute shapes by nodes, and shapes of named sizes can
 * be told from them.
 */

import { addDims, divideDims, multiplyDims } from "../dims.js";
import type { Dim } from "../value.js";
import type { Known, NodeView } from "./node.js";

/** Larger tensors are not looked into. */
const MOST = 64;

type Evaluation = (at: NodeView) => Known | undefined;

const pass: Evaluation = (at) => at.known(0);

const elementwise =
  (combine: (a: Dim, b: Dim) => Dim | undefined): Evaluation =>
  (at) => {
    const [a, b] = [at.known(0), at.known(1)];
    if (!a || !b || (a.length !== b.length && a.length !== 1 && b.length !== 1)) return undefined;
    return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => {
      const x = a[a.length === 1 ? 0 : i];
      const y = b[b.length === 1 ? 0 : i];
      return x === undefined || y === undefined ? undefined : combine(x, y);
    });
  };

/** Sizes are never negative. */
function isEqual(a: Dim, b: Dim): Dim | undefined {
  if (a === b) return 1;
  if (typeof a === "number" && typeof b === "number") return 0;
  const number = typeof a === "number" ? a : typeof b === "number" ? b : 0;
  return number < 0 ? 0 : undefined;
}

const evaluations: Readonly<Record<string, Evaluation>> = {
  Identity: pass,
  Squeeze: pass,
  Unsqueeze: pass,
  Flatten: pass,
  Reshape: pass,
  Cast: (at) => (at.int("to", 0) === 7 || at.int("to", 0) === 6 ? at.known(0) : undefined),
  Shape: (at) => {
    const { shape } = at.input(0);
    return shape.slice(at.int("start", 0), at.hasAttribute("end") ? at.int("end", 0) : undefined);
  },
  Size: (at) => [at.input(0).shape.reduce(multiplyDims, 1)],
  Gather: (at) => {
    const data = at.known(0);
    const indices = at.numbers(1);
    if (!data || !indices || at.input(0).rank !== 1) return undefined;
    return indices.map((index) => data[index < 0 ? index + data.length : index]);
  },
  Concat: (at) => {
    const parts = at.node.inputs.map((_, i) => at.known(i));
    if (parts.some((part) => !part) || at.input(0).rank !== 1) return undefined;
    return parts.flatMap((part) => [...part!]);
  },
  Slice: (at) => {
    const data = at.known(0);
    const [start] = at.numbers(1) ?? [];
    const [end] = at.numbers(2) ?? [];
    const [step] = at.has(4) ? (at.numbers(4) ?? []) : [1];
    if (!data || start === undefined || end === undefined || at.input(0).rank !== 1) return undefined;
    if (step === 1) return data.slice(start, end);
    return step === -1 && start === -1 && end < -data.length ? [...data].reverse() : undefined;
  },
  Add: elementwise((a, b) => addDims(a, b)),
  Sub: elementwise((a, b) => addDims(a, b, -1)),
  Mul: elementwise(multiplyDims),
  Div: elementwise((a, b) => {
    if (typeof a === "number" && typeof b === "number") return b === 0 ? undefined : Math.trunc(a / b);
    return b === 0 ? undefined : divideDims(a, b);
  }),
  Neg: (at) => at.known(0)?.map((dim) => (dim === undefined ? undefined : multiplyDims(dim, -1))),
  Equal: elementwise(isEqual),
  Where: (at) => {
    const condition = at.known(0);
    const [a, b] = [at.known(1), at.known(2)];
    if (!condition || !a || !b) return undefined;
    const count = Math.max(condition.length, a.length, b.length);
    const pick = (list: Known, i: number): Dim | undefined => list[list.length === 1 ? 0 : i];
    return Array.from({ length: count }, (_, i) => {
      const which = pick(condition, i);
      return which === undefined ? undefined : pick(which ? a : b, i);
    });
  },
  ConstantOfShape: (at) => {
    const [count, ...rest] = at.numbers(0) ?? [];
    const tensor = at.tensor("value");
    if (rest.length > 0 || count === undefined || count > MOST || tensor?.dataType !== 7) return undefined;
    const value =
      tensor.int64Data.length === 1
        ? Number(String(tensor.int64Data[0]))
        : tensor.rawData?.byteLength === 8
          ? Number(new DataView(tensor.rawData.slice().buffer).getBigInt64(0, true))
          : undefined;
    return value === undefined ? undefined : new Array<number>(count).fill(value);
  },
  ReduceProd: (at) =>
    at.known(0)?.every((dim) => dim !== undefined) && !at.flag("keepdims", true)
      ? [(at.known(0) as Dim[]).reduce(multiplyDims, 1)]
      : undefined,
};

/** The numbers that a node's first output is known to hold, if it is a small tensor of integers. */
export function evaluateNode(at: NodeView): Known | undefined {
  const found =
    at.node.domain === "" && Object.hasOwn(evaluations, at.node.type)
      ? evaluations[at.node.type]!(at)
      : undefined;
  return found && found.length <= MOST ? found : undefined;
}
