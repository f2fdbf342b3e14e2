/** Reverse-mode differentiation: the gradients of a scalar, appended to its graph. */

import { add, constant } from "./build.js";
import { topological } from "./graph.js";
import { operator, type Value } from "./value.js";

/**
 * The gradients of a scalar with respect to values of its graph (points, parameters, inputs); a value that the scalar
 * does not depend on gets `undefined`.
 *
 * @throws if the scalar is no scalar, or if a gradient must cross an operator that has none, by its name
 *
 * @example
 * ```ts
 * const x = input("x", "float32", [3]);
 * const [dx] = gradients(sum(square(x)), [x]); // 2x
 * ```
 */
export function gradients(scalar: Value, withRespectTo: readonly Value[]): (Value | undefined)[] {
  if (scalar.rank !== 0)
    throw new Error(`A gradient is taken of a scalar, but the metric is ${scalar}; sum or index it.`);
  const order = topological([scalar]);
  const needed = valuesThatLeadFrom(new Set(withRespectTo), order);
  const adjoints = new Map<Value, Value>([[scalar, constant([1], [], scalar.dtype)]]);
  const parts = new Map<Value, (Value | undefined)[]>(); // of operators of several outputs, by output
  for (const value of order.reverse()) {
    const outputs = parts.get(value);
    const gradient = outputs ? operator(value.op).join!(value, outputs) : adjoints.get(value);
    if (!gradient || !needed.has(value) || !value.inputs.some((operand) => needed.has(operand))) continue;
    const [operand0] = value.inputs as [Value];
    if (value.op === "item" && operator(operand0.op).join) {
      const list = parts.get(operand0) ?? [];
      list[value.attributes.index as number] = gradient;
      parts.set(operand0, list);
      continue;
    }
    const ofInputs = inputGradients(
      value,
      gradient,
      value.inputs.map((operand) => needed.has(operand)),
    );
    value.inputs.forEach((operand, i) => {
      const part = ofInputs[i];
      if (!part || !needed.has(operand)) return;
      const sofar = adjoints.get(operand);
      adjoints.set(operand, sofar ? add(sofar, part) : part);
    });
  }
  return withRespectTo.map((value) => adjoints.get(value));
}

/** The values through which a gradient must pass: those made from one of `targets`. */
function valuesThatLeadFrom(targets: ReadonlySet<Value>, order: readonly Value[]): Set<Value> {
  const needed = new Set<Value>();
  for (const value of order) {
    if (targets.has(value)) needed.add(value);
    else if (operator(value.op).flat || !value.dtype.includes("float")) continue;
    else if (value.inputs.some((operand) => needed.has(operand))) needed.add(value);
  }
  return needed;
}

function inputGradients(
  value: Value,
  gradient: Value,
  needs: readonly boolean[],
): readonly (Value | undefined)[] {
  const rule = operator(value.op).gradient;
  if (!rule) {
    const made = value.op === "item" ? value.inputs[0]! : value;
    throw new Error(
      `No gradient is known for the operator ${made}, which lies between the metric and what its gradient is asked for.`,
    );
  }
  return rule(value, gradient, needs);
}
