/**
 * The words that graphs are written in: one function for each operator of the table.
 *
 * Shapes may hold names (`batch`, `pos`); numbers among the operands become constants.
 */

import { normalizeAxis } from "./shapes.js";
import { type Attributes, apply, type Dim, type ElementType, type Shape, Value } from "./value.js";

/** A value, or a number that stands for a constant of the other operand's dtype. */
export type Operand = Value | number;

// ---- leaves

/** A tensor that is fed when the graph runs. */
export function input(name: string, dtype: ElementType, shape: Shape): Value {
  return apply("input", [], { name, dtype, shape });
}

/** A weight: fed by the runtime from where the model's weights lie. */
export function parameter(name: string, dtype: ElementType, shape: Shape): Value {
  return apply("parameter", [], { name, dtype, shape });
}

/** A constant tensor (row-major); small ones only, since it is part of the graph's structure. */
export function constant(
  data: readonly number[],
  shape: readonly number[],
  dtype: ElementType = "float32",
): Value {
  return apply("constant", [], { data, shape, dtype });
}

/** A constant scalar. */
export function scalar(value: number, dtype: ElementType = "float32"): Value {
  return constant([value], [], dtype);
}

/**
 * Gives a value a name that survives every rewrite. `axes` says what each dimension is (`"batch"`, `"pos"`, `"head"`,
 * …), so that edits know where heads and positions are.
 */
export function point(name: string, value: Value, axes: readonly string[]): Value {
  return apply("point", [value], { name, axes });
}

/** The same value; no gradient flows through it. */
export function stopGradient(value: Value): Value {
  return apply("stopGradient", [value]);
}

/** Output `index` of an operator that has several. */
export function item(value: Value, index: number): Value {
  return apply("item", [value], { index });
}

/** The size of a dimension when the graph runs, as an int64 scalar. */
export function dimension(dim: Dim): Value {
  return apply("dimension", [], { dim });
}

// ---- elementwise

function binary(op: string, a: Operand, b: Operand): Value {
  if (typeof a === "number" && typeof b === "number") return apply(op, [scalar(a), scalar(b)]);
  const left = typeof a === "number" ? scalar(a, (b as Value).dtype) : a;
  const right = typeof b === "number" ? scalar(b, left.dtype) : b;
  return apply(op, [left, right]);
}

/** `a + b`, elementwise with broadcasting. */
export const add = (a: Operand, b: Operand): Value => binary("add", a, b);
/** `a − b`, elementwise with broadcasting. */
export const sub = (a: Operand, b: Operand): Value => binary("sub", a, b);
/** `a · b`, elementwise with broadcasting. */
export const mul = (a: Operand, b: Operand): Value => binary("mul", a, b);
/** `a / b`, elementwise with broadcasting. */
export const div = (a: Operand, b: Operand): Value => binary("div", a, b);
/** `a` to the power `b`, elementwise; the gradient with respect to `b` needs `a > 0`. */
export const pow = (a: Operand, b: Operand): Value => binary("pow", a, b);
/** The larger of two, elementwise; the gradient of equal ones goes to `a`. */
export const maximum = (a: Operand, b: Operand): Value => binary("maximum", a, b);
/** The smaller of two, elementwise; the gradient of equal ones goes to `a`. */
export const minimum = (a: Operand, b: Operand): Value => binary("minimum", a, b);
/** Whether two are equal, elementwise, as bool. */
export const equal = (a: Operand, b: Operand): Value => binary("equal", a, b);
/** Whether `a > b`, elementwise, as bool. */
export const greater = (a: Operand, b: Operand): Value => binary("greater", a, b);
/** Whether `a ≥ b`, elementwise, as bool. */
export const greaterOrEqual = (a: Operand, b: Operand): Value => binary("greaterOrEqual", a, b);
/** Whether `a < b`, elementwise, as bool. */
export const less = (a: Operand, b: Operand): Value => binary("less", a, b);
/** Whether `a ≤ b`, elementwise, as bool. */
export const lessOrEqual = (a: Operand, b: Operand): Value => binary("lessOrEqual", a, b);
/** Whether both are true, elementwise. */
export const and = (a: Value, b: Value): Value => apply("and", [a, b]);
/** Whether one of two is true, elementwise. */
export const or = (a: Value, b: Value): Value => apply("or", [a, b]);
/** Whether it is false, elementwise. */
export const not = (a: Value): Value => apply("not", [a]);

/** `−x` */
export const neg = (x: Value): Value => apply("neg", [x]);
/** `eˣ` */
export const exp = (x: Value): Value => apply("exp", [x]);
/** The natural logarithm. */
export const log = (x: Value): Value => apply("log", [x]);
/** The square root. */
export const sqrt = (x: Value): Value => apply("sqrt", [x]);
/** The hyperbolic tangent. */
export const tanh = (x: Value): Value => apply("tanh", [x]);
/** `1 / (1 + e⁻ˣ)` */
export const sigmoid = (x: Value): Value => apply("sigmoid", [x]);
/** The error function. */
export const erf = (x: Value): Value => apply("erf", [x]);
/** `max(x, 0)` */
export const relu = (x: Value): Value => apply("relu", [x]);
/** The magnitude. */
export const abs = (x: Value): Value => apply("abs", [x]);
/** −1, 0 or 1; no gradient flows. */
export const sign = (x: Value): Value => apply("sign", [x]);
/** The sine of an angle in radians. */
export const sin = (x: Value): Value => apply("sin", [x]);
/** The cosine of an angle in radians. */
export const cos = (x: Value): Value => apply("cos", [x]);
/** `x²` */
export const square = (x: Value): Value => mul(x, x);
/** `x σ(x)`, also called swish (Elfwing et al. 2018). */
export const silu = (x: Value): Value => mul(x, sigmoid(x));

/** GELU: the exact form by the error function, or the `tanh` approximation. */
export const gelu = (x: Value, approximate: "none" | "tanh" = "none"): Value =>
  apply("gelu", [x], { approximate });

/**
 * An activation function or another function of one number, by its name in `operators/activations.ts`: `"elu"`,
 * `"hardSwish"`, `"atan"`, …, with its attributes, all of which must be given.
 */
export const activation = (
  name: string,
  x: Value,
  attributes: Readonly<Record<string, number>> = {},
): Value => apply(name, [x], attributes);

/** `condition ? a : b`, elementwise with broadcasting. */
export function where(condition: Value, a: Operand, b: Operand): Value {
  const dtype = typeof a !== "number" ? a.dtype : typeof b !== "number" ? b.dtype : "float32";
  const value = (x: Operand): Value => (typeof x === "number" ? scalar(x, dtype) : x);
  return apply("where", [condition, value(a), value(b)]);
}

/** The same numbers in another dtype; the value itself where it has that dtype already. */
export const cast = (x: Value, dtype: ElementType): Value =>
  x.dtype === dtype ? x : apply("cast", [x], { dtype });

// ---- reductions

function reduction(op: string, x: Value, axes: readonly number[] | undefined, keepDims: boolean): Value {
  const all = axes ?? x.shape.map((_, i) => i);
  const normalized = all.map((axis) => normalizeAxis(axis, x.rank, op)).sort((a, b) => a - b);
  return normalized.length === 0 ? x : apply(op, [x], { axes: normalized, keepDims });
}

/** The sum over axes, all of them by default. */
export const sum = (x: Value, axes?: readonly number[], keepDims = false): Value =>
  reduction("sum", x, axes, keepDims);
/** The mean over axes, all of them by default. */
export const mean = (x: Value, axes?: readonly number[], keepDims = false): Value =>
  reduction("mean", x, axes, keepDims);
/** The maximum over axes, all of them by default; the gradient is shared by equal maxima. */
export const max = (x: Value, axes?: readonly number[], keepDims = false): Value =>
  reduction("max", x, axes, keepDims);

/** Softmax over the last axis. */
export const softmax = (x: Value): Value => apply("softmax", [x]);
/** The logarithm of softmax over the last axis. */
export const logSoftmax = (x: Value): Value => apply("logSoftmax", [x]);

/**
 * The cross-entropy `−log softmax(logits)[target]` in nats: logits `[…, n]` and int64 targets `[…]` give `[…]`.
 */
export const crossEntropy = (logits: Value, target: Value): Value => apply("crossEntropy", [logits, target]);

// ---- products and norms

/** How `matmul` reads its operands. */
export interface MatmulOptions {
  /** Read `a` with its last two axes exchanged. */
  readonly transposeA?: boolean;
  /** Read `b` with its last two axes exchanged. */
  readonly transposeB?: boolean;
  /** What the product is multiplied by; 1 by default. */
  readonly scale?: number;
}

/** The matrix product over the last two axes, leading axes broadcast; `b` may be a matrix for any `a`. */
export function matmul(a: Value, b: Value, options: MatmulOptions = {}): Value {
  const { transposeA = false, transposeB = false, scale = 1 } = options;
  return apply("matmul", [a, b], { transposeA, transposeB, scale });
}

/**
 * The matrix `[out, inner]` that stands quantised as `packed` (uint8) and `scales` (float32), of shapes by
 * `quantizedShapes`. Products with it never make it float32 as a whole.
 */
export function dequantize(
  packed: Value,
  scales: Value,
  { bits, blockSize, out, inner }: QuantizedLayout,
): Value {
  return apply("dequantize", [packed, scales], { bits, blockSize, out, inner });
}

/** How a matrix `[out, inner]` is quantised. */
export interface QuantizedLayout {
  /** 4 or 8. */
  readonly bits: number;
  /** How many neighbours in a row share a scale. */
  readonly blockSize: number;
  readonly out: number;
  readonly inner: number;
}

/** The shapes of the two tensors that stand for a quantised matrix. */
export function quantizedShapes({ bits, blockSize, out, inner }: QuantizedLayout): {
  packed: number[];
  scales: number[];
} {
  const blocks = Math.ceil(inner / blockSize);
  return { packed: [out, blocks, (blockSize * bits) / 8], scales: [out, blocks] };
}

/** Layer normalisation over the last axis: `(x − mean) / √(var + epsilon) · weight + bias`. */
export function layerNorm(x: Value, weight: Value, bias: Value, epsilon: number): Value {
  return apply("layerNorm", [x, weight, bias], { epsilon });
}

/** Root-mean-square normalisation over the last axis: `x / √(mean(x²) + epsilon) · weight`. */
export function rmsNorm(x: Value, weight: Value, epsilon: number): Value {
  return apply("rmsNorm", [x, weight], { epsilon });
}

/**
 * The linear recurrence `h_t = decay_t · h_{t−1} + write_t` along an axis, from `h_{−1} = 0`: all of its states. With
 * `reverse` time runs from the end to the start.
 */
export function linearScan(
  decay: Value,
  write: Value,
  axis: number,
  { reverse = false }: { reverse?: boolean } = {},
): Value {
  return apply("linearScan", [decay, write], {
    axis: normalizeAxis(axis, write.rank, "linearScan"),
    reverse,
  });
}

// ---- shape

/** The same elements, row by row, in another shape; named dimensions are kept or merged. */
export function reshape(x: Value, shape: Shape): Value {
  return x.rank === shape.length && x.shape.every((dim, i) => dim === shape[i])
    ? x
    : apply("reshape", [x], { shape });
}

/** The axes in another order. */
export function transpose(x: Value, permutation: readonly number[]): Value {
  return permutation.every((axis, i) => axis === i) ? x : apply("transpose", [x], { permutation });
}

/** New axes of size 1, at these places of the result. */
export const unsqueeze = (x: Value, axes: readonly number[]): Value => apply("unsqueeze", [x], { axes });
/** Without these axes, which must be of size 1. */
export const squeeze = (x: Value, axes: readonly number[]): Value =>
  apply("squeeze", [x], { axes: axes.map((axis) => normalizeAxis(axis, x.rank, "squeeze")) });

/** The value repeated along axes of size 1 to fill a shape. */
export function expand(x: Value, shape: Shape): Value {
  return x.rank === shape.length && x.shape.every((dim, i) => dim === shape[i])
    ? x
    : apply("expand", [x], { shape });
}

/** Values joined along an axis. */
export function concat(values: readonly Value[], axis: number): Value {
  return values.length === 1
    ? values[0]!
    : apply("concat", values, { axis: normalizeAxis(axis, values[0]!.rank, "concat") });
}

/** Elements `start..end` (end exclusive; both may be negative) along an axis. */
export function slice(x: Value, axis: number, start: number, end?: number): Value {
  return apply("slice", [x], { axis: normalizeAxis(axis, x.rank, "slice"), start, end });
}

/** Equal or given parts along an axis. */
export function split(x: Value, axis: number, sizes: readonly number[]): Value[] {
  const whole = apply("split", [x], { axis: normalizeAxis(axis, x.rank, "split"), sizes });
  return sizes.map((_, index) => item(whole, index));
}

/**
 * The inverse of `slice`: zeros of length `size` along an axis, in which `x` stands at `start..end`. A start or end
 * below zero counts from the end of the whole.
 */
export const place = (x: Value, axis: number, start: number, end: number | undefined, size: Dim): Value =>
  apply("place", [x], { axis: normalizeAxis(axis, x.rank, "place"), start, end, size });

// ---- indexing

/** Rows of `x` (along its first axis) at integer indices of any shape: an embedding look-up. */
export const gather = (x: Value, indices: Value): Value => apply("gather", [x, indices]);

/** Along the last axis, the element at each index; `indices` has the rank of `x`. */
export const gatherElements = (x: Value, indices: Value): Value => apply("gatherElements", [x, indices]);

/** Elements of `x` at full index tuples: `indices` is `[…, k]` and picks along the first `k` axes. */
export const gatherNd = (x: Value, indices: Value): Value => apply("gatherNd", [x, indices]);

/** Zeros of a shape, to which `updates` are added at the index tuples `indices` `[…, k]`. */
export const scatterAdd = (shape: Shape, indices: Value, updates: Value): Value =>
  apply("scatterAdd", [indices, updates], { shape });

/** `x` with `updates` added along the last axis at `indices`, all of the same rank. */
export const scatterElements = (x: Value, indices: Value, updates: Value): Value =>
  apply("scatterElements", [x, indices, updates]);

/** The integers `start..end` (end exclusive) as int64; `length` names the result's dimension. */
export const range = (start: Value, end: Value, length: Dim): Value =>
  apply("range", [start, end], { length });

/** A tensor filled with one number. */
export const fill = (value: number, shape: Shape, dtype: ElementType = "float32"): Value =>
  apply("fill", [], { value, shape, dtype });

// ---- sizes that other tensors have when the graph runs

/** A value of which is known that its shape, when the graph runs, is this one, or repeats to it by broadcasting. */
export const assume = (x: Value, shape: Shape): Value =>
  x.shape.every((dim, i) => dim === shape[i]) ? x : apply("assume", [x], { shape });

/** The running shape as a one-dimensional int64 tensor. */
export const shapeOf = (x: Value): Value => apply("shapeOf", [x]);

/** The sum of `x` over the axes along which `like`, when the graph runs, would have to be repeated to be as large. */
export const sumTo = (x: Value, like: Value): Value => apply("sumTo", [x, like]);

/** The elements of `x` in the running shape of another value. */
export const reshapeLike = (x: Value, like: Value): Value => apply("reshapeLike", [x, like]);

/** `x` in a shape that is computed; `shape` says what is known of it. ONNX's `Reshape`: −1 is inferred, 0 kept. */
export const reshapeBy = (x: Value, target: Value, shape: Shape, allowZero = false): Value =>
  apply("reshapeBy", [x, target], { shape, allowZero });

/** `x` repeated to a shape that is computed; `shape` says what is known of the result's. */
export const expandBy = (x: Value, target: Value, shape: Shape): Value =>
  apply("expandBy", [x, target], { shape });

/** For each element of `x` its place among all of them, row by row. */
export const indicesOf = (x: Value, dtype: "int64" | "int32" | "float64" = "int64"): Value =>
  apply("indicesOf", [x], { dtype });

/** Zeros of the running shape of `like`, to which `updates` are added at places counted over all elements. */
export const scatterLike = (updates: Value, indices: Value, like: Value): Value =>
  apply("scatterLike", [updates, indices, like]);

/**
 * Elements of the first operand, chosen by an operator of ONNX that moves them without changing them. Its attributes
 * have names that begin with `$`; `slots` says which of its inputs the operands are; `indexType` is an element type,
 * wide enough for indices, that it takes.
 */
export const pickBy = (
  type: string,
  operands: readonly Value[],
  attributes: Readonly<Record<string, number | string | readonly number[] | undefined>>,
  shape: Shape,
): Value => apply("pickBy", operands, { type, ...attributes, shape });

/**
 * `x` with `updates` put into it by `type`, which is `ScatterElements` or `ScatterND` of ONNX: in place of what is there,
 * or with `reduction: "add"` on top of it.
 */
export const putBy = (
  type: "ScatterElements" | "ScatterND",
  [x, indices, updates]: readonly [Value, Value, Value],
  attributes: { readonly axis?: number; readonly reduction?: "add" } = {},
): Value => {
  const { axis, reduction } = attributes;
  return apply("putBy", [x, indices, updates], { type, $axis: axis, $reduction: reduction });
};

/** Where the `k` largest (or smallest) elements along an axis are, as ONNX's `TopK` says; `shape` is the result's. */
export const topIndices = (
  x: Value,
  k: Value,
  { axis, largest, sorted }: { axis: number; largest: boolean; sorted: boolean },
  shape: Shape,
): Value => apply("topIndices", [x, k], { axis, largest, sorted, shape });

/** A product of sums over named axes by Einstein's convention, such as `"bij,bjk->bik"`; `shape` is the result's. */
export const einsum = (equation: string, operands: readonly Value[], shape: Shape): Value =>
  apply("einsum", operands, { equation, shape });

/** The part of a value joined along an axis that the last of these operands is. */
export const partOf = (whole: Value, operands: readonly Value[], axis: number): Value =>
  apply("partOf", [whole, ...operands], { axis });

/** The upper or lower triangle of the last two axes from the diagonal `k` on, with zeros elsewhere. */
export const triangle = (x: Value, upper: boolean, k?: Value): Value =>
  apply("triangle", k ? [x, k] : [x], { upper });

/** The sums of all elements up to each, along an axis that is an integer tensor. */
export const cumulativeSum = (
  x: Value,
  axis: Value,
  { exclusive = false, reverse = false }: { exclusive?: boolean; reverse?: boolean } = {},
): Value => apply("cumulativeSum", [x, axis], { exclusive, reverse });

/** `x` with a value (0 by default) around it; negative paddings cut off. As ONNX's `Pad`. */
export const padBy = (
  x: Value,
  pads: Value,
  { value, axes }: { value?: Value; axes?: Value },
  shape: Shape,
): Value =>
  apply("padBy", [x, pads, ...(value ? [value] : []), ...(axes ? [axes] : [])], {
    shape,
    hasValue: value !== undefined,
  });

// ---- convolutions

/** How windows lie on the spatial axes; `shape` is the result's. */
export type Geometry = Attributes;

/**
 * A convolution of `x [N, C, …]` with `weight [O, C/group, …]` and an optional bias `[O]`. Attributes: `strides`,
 * `dilations`, `pads` (before all axes, then behind them), `group`, and `shape`, the result's.
 */
export const convolution = (x: Value, weight: Value, bias: Value | undefined, geometry: Geometry): Value =>
  apply("convolution", bias ? [x, weight, bias] : [x, weight], geometry);

/** The gradient of a convolution with respect to its input `like`. */
export const convolutionInputGradient = (
  gradient: Value,
  weight: Value,
  like: Value,
  geometry: Geometry,
): Value => apply("convolutionInputGradient", [gradient, weight, like], geometry);

/** The gradient of a convolution with respect to its weight. */
export const convolutionWeightGradient = (
  x: Value,
  gradient: Value,
  weight: Value,
  geometry: Geometry,
): Value => apply("convolutionWeightGradient", [x, gradient, weight], geometry);

/** A transposed convolution with `weight [C, O/group, …]`: as `convolution`, with `outputPadding` too. */
export const transposedConvolution = (
  x: Value,
  weight: Value,
  bias: Value | undefined,
  geometry: Geometry,
): Value => apply("transposedConvolution", bias ? [x, weight, bias] : [x, weight], geometry);

/** The maximum in each window: `kernel`, `strides`, `dilations`, `pads`, `ceil`, and `shape`, the result's. */
export const maxPool = (x: Value, geometry: Geometry): Value => apply("maxPool", [x], geometry);

/** The mean in each window, as `maxPool`; `countPadding` says whether what is padded counts. */
export const averagePool = (x: Value, geometry: Geometry): Value => apply("averagePool", [x], geometry);

/** Batch normalisation of a finished model: `(x − mean) / √(variance + epsilon) · weight + bias` for each channel. */
export const batchNorm = (
  x: Value,
  { weight, bias, mean, variance }: { weight: Value; bias: Value; mean: Value; variance: Value },
  epsilon: number,
): Value => apply("batchNorm", [x, weight, bias, mean, variance], { epsilon });

/** Sums a gradient over the axes along which `like` was broadcast. */
export function unbroadcast(gradient: Value, like: Value): Value {
  const extra = gradient.rank - like.rank;
  const leading = Array.from({ length: extra }, (_, i) => i);
  const stretched = like.shape.flatMap((dim, i) =>
    dim === 1 && gradient.shape[i + extra] !== 1 ? [i + extra] : [],
  );
  const axes = [...leading, ...stretched];
  if (axes.length === 0) return gradient;
  if (stretched.length === 0) return sum(gradient, leading);
  const summed = sum(gradient, axes, true);
  return extra === 0 ? summed : squeeze(summed, leading);
}

/** Whether something is a value of a graph. */
export const isValue = (x: unknown): x is Value => x instanceof Value;
