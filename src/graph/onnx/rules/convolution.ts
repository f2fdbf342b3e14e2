/** Rules for convolutions and pooling. */

import * as g from "../../build.js";
import { addDims, multiplyDims } from "../../dims.js";
import { apply, type Dim, type Value } from "../../value.js";
import type { NodeView } from "../node.js";
import type { Rule, Rules } from "./rule.js";

/** How windows lie on the spatial axes. */
interface Windows {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Before each axis, then behind each. */
  readonly pads: readonly number[];
}

/** The windows of a node, or nothing where paddings depend on sizes that are not known. */
function windowsOf(at: NodeView, kernel: readonly number[], x: Value): Windows | undefined {
  const axes = kernel.length;
  const list = (name: string, otherwise: number, count = axes): number[] => {
    const given = at.ints(name) ?? new Array<number>(count).fill(otherwise);
    if (given.length === count) return given;
    throw new Error(`its ${name} are ${given.length} numbers for ${axes} spatial axes.`);
  };
  const strides = list("strides", 1);
  const dilations = list("dilations", 1);
  const auto = at.text("auto_pad", "NOTSET");
  if (auto === "NOTSET" || auto === "") {
    const pads = list("pads", 0, 2 * axes);
    if (pads.some((pad) => pad < 0 || pad > 2 ** 31)) throw new Error(`its pads are ${pads.join(", ")}.`);
    return { kernel, strides, dilations, pads };
  }
  if (auto === "VALID") return { kernel, strides, dilations, pads: new Array(2 * axes).fill(0) };
  const sizes = x.shape.slice(2);
  if (!sizes.every((size) => typeof size === "number")) return undefined;
  const totals = sizes.map((size, i) => {
    const reach = dilations[i]! * (kernel[i]! - 1) + 1;
    const missing = Math.ceil(size / strides[i]!) - 1;
    return Math.max(0, missing * strides[i]! + reach - size);
  });
  const half = totals.map((total) => (auto === "SAME_UPPER" ? Math.floor(total / 2) : Math.ceil(total / 2)));
  return { kernel, strides, dilations, pads: [...half, ...totals.map((total, i) => total - half[i]!)] };
}

/** The spatial sizes of a convolution's result. */
function resultSizes(at: NodeView, x: Value, { kernel, strides, dilations, pads }: Windows): Dim[] {
  return kernel.map((size, i) => {
    const room = addDims(
      x.shape[i + 2]!,
      pads[i]! + pads[i + kernel.length]! - dilations[i]! * (size - 1) - 1,
    );
    if (typeof room === "number") {
      if (room < 0) throw new Error(`its window of ${size} is larger than what it lies on.`);
      return Math.floor(room / strides[i]!) + 1;
    }
    return strides[i] === 1 ? addDims(room, 1) : at.fresh(i + 2);
  });
}

/** The sizes of a weight, all of which must be known. */
function weightSizes(at: NodeView, x: Value, weight: Value): number[] | undefined {
  if (x.rank < 3 || weight.rank !== x.rank)
    throw new Error(`its weight has ${weight.rank} dimensions and its input ${x.rank}.`);
  if (!weight.shape.every((size) => typeof size === "number")) return undefined;
  const kernel = weight.shape.slice(2) as number[];
  const said = at.ints("kernel_shape") ?? kernel;
  if (said.length !== kernel.length || said.some((size, i) => size !== kernel[i]))
    throw new Error(`its kernel_shape is ${said.join(" × ")}, but its weight's is ${kernel.join(" × ")}.`);
  return weight.shape as number[];
}

const convolution: Rule = (at) => {
  const [x, weight] = [at.input(0), at.input(1)];
  const sizes = weightSizes(at, x, weight);
  const group = at.int("group", 1);
  if (!sizes) return undefined;
  const [out, perGroup, ...kernel] = sizes as [number, number, ...number[]];
  const channels = x.shape[1]!;
  if (out % group !== 0 || (typeof channels === "number" && channels !== perGroup * group))
    throw new Error(`its weight ${weight} does not fit ${channels} channels in ${group} groups.`);
  const windows = windowsOf(at, kernel, x);
  if (!windows) return undefined;
  const { strides, dilations, pads } = windows;
  const shape = [x.shape[0]!, out, ...resultSizes(at, x, windows)];
  return g.convolution(x, weight, at.optional(2), { strides, dilations, pads, group, shape });
};

const transposed: Rule = (at) => {
  const [x, weight] = [at.input(0), at.input(1)];
  const sizes = weightSizes(at, x, weight);
  const group = at.int("group", 1);
  const auto = at.text("auto_pad", "NOTSET");
  if (!sizes || at.hasAttribute("output_shape") || auto !== "NOTSET") return undefined;
  const [inputs, perGroup, ...kernel] = sizes as [number, number, ...number[]];
  const channels = x.shape[1]!;
  if (inputs % group !== 0 || (typeof channels === "number" && channels !== inputs))
    throw new Error(`its weight ${weight} does not fit ${channels} channels in ${group} groups.`);
  const { strides, dilations, pads } = windowsOf(at, kernel, x)!;
  const outputPadding = at.ints("output_padding") ?? kernel.map(() => 0);
  if (outputPadding.length !== kernel.length) throw new Error("its output_padding has the wrong length.");
  // Beyond a stride the adjoint convolution would have more windows than there are inputs.
  if (outputPadding.some((extra, i) => extra < 0 || extra >= strides[i]!)) return undefined;
  const spatial = kernel.map((size, i) => {
    const reach = dilations[i]! * (size - 1) + 1 + outputPadding[i]!;
    const cut = pads[i]! + pads[i + kernel.length]!;
    const whole = multiplyDims(addDims(x.shape[i + 2]!, -1), strides[i]!);
    return addDims(whole, reach - cut);
  });
  if (spatial.some((size) => typeof size === "number" && size < 1))
    throw new Error("its result would be empty.");
  const shape = [x.shape[0]!, perGroup * group, ...spatial];
  return g.transposedConvolution(x, weight, at.optional(2), {
    strides,
    dilations,
    pads,
    group,
    outputPadding,
    shape,
  });
};

/** What both kinds of pooling share. */
function pooling(at: NodeView): (Windows & { ceil: boolean; shape: Dim[] }) | undefined {
  const x = at.input(0);
  const kernel = at.ints("kernel_shape") ?? [];
  if (x.rank < 3 || kernel.length !== x.rank - 2)
    throw new Error(`its kernel_shape has ${kernel.length} numbers for an input of ${x.rank} dimensions.`);
  const windows = windowsOf(at, kernel, x);
  if (!windows) return undefined;
  const { pads } = windows;
  if (kernel.some((size, i) => Math.max(pads[i]!, pads[i + kernel.length]!) >= size)) return undefined;
  const ceil = at.flag("ceil_mode");
  const spatial = ceil ? kernel.map((_, i) => at.fresh(i + 2)) : resultSizes(at, x, windows);
  return { ...windows, ceil, shape: [x.shape[0]!, x.shape[1]!, ...spatial] };
}

export const convolutionRules: Rules = {
  Conv: convolution,
  ConvTranspose: transposed,
  MaxPool: (at) => {
    const geometry = pooling(at);
    if (!geometry || at.int("storage_order", 0) !== 0) return undefined;
    const x = at.input(0);
    const attributes = { ...geometry };
    return [g.maxPool(x, attributes), at.gives(1) ? apply("maxPoolIndices", [x], attributes) : undefined];
  },
  AveragePool: (at) => {
    const geometry = pooling(at);
    // Windows that hang over the end count fewer elements than their size.
    if (!geometry || geometry.ceil) return undefined;
    return g.averagePool(at.input(0), { ...geometry, countPadding: at.flag("count_include_pad") });
  },
};
