/** Linear recurrences: a state that decays and is written to, step by step along an axis. */

import { linearScan, mul, place, slice } from "../build.js";
import { onnxType } from "../onnx/types.js";
import { sameShape, sameType } from "../shapes.js";
import { type Operator, showShape, type Value } from "../value.js";

/** The values one step earlier (or later, where time runs backwards), 0 at the start. */
function earlier(x: Value, axis: number, reverse: boolean): Value {
  const size = x.shape[axis]!;
  return reverse
    ? place(slice(x, axis, 1), axis, 0, -1, size)
    : place(slice(x, axis, 0, -1), axis, 1, undefined, size);
}

export const recurrence: Record<string, Operator> = {
  linearScan: {
    infer: ([decay, write]) => {
      if (!sameShape(decay!.shape, write!.shape))
        throw new Error(
          `linearScan: the decay ${showShape(decay!.shape)} and what is written ${showShape(write!.shape)} differ in shape.`,
        );
      return { dtype: sameType("linearScan", [decay!, write!]), shape: write!.shape };
    },
    // The state's gradient decays too, in the other direction: each step hands on what the next one made of it.
    gradient: (node, gradient, needs) => {
      const [decay] = node.inputs as [Value, Value];
      const axis = node.attributes.axis as number;
      const reverse = node.attributes.reverse as boolean;
      const ofWrite = linearScan(earlier(decay, axis, !reverse), gradient, axis, { reverse: !reverse });
      return [needs[0] ? mul(ofWrite, earlier(node, axis, reverse)) : undefined, ofWrite];
    },
    emit: ({ inputs: [decay, write], attributes, shape, dtype }, emitter) => {
      const axis = attributes.axis as number;
      const direction = [attributes.reverse ? 1 : 0];
      const prefix = emitter.unique("scan");
      const own = (name: string): string => `${prefix}/${name}`;
      const value = (name: string): object => ({
        name: own(name),
        type: { tensorType: { elemType: onnxType(dtype) } },
      });
      const node = (opType: string, input: readonly string[], output: string): object => ({
        opType,
        name: own(opType),
        input: input.map(own),
        output: [own(output)],
      });
      const body = {
        name: prefix,
        node: [
          node("Mul", ["decay", "state"], "kept"),
          node("Add", ["kept", "write"], "next"),
          { opType: "Identity", name: own("Identity"), input: [own("next")], output: [own("state out")] },
        ],
        input: ["state", "decay", "write"].map(value),
        output: ["next", "state out"].map(value),
      };
      const start = emitter.node("Expand", [
        emitter.numbers([0], dtype),
        emitter.dims(shape.filter((_, i) => i !== axis)),
      ]);
      const scan = emitter.node(
        "Scan",
        [start, emitter.name(decay!), emitter.name(write!)],
        {
          num_scan_inputs: 2,
          scan_input_axes: [axis, axis],
          scan_output_axes: [axis],
          scan_input_directions: [...direction, ...direction],
          scan_output_directions: direction,
        },
        { outputs: 2, encoded: [{ name: "body", type: 5, g: body }] },
      );
      return `${scan}:1`;
    },
  },
};
