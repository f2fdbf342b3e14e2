/** Leaves, names and markers. */

import type { ElementType, Operator, Shape } from "../value.js";

const declared: Pick<Operator, "infer" | "flat"> = {
  infer: (_, { dtype, shape }) => ({ dtype: dtype as ElementType, shape: shape as Shape }),
  flat: true,
};

/** What `onnx/emit.ts` writes itself, before it asks the table. */
const byEmitter = (): string => {
  throw new Error("Inputs and parameters are written by the emitter.");
};

export const leaf: Record<string, Operator> = {
  input: { ...declared, emit: byEmitter },
  parameter: { ...declared, emit: byEmitter },
  constant: {
    ...declared,
    emit: ({ attributes }, emitter) =>
      emitter.numbers(
        attributes.data as number[],
        attributes.dtype as ElementType,
        attributes.shape as readonly number[],
      ),
  },
  fill: {
    ...declared,
    emit: ({ attributes, shape, dtype }, emitter) =>
      emitter.node("Expand", [emitter.numbers([attributes.value as number], dtype), emitter.dims(shape)]),
  },
  dimension: {
    infer: () => ({ dtype: "int64", shape: [] }),
    flat: true,
    emit: ({ attributes }, emitter) =>
      emitter.node("Squeeze", [emitter.dims([attributes.dim as number | string]), emitter.integers([0])]),
  },
  point: {
    infer: ([value], { name, axes }) => {
      if ((axes as string[]).length !== value!.rank)
        throw new Error(
          `The point "${name}" names ${(axes as string[]).length} axes, but the value is ${value}.`,
        );
      return value!;
    },
    gradient: (_, gradient) => [gradient],
    emit: ({ inputs }, emitter) => emitter.name(inputs[0]!),
  },
  stopGradient: {
    infer: ([value]) => value!,
    flat: true,
    emit: ({ inputs }, emitter) => emitter.name(inputs[0]!),
  },
};
