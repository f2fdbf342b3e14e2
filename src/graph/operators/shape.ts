/** Operators that move elements without changing them. */

import {
  concat,
  fill,
  partOf,
  place,
  reshape,
  slice,
  squeeze,
  transpose,
  unbroadcast,
  unsqueeze,
} from "../build.js";
import { broadcastShapes, productDim, sameShape, sameType, sliceDim, sumDim } from "../shapes.js";
import {
  type Attributes,
  type Dim,
  type Emitter,
  type Operator,
  type Shape,
  showShape,
  type Value,
} from "../value.js";
import { opaqueOutput } from "./opaque.js";

/**
 * The target of an ONNX `Reshape`: constant where that can be said (0 keeps a dimension, one −1 is inferred), read
 * from the running shapes otherwise.
 */
function reshapeTarget(from: Shape, to: Shape, emitter: Emitter): string {
  let inferred = 0;
  const target = to.map((dim, i) => {
    if (typeof dim === "number" && dim > 0) return dim;
    if (from[i] === dim) return 0;
    inferred++;
    return -1;
  });
  return inferred <= 1 ? emitter.integers(target) : emitter.dims(to);
}

const withDim = (shape: Shape, axis: number, dim: Dim): Shape =>
  shape.map((old, i) => (i === axis ? dim : old));

/** The shape of one output of an operator that has several. */
const itemShape = (value: Value, index: number): Shape => {
  if (value.op === "split") {
    const { sizes, axis } = value.attributes as { sizes: readonly number[]; axis: number };
    return withDim(value.shape, axis, sizes[index]!);
  }
  if (index === 0) return value.shape;
  return [...value.shape.slice(0, -1), 1]; // the mean and the inverse deviation of a norm
};

const inverse = (permutation: readonly number[]): number[] => {
  const result: number[] = [];
  permutation.forEach((axis, i) => {
    result[axis] = i;
  });
  return result;
};

const axesOf = (attributes: Attributes): readonly number[] => attributes.axes as readonly number[];

export const shape: Record<string, Operator> = {
  item: {
    infer: ([value], { index }) =>
      value!.op === "onnx"
        ? opaqueOutput(value!, index as number)
        : { dtype: value!.dtype, shape: itemShape(value!, index as number) },
    emit: ({ inputs, attributes }, emitter) => {
      const first = emitter.name(inputs[0]!);
      return attributes.index === 0 ? first : `${first}:${attributes.index}`;
    },
  },
  split: {
    infer: ([x], { axis, sizes }) => {
      const total = (sizes as readonly number[]).reduce((a, b) => a + b, 0);
      if (x!.shape[axis as number] !== total)
        throw new Error(`split: parts of ${showShape(sizes as Dim[])} do not make up axis ${axis} of ${x}.`);
      return x!;
    },
    join: (node, parts) => {
      const axis = node.attributes.axis as number;
      const sizes = node.attributes.sizes as readonly number[];
      const part = (index: number): Value =>
        parts[index] ?? fill(0, withDim(node.shape, axis, sizes[index]!), node.dtype);
      return concat(
        sizes.map((_, index) => part(index)),
        axis,
      );
    },
    gradient: (_, gradient) => [gradient],
    emit: ({ inputs, attributes }, emitter) => {
      const sizes = attributes.sizes as readonly number[];
      return emitter.node(
        "Split",
        [emitter.name(inputs[0]!), emitter.integers(sizes)],
        { axis: attributes.axis as number },
        { outputs: sizes.length },
      );
    },
  },
  reshape: {
    infer: ([x], attributes) => {
      const to = attributes.shape as Shape;
      if (productDim(x!.shape) !== productDim(to))
        throw new Error(`reshape: ${showShape(x!.shape)} has not as many elements as ${showShape(to)}.`);
      return { dtype: x!.dtype, shape: to };
    },
    gradient: ({ inputs: [x] }, gradient) => [reshape(gradient, x!.shape)],
    emit: ({ inputs: [x], shape }, emitter) =>
      emitter.node("Reshape", [emitter.name(x!), reshapeTarget(x!.shape, shape, emitter)]),
  },
  transpose: {
    infer: ([x], { permutation }) => {
      const axes = permutation as readonly number[];
      if (axes.length !== x!.rank || new Set(axes).size !== x!.rank)
        throw new Error(`transpose: [${axes}] is no permutation of the axes of ${x}.`);
      return { dtype: x!.dtype, shape: axes.map((axis) => x!.shape[axis]!) };
    },
    gradient: ({ attributes }, gradient) => [
      transpose(gradient, inverse(attributes.permutation as readonly number[])),
    ],
    emit: ({ inputs, attributes }, emitter) =>
      emitter.node("Transpose", [emitter.name(inputs[0]!)], {
        perm: attributes.permutation as readonly number[],
      }),
  },
  unsqueeze: {
    infer: ([x], attributes) => {
      const dims = [...x!.shape];
      for (const axis of [...axesOf(attributes)].sort((a, b) => a - b)) dims.splice(axis, 0, 1);
      return { dtype: x!.dtype, shape: dims };
    },
    gradient: ({ attributes }, gradient) => [squeeze(gradient, axesOf(attributes))],
    emit: ({ inputs, attributes }, emitter) =>
      emitter.node("Unsqueeze", [emitter.name(inputs[0]!), emitter.integers(axesOf(attributes))]),
  },
  squeeze: {
    infer: ([x], attributes) => {
      const axes = axesOf(attributes);
      for (const axis of axes)
        if (x!.shape[axis] !== 1) throw new Error(`squeeze: axis ${axis} of ${x} is not of size 1.`);
      return { dtype: x!.dtype, shape: x!.shape.filter((_, i) => !axes.includes(i)) };
    },
    gradient: ({ attributes }, gradient) => [unsqueeze(gradient, axesOf(attributes))],
    emit: ({ inputs, attributes }, emitter) =>
      emitter.node("Squeeze", [emitter.name(inputs[0]!), emitter.integers(axesOf(attributes))]),
  },
  expand: {
    infer: ([x], attributes) => {
      const to = attributes.shape as Shape;
      if (!sameShape(broadcastShapes(x!.shape, to, "expand"), to))
        throw new Error(`expand: ${showShape(x!.shape)} cannot be repeated to fill ${showShape(to)}.`);
      return { dtype: x!.dtype, shape: to };
    },
    gradient: ({ inputs: [x] }, gradient) => [unbroadcast(gradient, x!)],
    emit: ({ inputs, shape }, emitter) =>
      emitter.node("Expand", [emitter.name(inputs[0]!), emitter.dims(shape)]),
  },
  concat: {
    infer: (values, { axis }) => {
      const [first] = values as [Value];
      for (const value of values)
        if (!sameShape(withDim(value.shape, axis as number, 0), withDim(first.shape, axis as number, 0)))
          throw new Error(`concat: ${value} does not fit beside ${first} along axis ${axis}.`);
      const dims = values.map((value) => value.shape[axis as number]!);
      return { dtype: sameType("concat", values), shape: withDim(first.shape, axis as number, sumDim(dims)) };
    },
    gradient: ({ inputs, attributes }, gradient) => {
      const axis = attributes.axis as number;
      if (inputs.some((value) => typeof value.shape[axis] !== "number"))
        return inputs.map((_, i) => partOf(gradient, inputs.slice(0, i + 1), axis));
      let start = 0;
      return inputs.map((value) => {
        const size = value.shape[axis] as number;
        start += size;
        return slice(gradient, axis, start - size, start);
      });
    },
    emit: ({ inputs, attributes }, emitter) =>
      emitter.node(
        "Concat",
        inputs.map((value) => emitter.name(value)),
        { axis: attributes.axis as number },
      ),
  },
  slice: {
    infer: ([x], { axis, start, end }) => ({
      dtype: x!.dtype,
      shape: withDim(
        x!.shape,
        axis as number,
        sliceDim(x!.shape[axis as number]!, start as number, end as number | undefined),
      ),
    }),
    gradient: ({ inputs: [x], attributes: { axis, start, end } }, gradient) => [
      place(gradient, axis as number, start as number, end as number | undefined, x!.shape[axis as number]!),
    ],
    emit: ({ inputs, attributes: { axis, start, end } }, emitter) =>
      emitter.node("Slice", [
        emitter.name(inputs[0]!),
        emitter.integers([start as number]),
        emitter.integers([(end as number | undefined) ?? Number.MAX_SAFE_INTEGER]),
        emitter.integers([axis as number]),
      ]),
  },
  place: {
    infer: ([x], { axis, size }) => ({
      dtype: x!.dtype,
      shape: withDim(x!.shape, axis as number, size as Dim),
    }),
    gradient: ({ attributes: { axis, start, end } }, gradient) => [
      slice(gradient, axis as number, start as number, end as number | undefined),
    ],
    emit: ({ inputs: [x], attributes }, emitter) =>
      emitter.node("Pad", [emitter.name(x!), placement(x!.rank, attributes, emitter)]),
  },
};

/** The paddings of `place`: how much of the whole lies before `start` and after `end`, either counted from its end. */
function placement(rank: number, { axis, start, end, size }: Attributes, emitter: Emitter): string {
  const fromEnd = (distance: number): string =>
    emitter.node("Add", [emitter.dims([size as Dim]), emitter.integers([distance])]);
  const before = start as number;
  const after = end === undefined ? 0 : -(end as number);
  const zeros = (n: number): string[] => (n > 0 ? [emitter.integers(new Array<number>(n).fill(0))] : []);
  const at = axis as number;
  return emitter.node(
    "Concat",
    [
      ...zeros(at),
      before >= 0 ? emitter.integers([before]) : fromEnd(before),
      ...zeros(rank - 1),
      after >= 0 ? emitter.integers([after]) : fromEnd(after),
      ...zeros(rank - 1 - at),
    ],
    { axis: 0 },
  );
}
