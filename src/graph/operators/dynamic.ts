/**
 * Operators that read sizes from other tensors when the graph runs. Graphs that come from elsewhere are written with them
 * where their shapes cannot be told before.
 */

import {
  cast,
  cumulativeSum,
  einsum,
  expandBy,
  greaterOrEqual,
  indicesOf,
  maximum,
  mul,
  neg,
  padBy,
  pickBy,
  putBy,
  reshapeLike,
  scatterLike,
  shapeOf,
  sub,
  sum,
  sumTo,
  triangle,
  where,
} from "../build.js";
import { onnxType } from "../onnx/types.js";
import type { Attributes, ElementType, Emitter, OnnxAttributes, Operator, Shape, Value } from "../value.js";

const names = (values: readonly Value[], emitter: Emitter): string[] =>
  values.map((value) => emitter.name(value));

/** The dtype of the first operand, and the shape among the attributes. */
const shaped: Operator["infer"] = ([x], { shape }) => ({ dtype: x!.dtype, shape: shape as Shape });

const sameAsFirst: Operator["infer"] = ([x]) => ({ dtype: x!.dtype, shape: x!.shape });

/** Attributes of the ONNX node are kept under names that begin with `$`. */
export const onnxAttributes = (attributes: Attributes): OnnxAttributes =>
  Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) =>
      name.startsWith("$") && value !== undefined
        ? [[name.slice(1), value as number | string | readonly number[]]]
        : [],
    ),
  );

export const dynamic: Record<string, Operator> = {
  // No node: the value as it is. Its gradient is summed over what turns out to be repeated.
  assume: {
    infer: shaped,
    gradient: ({ inputs: [x] }, gradient) => [sumTo(gradient, x!)],
    emit: ({ inputs }, emitter) => emitter.name(inputs[0]!),
  },
  shapeOf: {
    infer: ([x]) => ({ dtype: "int64", shape: [x!.rank] }),
    flat: true,
    emit: ({ inputs }, emitter) => emitter.node("Shape", names(inputs, emitter)),
  },
  sumTo: {
    infer: ([x, like]) => ({ dtype: x!.dtype, shape: like!.shape }),
    gradient: ({ inputs: [x] }, gradient) => [expandBy(gradient, shapeOf(x!), x!.shape), undefined],
    emit: ({ inputs: [x, like] }, emitter) => {
      const from = emitter.node("Shape", [emitter.name(x!)]);
      const to = emitter.node("Shape", [emitter.name(like!)]);
      const ones = new Array<number>(x!.rank - like!.rank).fill(1);
      const aligned =
        ones.length === 0 ? to : emitter.node("Concat", [emitter.integers(ones), to], { axis: 0 });
      const differ = emitter.node("Not", [emitter.node("Equal", [from, aligned])]);
      const axes = emitter.node("Squeeze", [emitter.node("NonZero", [differ]), emitter.integers([0])]);
      const sum = emitter.node("ReduceSum", [emitter.name(x!), axes], {
        keepdims: 1,
        noop_with_empty_axes: 1,
      });
      return emitter.node("Reshape", [sum, to], { allowzero: 1 });
    },
  },
  reshapeLike: {
    infer: ([x, like]) => ({ dtype: x!.dtype, shape: like!.shape }),
    gradient: ({ inputs: [x] }, gradient) => [reshapeLike(gradient, x!), undefined],
    emit: ({ inputs: [x, like] }, emitter) =>
      emitter.node("Reshape", [emitter.name(x!), emitter.node("Shape", [emitter.name(like!)])], {
        allowzero: 1,
      }),
  },
  reshapeBy: {
    infer: shaped,
    gradient: ({ inputs: [x] }, gradient) => [reshapeLike(gradient, x!), undefined],
    emit: ({ inputs, attributes }, emitter) =>
      emitter.node("Reshape", names(inputs, emitter), { allowzero: attributes.allowZero ? 1 : 0 }),
  },
  expandBy: {
    infer: shaped,
    gradient: ({ inputs: [x] }, gradient) => [sumTo(gradient, x!), undefined],
    emit: ({ inputs }, emitter) => emitter.node("Expand", names(inputs, emitter)),
  },
  indicesOf: {
    infer: ([x], { dtype }) => ({ dtype: dtype as "int64", shape: x!.shape }),
    flat: true,
    emit: ({ inputs: [x], dtype }, emitter) => {
      const size = emitter.node("Size", [emitter.name(x!)]);
      const flat = emitter.node("Range", [
        emitter.numbers([0], "int64"),
        size,
        emitter.numbers([1], "int64"),
      ]);
      const shape = emitter.node("Shape", [emitter.name(x!)]);
      const indices = emitter.node("Reshape", [flat, shape], { allowzero: 1 });
      const to = { int64: 7, int32: 6, float64: 11 }[dtype as string];
      return dtype === "int64" ? indices : emitter.node("Cast", [indices], { to });
    },
  },
  scatterLike: {
    infer: ([updates, , like]) => ({ dtype: updates!.dtype, shape: like!.shape }),
    emit: ({ inputs: [updates, indices, like], dtype }, emitter) => {
      // ONNX Runtime adds no 16-bit floats up.
      const isHalf = dtype === "float16" || dtype === "bfloat16";
      const cast = (tensor: string, to: ElementType): string =>
        isHalf ? emitter.node("Cast", [tensor], { to: onnxType(to) }) : tensor;
      const all = emitter.integers([-1]);
      const size = emitter.node("Reshape", [emitter.node("Size", [emitter.name(like!)]), all]);
      const zeros = emitter.node("Expand", [emitter.numbers([0], isHalf ? "float32" : dtype), size]);
      const places = emitter.node("Reshape", [emitter.name(indices!), all]);
      const flat = emitter.node("Reshape", [cast(emitter.name(updates!), "float32"), all]);
      const added = { axis: 0, reduction: "add" };
      const sums = cast(emitter.node("ScatterElements", [zeros, places, flat], added), dtype);
      return emitter.node("Reshape", [sums, emitter.node("Shape", [emitter.name(like!)])], { allowzero: 1 });
    },
  },
  // Any operator that moves elements without changing them: its gradient goes to where it took the indices from.
  pickBy: {
    infer: shaped,
    gradient: ({ inputs: [x, ...rest], attributes, shape }, gradient) => {
      const { type, slots, indexType, ...others } = attributes;
      const of = indicesOf(x!, indexType as "int64" | undefined);
      const kept = { ...others, slots } as Record<string, number | string | readonly number[] | undefined>;
      const picked = pickBy(type as string, [of, ...rest], kept, shape);
      return [scatterLike(gradient, cast(picked, "int64"), x!)];
    },
    emit: ({ inputs, attributes }, emitter) => {
      const slots = attributes.slots as readonly number[] | undefined;
      const given = names(inputs, emitter);
      const places = slots ?? given.map((_, i) => i);
      const all = Array.from({ length: (places.at(-1) ?? -1) + 1 }, (_, i) => given[places.indexOf(i)] ?? "");
      return emitter.node(attributes.type as string, all, onnxAttributes(attributes));
    },
  },
  putBy: {
    infer: sameAsFirst,
    gradient: ({ inputs, attributes }, gradient, needs) => {
      const [x, indices, updates] = inputs as [Value, Value, Value];
      const type = attributes.type as "ScatterElements" | "ScatterND";
      const axis = attributes.$axis as number | undefined;
      const put = (into: Value, what: Value): Value => putBy(type, [into, indices, what], { axis });
      const none = (like: Value): Value => sub(mul(indicesOf(like), 0), 1);
      if (attributes.$reduction === "add") {
        const of = type === "ScatterND" ? "GatherND" : "GatherElements";
        const given = needs[2] ? pickBy(of, [gradient, indices], { $axis: axis }, updates.shape) : undefined;
        return [gradient, undefined, given];
      }
      // Where several updates fall on one place, the gradient belongs to the one that stays there.
      const kept = needs[0] ? greaterOrEqual(put(indicesOf(x), none(updates)), 0) : undefined;
      const winner = needs[2] ? put(none(x), indicesOf(updates)) : undefined;
      const won = winner && where(greaterOrEqual(winner, 0), gradient, 0);
      return [
        kept && where(kept, gradient, 0),
        undefined,
        won && scatterLike(won, maximum(winner, 0), updates),
      ];
    },
    emit: ({ inputs, attributes }, emitter) =>
      emitter.node(attributes.type as string, names(inputs, emitter), onnxAttributes(attributes)),
  },
  topIndices: {
    infer: (_, { shape }) => ({ dtype: "int64", shape: shape as Shape }),
    flat: true,
    emit: ({ inputs, attributes: { axis, largest, sorted } }, emitter) => {
      const flags = { axis: axis as number, largest: largest ? 1 : 0, sorted: sorted ? 1 : 0 };
      return `${emitter.node("TopK", names(inputs, emitter), flags, { outputs: 2 })}:1`;
    },
  },
  einsum: {
    infer: shaped,
    // Each operand's gradient is the product of the result's with the other operands, summed to the operand's axes.
    gradient: ({ inputs, attributes }, gradient, needs) => {
      const [terms, result] = (attributes.equation as string).split("->") as [string, string];
      const letters = terms.split(",");
      return inputs.map((operand, i) => {
        if (!needs[i]) return undefined;
        const others = inputs.filter((_, j) => j !== i);
        const equation = `${[result, ...letters.filter((_, j) => j !== i)].join(",")}->${letters[i]}`;
        return einsum(equation, [gradient, ...others], operand.shape);
      });
    },
    emit: ({ inputs, attributes }, emitter) =>
      emitter.node("Einsum", names(inputs, emitter), { equation: attributes.equation as string }),
  },
  // The part of a joined value that one of its operands, the last given, is.
  partOf: {
    infer: (inputs) => ({ dtype: inputs[0]!.dtype, shape: inputs.at(-1)!.shape }),
    emit: ({ inputs: [whole, ...operands], attributes }, emitter) => {
      const axis = attributes.axis as number;
      const sizes = operands.map((operand) =>
        emitter.node("Shape", [emitter.name(operand)], { start: axis, end: axis + 1 }),
      );
      const start = sizes.slice(0, -1).reduce((a, b) => emitter.node("Add", [a, b]), emitter.integers([0]));
      const end = emitter.node("Add", [start, sizes.at(-1)!]);
      return emitter.node("Slice", [emitter.name(whole!), start, end, emitter.integers([axis])]);
    },
  },
  triangle: {
    infer: sameAsFirst,
    gradient: ({ inputs: [, k], attributes }, gradient) => [
      triangle(gradient, attributes.upper as boolean, k),
    ],
    emit: ({ inputs, attributes }, emitter) =>
      emitter.node("Trilu", names(inputs, emitter), { upper: attributes.upper ? 1 : 0 }),
  },
  cumulativeSum: {
    infer: sameAsFirst,
    gradient: ({ inputs: [, axis], attributes: { exclusive, reverse } }, gradient) => [
      cumulativeSum(gradient, axis!, { exclusive: exclusive as boolean, reverse: !reverse }),
      undefined,
    ],
    emit: ({ inputs, attributes }, emitter) =>
      emitter.node("CumSum", names(inputs, emitter), {
        exclusive: attributes.exclusive ? 1 : 0,
        reverse: attributes.reverse ? 1 : 0,
      }),
  },
  padBy: {
    infer: shaped,
    // Negative paddings cut off.
    gradient: ({ inputs, attributes }, gradient, needs) => {
      const [x, pads, ...rest] = inputs as [Value, Value, ...Value[]];
      const axes = rest[attributes.hasValue ? 1 : 0];
      const inside = padBy(gradient, neg(pads), { axes }, x.shape);
      if (!attributes.hasValue) return [inside];
      return [
        inside,
        undefined,
        needs[2] ? reshapeLike(sub(sum(gradient), sum(inside)), rest[0]!) : undefined,
      ];
    },
    emit: ({ inputs: [x, pads, ...rest], attributes }, emitter) => {
      const [value, axes] = attributes.hasValue ? rest : [undefined, rest[0]];
      const optional = axes
        ? [value ? emitter.name(value) : "", emitter.name(axes)]
        : value
          ? [emitter.name(value)]
          : [];
      return emitter.node("Pad", [emitter.name(x!), emitter.name(pads!), ...optional]);
    },
  },
};
