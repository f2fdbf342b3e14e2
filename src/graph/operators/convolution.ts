/** Convolutions, pooling and batch normalisation, over any number of spatial axes. */

import {
  add,
  convolution,
  convolutionInputGradient,
  convolutionWeightGradient,
  div,
  mul,
  neg,
  reshape,
  scatterLike,
  sqrt,
  sub,
  sum,
} from "../build.js";
import { type Attributes, apply, type Emitter, type Operator, type Shape, type Value } from "../value.js";

const list = (attributes: Attributes, name: string): readonly number[] =>
  attributes[name] as readonly number[];

const shaped: Operator["infer"] = ([x], { shape }) => ({ dtype: x!.dtype, shape: shape as Shape });

/** All axes but that of channels. */
const besideChannels = (x: Value): number[] => x.shape.flatMap((_, i) => (i === 1 ? [] : [i]));

const geometry = (attributes: Attributes): Record<string, number | readonly number[]> => ({
  strides: list(attributes, "strides"),
  dilations: list(attributes, "dilations"),
  pads: list(attributes, "pads"),
  group: attributes.group as number,
});

/** The spatial sizes of a tensor when the graph runs. */
const spatial = (tensor: string, emitter: Emitter): string => emitter.node("Shape", [tensor], { start: 2 });

/**
 * What a transposed convolution gives, `full`, cut to the spatial sizes of the convolution's input: its paddings taken
 * off, and zeros where the last windows did not reach.
 */
function cutToInput(full: string, like: string, pads: readonly number[], emitter: Emitter): string {
  const begin = pads.slice(0, pads.length / 2);
  const missing = emitter.node("Sub", [spatial(like, emitter), spatial(full, emitter)]);
  const after = emitter.node("Add", [missing, emitter.integers(begin)]);
  const none = emitter.integers([0, 0]);
  const before = emitter.integers(begin.map((size) => -size));
  return emitter.node("Pad", [full, emitter.node("Concat", [none, before, none, after], { axis: 0 })]);
}

/** `[N, G*C, …]` as `[C, G*N, …]`, so that a convolution sums over the batch. */
function channelsFirst(x: string, group: number, channels: number, rank: number, emitter: Emitter): string {
  const rest = Array.from({ length: rank - 2 }, (_, i) => i + 2);
  if (group === 1) return emitter.node("Transpose", [x], { perm: [1, 0, ...rest] });
  const sizes = spatial(x, emitter);
  const batch = emitter.node("Shape", [x], { start: 0, end: 1 });
  const apart = emitter.node("Concat", [batch, emitter.integers([group, channels]), sizes], { axis: 0 });
  const turned = emitter.node("Transpose", [emitter.node("Reshape", [x, apart])], {
    perm: [2, 1, 0, ...rest.map((axis) => axis + 1)],
  });
  const merged = emitter.node("Concat", [emitter.integers([channels, -1]), sizes], { axis: 0 });
  return emitter.node("Reshape", [turned, merged]);
}

function emitWeightGradient({ inputs, attributes }: Value, emitter: Emitter): string {
  const [x, gradient, weight] = inputs as [Value, Value, Value];
  const group = attributes.group as number;
  const [, perGroup, ...kernel] = weight.shape as number[];
  const turned = channelsFirst(emitter.name(x), group, perGroup!, x.rank, emitter);
  const rest = kernel.map((_, i) => i + 2);
  const kernels = emitter.node("Transpose", [emitter.name(gradient)], { perm: [1, 0, ...rest] });
  const sums = emitter.node("Conv", [turned, kernels], {
    strides: list(attributes, "dilations"),
    dilations: list(attributes, "strides"),
    pads: list(attributes, "pads"),
    group,
  });
  const whole = emitter.node("Transpose", [sums], { perm: [1, 0, ...rest] });
  // Where strides do not divide the input, positions beyond the kernel have sums too.
  return emitter.node("Slice", [
    whole,
    emitter.integers(kernel.map(() => 0)),
    emitter.integers(kernel),
    emitter.integers(rest),
  ]);
}

const pooling = (attributes: Attributes): Record<string, number | readonly number[]> => ({
  kernel_shape: list(attributes, "kernel"),
  strides: list(attributes, "strides"),
  pads: list(attributes, "pads"),
  dilations: list(attributes, "dilations"),
  ceil_mode: attributes.ceil ? 1 : 0,
});

function emitAverageGradient({ inputs, attributes, dtype }: Value, emitter: Emitter): string {
  const [gradient, x] = inputs.map((value) => emitter.name(value)) as [string, string];
  const kernel = list(attributes, "kernel");
  const one = emitter.integers([1, 1]);
  const size = kernel.reduce((a, b) => a * b, 1);
  const weight = emitter.numbers(new Array(size).fill(1), dtype, [1, 1, ...kernel]);
  const windows = { strides: list(attributes, "strides"), dilations: list(attributes, "dilations") };
  const sizes = spatial(x, emitter);
  const pads = list(attributes, "pads");
  let count = emitter.numbers([size], dtype);
  if (!attributes.countPadding && pads.some((pad) => pad > 0)) {
    const ones = emitter.node("Expand", [
      emitter.numbers([1], dtype),
      emitter.node("Concat", [one, sizes], { axis: 0 }),
    ]);
    count = emitter.node("Conv", [ones, weight], { ...windows, pads });
  }
  const flat = emitter.node("Concat", [emitter.integers([-1, 1]), spatial(gradient, emitter)], { axis: 0 });
  const shares = emitter.node("Reshape", [emitter.node("Div", [gradient, count]), flat]);
  const full = emitter.node("ConvTranspose", [shares, weight], windows);
  return emitter.node("Reshape", [cutToInput(full, x, pads, emitter), emitter.node("Shape", [x])]);
}

export const convolutions: Record<string, Operator> = {
  convolution: {
    infer: shaped,
    gradient: ({ inputs: [x, weight], attributes }, gradient, needs) => [
      needs[0] ? convolutionInputGradient(gradient, weight!, x!, attributes) : undefined,
      needs[1] ? convolutionWeightGradient(x!, gradient, weight!, attributes) : undefined,
      needs[2] ? sum(gradient, besideChannels(gradient)) : undefined,
    ],
    emit: ({ inputs, attributes }, emitter) =>
      emitter.node(
        "Conv",
        inputs.map((value) => emitter.name(value)),
        geometry(attributes),
      ),
  },
  convolutionInputGradient: {
    infer: ([gradient, , like]) => ({ dtype: gradient!.dtype, shape: like!.shape }),
    emit: ({ inputs, attributes }, emitter) => {
      const [gradient, weight, like] = inputs.map((value) => emitter.name(value)) as [string, string, string];
      const { pads, ...rest } = geometry(attributes);
      const full = emitter.node("ConvTranspose", [gradient, weight], rest);
      return cutToInput(full, like, pads as readonly number[], emitter);
    },
  },
  convolutionWeightGradient: {
    infer: ([x, , weight]) => ({ dtype: x!.dtype, shape: weight!.shape }),
    emit: emitWeightGradient,
  },
  transposedConvolution: {
    infer: shaped,
    // The adjoint of a convolution whose input is this one's output.
    gradient: ({ inputs: [x, weight], attributes }, gradient, needs) => {
      const { shape: _, outputPadding: __, ...rest } = attributes;
      return [
        needs[0] ? convolution(gradient, weight!, undefined, { ...rest, shape: x!.shape }) : undefined,
        needs[1] ? convolutionWeightGradient(gradient, x!, weight!, rest) : undefined,
        needs[2] ? sum(gradient, besideChannels(gradient)) : undefined,
      ];
    },
    emit: ({ inputs, attributes }, emitter) =>
      emitter.node(
        "ConvTranspose",
        inputs.map((value) => emitter.name(value)),
        { ...geometry(attributes), output_padding: list(attributes, "outputPadding") },
      ),
  },
  maxPool: {
    infer: shaped,
    gradient: ({ inputs: [x], attributes }, gradient) => [
      scatterLike(gradient, apply("maxPoolIndices", [x!], attributes), x!),
    ],
    emit: ({ inputs, attributes }, emitter) =>
      emitter.node("MaxPool", [emitter.name(inputs[0]!)], pooling(attributes)),
  },
  // Where each maximum of `maxPool` stands among all elements; apart, since the plain operator is faster.
  maxPoolIndices: {
    infer: (_, { shape }) => ({ dtype: "int64", shape: shape as Shape }),
    flat: true,
    emit: ({ inputs, attributes }, emitter) =>
      `${emitter.node("MaxPool", [emitter.name(inputs[0]!)], pooling(attributes), { outputs: 2 })}:1`,
  },
  averagePool: {
    infer: shaped,
    gradient: ({ inputs: [x], attributes }, gradient) => [
      apply("averagePoolGradient", [gradient, x!], attributes),
    ],
    emit: ({ inputs, attributes }, emitter) => {
      const { dilations, ...rest } = pooling(attributes);
      const dilated = (dilations as readonly number[]).some((dilation) => dilation !== 1);
      return emitter.node("AveragePool", [emitter.name(inputs[0]!)], {
        ...rest,
        ...(dilated ? { dilations } : {}),
        count_include_pad: attributes.countPadding ? 1 : 0,
      });
    },
  },
  averagePoolGradient: {
    infer: ([, x]) => ({ dtype: x!.dtype, shape: x!.shape }),
    emit: emitAverageGradient,
  },
  // Of a finished model: the mean and variance are given, not those of the batch.
  batchNorm: {
    infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
    gradient: ({ inputs, attributes }, gradient, needs) => {
      const [x, weight, , mean, variance] = inputs as [Value, Value, Value, Value, Value];
      const axes = besideChannels(x);
      const byChannel = (value: Value): Value =>
        reshape(value, [value.shape[0]!, ...new Array<number>(x.rank - 2).fill(1)]);
      const deviation = sqrt(add(variance, attributes.epsilon as number));
      const ofWeight = div(sum(mul(gradient, sub(x, byChannel(mean))), axes), deviation);
      return [
        needs[0] ? mul(gradient, byChannel(div(weight, deviation))) : undefined,
        needs[1] ? ofWeight : undefined,
        needs[2] ? sum(gradient, axes) : undefined,
        needs[3] ? neg(mul(sum(gradient, axes), div(weight, deviation))) : undefined,
        needs[4] ? mul(div(mul(ofWeight, weight), mul(deviation, deviation)), -0.5) : undefined,
      ];
    },
    emit: ({ inputs, attributes }, emitter) =>
      emitter.node(
        "BatchNormalization",
        inputs.map((value) => emitter.name(value)),
        { epsilon: { float: attributes.epsilon as number } },
      ),
  },
};
