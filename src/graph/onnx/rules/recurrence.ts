/** The rule for the linear recurrence, which this engine writes as a loop. */

import { linearScan, slice, squeeze } from "../../build.js";
import { axisOf } from "../node.js";
import type { GraphProto } from "../schema.js";
import type { Rules } from "./rule.js";

/** Whether a loop's body is `state ← decay · state + write`, and gives the new state. */
function isLinear({ node, input, output, initializer }: GraphProto): boolean {
  const [product, sum, passed] = node;
  const [state, decay, write] = input.map(({ name }) => name);
  if (node.length !== 3 || input.length !== 3 || output.length !== 2 || initializer.length > 0) return false;
  const is = (at: number, type: string, ...operands: (string | undefined)[]): boolean =>
    node[at]!.opType === type &&
    node[at]!.domain === "" &&
    node[at]!.input.length === operands.length &&
    operands.every((name, i) => name === node[at]!.input[i]);
  return (
    is(0, "Mul", decay, state) &&
    is(1, "Add", product!.output[0], write) &&
    is(2, "Identity", sum!.output[0]) &&
    output[0]!.name === sum!.output[0] &&
    output[1]!.name === passed!.output[0]
  );
}

export const recurrenceRules: Rules = {
  Scan: (at) => {
    const body = at.graph("body");
    const inputAxes = at.ints("scan_input_axes") ?? [0, 0];
    const [outputAxis = 0] = at.ints("scan_output_axes") ?? [];
    const directions = [
      ...(at.ints("scan_input_directions") ?? [0, 0]),
      ...(at.ints("scan_output_directions") ?? [0]),
    ];
    if (at.count !== 3 || !body || !isLinear(body) || !at.isZero(0)) return undefined;
    const [decay, write] = [at.input(1), at.input(2)];
    const axes = [...inputAxes, outputAxis].map((axis) => axisOf(axis, write.rank));
    if (new Set(axes).size !== 1 || new Set(directions).size !== 1 || decay.rank !== write.rank)
      return undefined;
    const [axis] = axes as [number];
    const reverse = directions[0] === 1;
    const states = linearScan(decay, write, axis, { reverse });
    const last = reverse ? slice(states, axis, 0, 1) : slice(states, axis, -1);
    return [squeeze(last, [axis]), states];
  },
};
