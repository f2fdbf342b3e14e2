/** Rewrites: pure functions from graphs to graphs. */

import { input, point, stopGradient } from "./build.js";
import { type Graph, leavesOf, pointsOf, topological, valuesOf } from "./graph.js";
import { Value } from "./value.js";

/** Text that helps with a wrong name: the nearest of the right ones. */
export function nearest(name: string, known: Iterable<string>, count = 3): string[] {
  // Who writes a part of a name means a name with that part, however long it is.
  const isPart = (candidate: string): boolean =>
    name.length > 2 && candidate.toLowerCase().includes(name.toLowerCase());
  return [...known]
    .map((candidate) => {
      const distance = editDistance(name, candidate);
      return { candidate, distance: isPart(candidate) ? distance - candidate.length : distance };
    })
    .sort((a, b) => a.distance - b.distance)
    .slice(0, count)
    .map(({ candidate }) => candidate);
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length]!;
}

/** The point of a name, or an error with the nearest names. */
export function findPoint(graph: Graph, name: string): Value {
  const points = pointsOf(graph);
  const found = points.get(name);
  if (found) return found;
  throw new Error(
    `There is no point "${name}" in this graph. The nearest are ${nearest(name, points.keys()).join(", ")}.`,
  );
}

/**
 * Rebuilds outputs from their operands upwards. `change` sees each value with its new operands already in place and
 * gives what stands for it.
 */
export function rebuild(
  roots: Readonly<Record<string, Value>>,
  change: (original: Value, rebuilt: Value) => Value,
): Record<string, Value> {
  const made = new Map<Value, Value>();
  for (const value of topological(Object.values(roots))) {
    const operands = value.inputs.map((operand) => made.get(operand)!);
    const same = operands.every((operand, i) => operand === value.inputs[i]);
    const rebuilt = same ? value : new Value(value.op, operands, value.attributes, value);
    made.set(value, change(value, rebuilt));
  }
  return Object.fromEntries(Object.entries(roots).map(([name, value]) => [name, made.get(value)!]));
}

/** Only these outputs, and so only what they need. A name is an output's or a point's. */
export function slice(graph: Graph, names: readonly string[]): Graph {
  const outputs = Object.fromEntries(
    names.map((name) => [name, graph.outputs[name] ?? findPoint(graph, name)]),
  );
  return { outputs };
}

/** How `replace` changes a point's value: given the value, what stands in its place (of the same shape). */
export type Replacement = (value: Value) => Value;

/**
 * Replaces the values at points by functions of them: all that follows sees the new value, and the point's name is
 * the new value's. Several replacements of one point act in the order given.
 */
export function replace(
  graph: Graph,
  replacements: readonly (readonly [name: string, by: Replacement])[],
): Graph {
  if (replacements.length === 0) return graph;
  const byName = new Map<string, Replacement[]>();
  for (const [name, by] of replacements) {
    findPoint(graph, name);
    byName.set(name, [...(byName.get(name) ?? []), by]);
  }
  const outputs = rebuild(graph.outputs, (_, value) => {
    const changes = value.op === "point" ? byName.get(value.attributes.name as string) : undefined;
    if (!changes) return value;
    const { name, axes } = value.attributes as { name: string; axes: readonly string[] };
    const changed = changes.reduce((current, by) => by(current), value.inputs[0]!);
    return point(name, changed, axes);
  });
  return { outputs };
}

/** Lets no gradient through at these points; the values stay as they are. */
export function stopGradients(graph: Graph, names: readonly string[]): Graph {
  return replace(
    graph,
    names.map((name) => [name, stopGradient] as const),
  );
}

/** The two parts of a cut graph. */
export interface Cut {
  /** Computes the cut point's value, under its name, and the other values that cross the cut. */
  readonly before: Graph;
  /** Computes the graph's outputs; the values that cross the cut are its inputs, under the names of `before`. */
  readonly after: Graph;
}

/**
 * Cuts a graph at a point: the part before computes the point's value, and the part after takes that value as an
 * input. Other values that both parts need cross the cut as inputs too; inputs and parameters are known to both.
 */
export function cut(graph: Graph, name: string): Cut {
  const at = findPoint(graph, name);
  const before = withParts(new Set(topological([at])), graph);
  const crossing = new Map<Value, string>([[at, name]]);
  const outputs: Record<string, Value> = { [name]: at };
  const carry = (value: Value): void => {
    if (crossing.has(value) || isLeaf(value)) return;
    const label = `${name}/${crossing.size}`; // no point is called so, and no other cut's value
    crossing.set(value, label);
    outputs[label] = value;
  };
  for (const value of valuesOf(graph))
    if (!before.has(value)) for (const operand of value.inputs) if (before.has(operand)) carry(operand);
  for (const value of Object.values(graph.outputs)) if (before.has(value)) carry(value);
  const after = rebuild(graph.outputs, (original, rebuilt) => {
    const label = crossing.get(original);
    if (label === undefined) return rebuilt;
    const fed = input(label, original.dtype, original.shape);
    // A named value keeps its name in the part after, so that it can still be edited, cached or cut there.
    return original.op === "point"
      ? point(original.attributes.name as string, fed, original.attributes.axes as readonly string[])
      : fed;
  });
  return { before: { outputs }, after: { outputs: after } };
}

const isLeaf = (value: Value): boolean => value.inputs.length === 0;

/** A value of several outputs is never carried whole: its parts are computed where it is. */
function withParts(values: Set<Value>, graph: Graph): Set<Value> {
  for (const value of valuesOf(graph))
    if (value.op === "item" && values.has(value.inputs[0]!)) values.add(value);
  return values;
}

/** The names of the inputs that a graph must be fed with. */
export const inputNames = (graph: Graph): string[] => [...leavesOf(graph, "input").keys()];
