/** A graph: named outputs, and everything they are made from. */

import type { Value } from "./value.js";

/** Named outputs. Inputs, parameters and points are what the outputs are made from. */
export interface Graph {
  readonly outputs: Readonly<Record<string, Value>>;
}

/** Every value that the roots are made from, operands before results. */
export function topological(roots: Iterable<Value>): Value[] {
  const order: Value[] = [];
  const seen = new Set<Value>();
  // An explicit stack, since graphs of deep models are deeper than the call stack.
  const stack: { value: Value; next: number }[] = [];
  for (const root of roots) {
    if (seen.has(root)) continue;
    seen.add(root);
    stack.push({ value: root, next: 0 });
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const operand = top.value.inputs[top.next++];
      if (operand === undefined) {
        order.push(top.value);
        stack.pop();
      } else if (!seen.has(operand)) {
        seen.add(operand);
        stack.push({ value: operand, next: 0 });
      }
    }
  }
  return order;
}

/** The values of a graph, operands before results. */
export const valuesOf = (graph: Graph): Value[] => topological(Object.values(graph.outputs));

/** The named points of a graph, in the order in which they are computed. */
export function pointsOf(graph: Graph): Map<string, Value> {
  const points = new Map<string, Value>();
  for (const value of valuesOf(graph))
    if (value.op === "point") points.set(value.attributes.name as string, value);
  return points;
}

/** The inputs, or the parameters, of a graph by name. */
export function leavesOf(graph: Graph, op: "input" | "parameter"): Map<string, Value> {
  const leaves = new Map<string, Value>();
  for (const value of valuesOf(graph))
    if (value.op === op) leaves.set(value.attributes.name as string, value);
  return leaves;
}

/**
 * What a graph computes, as text: equal for graphs that compute the same in the same way, whatever values they are
 * made of. Names of points do not count, since they compute nothing.
 */
export function structure(graph: Graph): string {
  const numbers = new Map<Value, number>();
  const lines: string[] = [];
  for (const value of valuesOf(graph)) {
    if (value.op === "point" || value.op === "stopGradient") {
      numbers.set(value, numbers.get(value.inputs[0]!)!);
      continue;
    }
    numbers.set(value, lines.length);
    const operands = value.inputs.map((operand) => numbers.get(operand));
    lines.push(`${value.op}(${operands})${JSON.stringify(value.attributes)}`);
  }
  const outputs = Object.entries(graph.outputs).map(([name, value]) => `${name}=${numbers.get(value)}`);
  return `${lines.join("\n")}\n${outputs.join("\n")}`;
}
