/** Rules for operators that move elements. */

import * as g from "../../build.js";
import { addDims, divideDims, multiplyDims } from "../../dims.js";
import type { Dim, Shape, Value } from "../../value.js";
import { axisOf, joinDims, type Known, type NodeView } from "../node.js";
import type { Rule, Rules } from "./rule.js";

const productOf = (dims: Shape): Dim => dims.reduce(multiplyDims, 1);
const isFloat = (x: Value): boolean => x.dtype.includes("float");
/** A size that can only be read: not below zero, where that can be told. */
const isSize = (dim: Dim | undefined): dim is Dim =>
  typeof dim === "number" ? dim >= 0 : dim !== undefined && !dim.startsWith("-");

/** How many numbers a one-dimensional tensor has. */
const lengthOf = (x: Value): number | undefined => {
  const [size] = x.shape;
  return x.rank === 1 && typeof size === "number" && size <= 32 ? size : undefined;
};

const reshape: Rule = (at) => {
  const [x, target] = [at.input(0), at.input(1)];
  const allowZero = at.flag("allowzero");
  const rank = lengthOf(target);
  if (rank === undefined) return undefined;
  const known: Known = at.known(1) ?? new Array<undefined>(rank).fill(undefined);
  if (known.length !== rank) return undefined;
  const kept = known.map((dim, i) => (dim === 0 && !allowZero ? x.shape[i] : dim));
  const inferred = kept.indexOf(-1);
  const shape = kept.map((dim, i) => (isSize(dim) ? dim : at.fresh(i)));
  if (inferred >= 0 && kept.every((dim, i) => i === inferred || isSize(dim))) {
    const others = productOf(shape.filter((_, i) => i !== inferred));
    const rest = others === 0 ? undefined : divideDims(productOf(x.shape), others);
    if (isSize(rest)) shape[inferred] = rest;
  }
  return g.reshapeBy(x, target, shape, allowZero);
};

const flatten: Rule = (at) => {
  const x = at.input(0);
  const given = at.int("axis", 1);
  const axis = given < 0 ? given + x.rank : given;
  if (axis < 0 || axis > x.rank) throw new Error(`its axis ${given} is not one of ${x.rank}.`);
  const [before, after] = [productOf(x.shape.slice(0, axis)), productOf(x.shape.slice(axis))];
  const shape = [before, after];
  const target =
    axis === 0
      ? [1, -1]
      : axis === x.rank
        ? [-1, 1]
        : axis === 1
          ? [0, -1]
          : typeof before === "number"
            ? [before, -1]
            : typeof after === "number"
              ? [-1, after]
              : undefined;
  return target
    ? g.reshapeBy(x, g.constant(target, [2], "int64"), shape)
    : g.pickBy("Flatten", [x], { $axis: axis }, shape);
};

/** Axes that are an input, or an attribute as in older operator sets. */
function axesOf(at: NodeView, rank: number): number[] | undefined {
  const given = at.has(1) ? at.numbers(1) : at.ints("axes");
  return given?.map((axis) => axisOf(axis, rank));
}

const squeeze: Rule = (at) => {
  const x = at.input(0);
  const given = at.has(1) || at.hasAttribute("axes");
  if (!given && x.shape.some((dim) => typeof dim === "string")) return undefined;
  const axes = given ? axesOf(at, x.rank) : x.shape.flatMap((dim, i) => (dim === 1 ? [i] : []));
  if (!axes) return undefined;
  // A named size there is 1 when the graph runs, or ONNX Runtime refuses it.
  const assumed = x.shape.map((dim, i) => (axes.includes(i) && typeof dim === "string" ? 1 : dim));
  return g.squeeze(g.assume(x, assumed), axes);
};

const unsqueeze: Rule = (at) => {
  const x = at.input(0);
  const count = (at.has(1) ? at.numbers(1) : at.ints("axes"))?.length;
  const axes = count === undefined ? undefined : axesOf(at, x.rank + count);
  return axes && g.unsqueeze(x, axes);
};

const concat: Rule = (at) => {
  const values = at.inputs();
  const [first] = values as [Value];
  const axis = axisOf(at.int("axis", 0), first.rank);
  if (values.some(({ rank }) => rank !== first.rank)) throw new Error("it joins tensors of different ranks.");
  const shape = first.shape.map((_, i) =>
    i === axis ? 1 : values.map((value) => value.shape[i]!).reduce(sameSize),
  );
  const assumed = values.map((value) =>
    g.assume(
      value,
      shape.map((dim, i) => (i === axis ? value.shape[i]! : dim)),
    ),
  );
  return g.concat(assumed, axis);
};

/** Sizes that must be equal when the graph runs. */
function sameSize(a: Dim, b: Dim): Dim {
  if (a === b) return a;
  if (typeof a === "number" && typeof b === "number") throw new Error(`the sizes ${a} and ${b} differ.`);
  return typeof a === "number" ? a : typeof b === "number" ? b : joinDims(a, b);
}

const split: Rule = (at) => {
  const x = at.input(0);
  const axis = axisOf(at.int("axis", 0), x.rank);
  const count = at.node.outputs.length;
  const size = x.shape[axis]!;
  let sizes = at.numbers(1);
  if (!at.has(1)) {
    if (typeof size !== "number") return undefined;
    const each = Math.ceil(size / count);
    sizes = Array.from({ length: count }, (_, i) => Math.min(each, size - each * i));
  }
  if (!sizes || sizes.length !== count || sizes.some((part) => part < 0)) return undefined;
  const total = sizes.reduce((a, b) => a + b, 0);
  const assumed = x.shape.map((dim, i) => (i === axis && typeof dim === "string" ? total : dim));
  return g.split(g.assume(x, assumed), axis, sizes);
};

/** What is cut out along one axis. */
interface Range {
  readonly axis: number;
  readonly start: Dim | undefined;
  readonly end: Dim | undefined;
  readonly step: number | undefined;
}

const FAR = 2 ** 31 - 1;

/** The size that is left, where it can be told. */
function sizeOfRange(size: Dim, { start, end, step }: Range): Dim | undefined {
  if (step === undefined || start === undefined || end === undefined) return undefined;
  const isToEnd = typeof end === "number" && end >= FAR;
  if (typeof size === "number" && typeof start === "number" && typeof end === "number") {
    const clamp = (at: number, low: number, high: number): number =>
      Math.min(Math.max(at < 0 ? at + size : at, low), high);
    const [from, to] =
      step > 0
        ? [clamp(start, 0, size), clamp(end, 0, size)]
        : [clamp(start, 0, size - 1), clamp(end, -1, size - 1)];
    return Math.max(0, Math.ceil((to - from) / step));
  }
  if (step !== 1 || (typeof start === "number" && start < 0)) return undefined;
  if (isToEnd || end === size) return start === 0 ? size : undefined;
  if (typeof end === "number") return end < 0 && start === 0 ? addDims(size, end) : undefined;
  const left = addDims(end, start, -1);
  return isSize(left) ? left : undefined;
}

/** Whether the table's own slice says the same, whatever the sizes come to. */
const isPlain = (size: Dim, { start, end, step }: Range): boolean =>
  step === 1 &&
  typeof start === "number" &&
  typeof end === "number" &&
  (typeof size === "number" || (start === 0 && end >= FAR));

const slice: Rule = (at) => {
  const x = at.input(0);
  const count = lengthOf(at.input(1));
  if (count === undefined) return undefined;
  const axes = at.has(3) ? at.numbers(3) : Array.from({ length: count }, (_, i) => i);
  if (axes?.length !== count) return undefined;
  const [starts, ends, steps] = [
    at.known(1),
    at.known(2),
    at.has(4) ? at.known(4) : new Array<number>(count).fill(1),
  ];
  const ranges = axes.map((axis, i): Range => {
    const step = steps?.[i];
    if (step === 0) throw new Error("it has a step of 0.");
    return {
      axis: axisOf(axis, x.rank),
      start: starts?.[i],
      end: ends?.[i],
      step: typeof step === "number" ? step : undefined,
    };
  });
  if (ranges.every((range) => isPlain(x.shape[range.axis]!, range)))
    return ranges.reduce((value, { axis, start, end }) => {
      const to = (end as number) >= FAR ? undefined : (end as number);
      return start === 0 && to === undefined ? value : g.slice(value, axis, start as number, to);
    }, x);
  const shape = [...x.shape];
  for (const range of ranges)
    shape[range.axis] = sizeOfRange(x.shape[range.axis]!, range) ?? at.fresh(range.axis);
  const slots = at.node.inputs.flatMap((name, i) => (name === "" ? [] : [i]));
  return g.pickBy(
    "Slice",
    slots.map((slot) => at.input(slot)),
    { slots },
    shape,
  );
};

const gather: Rule = (at) => {
  const [x, indices] = [at.input(0), at.input(1)];
  const axis = axisOf(at.int("axis", 0), x.rank);
  if (x.rank === 0) return undefined;
  if (axis === 0) return g.gather(x, g.cast(indices, "int64"));
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  return g.pickBy("Gather", [x, indices], { $axis: axis }, shape);
};

const gatherElements: Rule = (at) => {
  const [x, indices] = [at.input(0), at.input(1)];
  const axis = axisOf(at.int("axis", 0), x.rank);
  return axis === x.rank - 1
    ? g.gatherElements(x, g.cast(indices, "int64"))
    : g.pickBy("GatherElements", [x, indices], { $axis: axis }, indices.shape);
};

const gatherNd: Rule = (at) => {
  const [x, indices] = [at.input(0), at.input(1)];
  const depth = indices.shape.at(-1);
  const batch = at.int("batch_dims", 0);
  if (typeof depth !== "number" || batch < 0 || batch + depth > x.rank) return undefined;
  const shape = [...indices.shape.slice(0, -1), ...x.shape.slice(batch + depth)];
  return g.pickBy("GatherND", [x, indices], { $batch_dims: batch }, shape);
};

const expand: Rule = (at) => {
  const [x, target] = [at.input(0), at.input(1)];
  const count = lengthOf(target);
  if (count === undefined) return undefined;
  const known = at.known(1);
  const rank = Math.max(count, x.rank);
  const shape = Array.from({ length: rank }, (_, i): Dim => {
    const own = x.shape[i - (rank - x.rank)] ?? 1;
    const wanted = i < rank - count ? 1 : known?.[i - (rank - count)];
    if (wanted === undefined) return typeof own === "number" && own > 1 ? own : at.fresh(i);
    return joinDims(own, wanted);
  });
  return g.expandBy(x, target, shape);
};

const tile: Rule = (at) => {
  const [x, repeats] = [at.input(0), at.input(1)];
  const known = at.known(1);
  const shape = x.shape.map((dim, i) => {
    const times = known?.[i];
    return isSize(times) ? multiplyDims(dim, times) : at.fresh(i);
  });
  return g.pickBy("Tile", [x, repeats], {}, shape);
};

const pad: Rule = (at) => {
  const [x, pads] = [at.input(0), at.input(1)];
  const sizes = at.known(1);
  const axes = at.has(3) ? at.numbers(3)?.map((axis) => axisOf(axis, x.rank)) : x.shape.map((_, i) => i);
  const shape = x.shape.map((dim, i) => {
    if (!sizes || !axes) return at.fresh(i);
    const place = axes.indexOf(i);
    if (place < 0) return dim;
    const [before, after] = [sizes[place], sizes[place + axes.length]];
    return before === undefined || after === undefined ? at.fresh(i) : addDims(addDims(dim, before), after);
  });
  const mode = at.text("mode", "constant");
  if (mode === "constant") return g.padBy(x, pads, { value: at.optional(2), axes: at.optional(3) }, shape);
  const slots = at.has(3) ? [0, 1, 3] : [0, 1];
  return g.pickBy(
    "Pad",
    slots.map((slot) => at.input(slot)),
    { $mode: mode, slots },
    shape,
  );
};

/** Nearest neighbours move elements; other modes mix them. */
const resize: Rule = (at) => {
  const x = at.input(0);
  const nearest = at.text("mode", "nearest") === "nearest" && !at.flag("antialias");
  const coordinates = at.text("coordinate_transformation_mode", "half_pixel");
  if (!nearest || coordinates === "tf_crop_and_resize" || at.hasAttribute("axes") || !isFloat(x))
    return undefined;
  const scales = at.constantFloats(2);
  const sizes = at.known(3);
  const shape = x.shape.map((dim, i) => {
    const size = sizes?.[i];
    if (isSize(size)) return size;
    const scale = scales?.[i];
    if (scale === 1) return dim;
    if (scale === undefined) return at.fresh(i);
    if (typeof dim === "number") return Math.floor(dim * scale);
    return Number.isInteger(scale) ? multiplyDims(dim, scale) : at.fresh(i);
  });
  const slots = [0, 2, 3].filter((slot) => at.has(slot));
  const attributes = {
    $mode: "nearest",
    $coordinate_transformation_mode: coordinates,
    $nearest_mode: at.text("nearest_mode", "round_prefer_floor"),
    $keep_aspect_ratio_policy: at.text("keep_aspect_ratio_policy", "stretch"),
  };
  return g.pickBy(
    "Resize",
    slots.map((slot) => at.input(slot)),
    { ...attributes, slots, indexType: "int32" },
    shape,
  );
};

/** Blocks of an image as channels, or the other way round. */
const blocks =
  (type: "DepthToSpace" | "SpaceToDepth"): Rule =>
  (at) => {
    const x = at.input(0);
    const size = at.int("blocksize", 1);
    if (x.rank !== 4) return undefined;
    const [batch, channels, height, width] = x.shape as [Dim, Dim, Dim, Dim];
    const scaled = (dim: Dim, axis: number): Dim =>
      type === "DepthToSpace" ? multiplyDims(dim, size) : (divideDims(dim, size) ?? at.fresh(axis));
    const area = size * size;
    const deep = type === "DepthToSpace" ? divideDims(channels, area) : multiplyDims(channels, area);
    const shape = [batch, deep ?? at.fresh(1), scaled(height, 2), scaled(width, 3)];
    const mode = type === "DepthToSpace" ? { $mode: at.text("mode", "DCR") } : {};
    return g.pickBy(type, [x], { $blocksize: size, ...mode, indexType: "float64" }, shape);
  };

const put =
  (type: "ScatterElements" | "ScatterND"): Rule =>
  (at) => {
    const [x, indices, updates] = at.inputs() as [Value, Value, Value];
    const reduction = at.text("reduction", "none");
    if (reduction !== "none" && reduction !== "add") return undefined;
    const axis = type === "ScatterElements" ? axisOf(at.int("axis", 0), x.rank) : undefined;
    return g.putBy(type, [x, g.cast(indices, "int64"), updates], {
      axis,
      ...(reduction === "add" ? { reduction } : {}),
    });
  };

/** Sums of products whose every axis is in the result or in another operand: their gradients are such sums too. */
const einsum: Rule = (at) => {
  const operands = at.inputs();
  const equation = at.text("equation", "").replaceAll(/\s/g, "");
  const [terms, result] = equation.split("->");
  const letters = (terms ?? "").split(",");
  const isPlain = (text: string): boolean => /^[A-Za-z]*$/.test(text) && new Set(text).size === text.length;
  if (result === undefined || ![...letters, result].every(isPlain)) return undefined;
  if (letters.length !== operands.length || letters.some((text, i) => text.length !== operands[i]!.rank))
    throw new Error(`its equation ${equation} does not fit its operands.`);
  const elsewhere = (i: number): string => letters.filter((_, j) => j !== i).join("") + result;
  if (!letters.every((text, i) => [...text].every((letter) => elsewhere(i).includes(letter))))
    return undefined;
  const sizes = new Map<string, Dim>();
  letters.forEach((text, i) => {
    [...text].forEach((letter, axis) => {
      const size = operands[i]!.shape[axis]!;
      const known = sizes.get(letter);
      sizes.set(letter, known === undefined ? size : sameSize(known, size));
    });
  });
  const assumed = operands.map((operand, i) =>
    g.assume(
      operand,
      [...letters[i]!].map((letter) => sizes.get(letter)!),
    ),
  );
  if (![...result].every((letter) => sizes.has(letter)))
    throw new Error(`its equation ${equation} is wrong.`);
  return g.einsum(
    equation,
    assumed,
    [...result].map((letter) => sizes.get(letter)!),
  );
};

export const shapeRules: Rules = {
  ScatterElements: put("ScatterElements"),
  ScatterND: put("ScatterND"),
  Einsum: einsum,
  TopK: (at) => {
    const [x, k] = [at.input(0), at.input(1)];
    const axis = axisOf(at.int("axis", -1), x.rank);
    const count = at.known(1)?.[0];
    const shape = x.shape.map((dim, i) => (i !== axis ? dim : isSize(count) ? count : at.fresh(i)));
    const how = { axis, largest: at.flag("largest", true), sorted: at.flag("sorted", true) };
    const indices = g.topIndices(x, k, how, shape);
    return [g.pickBy("GatherElements", [x, indices], { $axis: axis }, shape), indices];
  },
  Shape: (at) => {
    const whole = g.shapeOf(at.input(0));
    const start = at.int("start", 0);
    const end = at.hasAttribute("end") ? at.int("end", 0) : undefined;
    return start === 0 && end === undefined ? whole : g.slice(whole, 0, start, end);
  },
  Reshape: reshape,
  Flatten: flatten,
  Transpose: (at) => {
    const x = at.input(0);
    return g.transpose(x, at.ints("perm") ?? x.shape.map((_, i) => x.rank - 1 - i));
  },
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Concat: concat,
  Split: split,
  Slice: slice,
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherNd,
  Expand: expand,
  Tile: tile,
  Trilu: (at) => g.triangle(at.input(0), at.flag("upper", true), at.optional(1)),
  Pad: pad,
  Resize: resize,
  DepthToSpace: blocks("DepthToSpace"),
  SpaceToDepth: blocks("SpaceToDepth"),
};
