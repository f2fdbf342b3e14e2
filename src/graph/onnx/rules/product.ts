/** Rules for matrix products and norms. */

import type { MatmulOptions } from "../../build.js";
import * as g from "../../build.js";
import type { Dim, Value } from "../../value.js";
import { axisOf, fitted, fittedTo, joinShapes, type NodeView } from "../node.js";
import type { Rules } from "./rule.js";

/** A product by ONNX's rule: vectors become matrices, leading axes broadcast, inner sizes are assumed to be equal. */
function product(left: Value, right: Value, options: MatmulOptions = {}): Value {
  let a = left.rank === 1 ? g.unsqueeze(left, [0]) : left;
  let b = right.rank === 1 ? g.unsqueeze(right, [1]) : right;
  if (left.rank === 0 || right.rank === 0) throw new Error("it multiplies a scalar as a matrix.");
  const innerA = options.transposeA ? a.rank - 2 : a.rank - 1;
  const innerB = options.transposeB ? b.rank - 1 : b.rank - 2;
  const [inner] = joinShapes([a.shape[innerA]!], [b.shape[innerB]!]) as [Dim];
  a = withDim(a, innerA, inner);
  b = withDim(b, innerB, inner);
  const leading = joinShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const aligned = (x: Value): Value => fittedTo(x, [...leading, ...x.shape.slice(-2)]);
  const result = g.matmul(aligned(a), aligned(b), options);
  const vectors = [...(left.rank === 1 ? [-2] : []), ...(right.rank === 1 ? [-1] : [])];
  return vectors.length === 0 ? result : g.squeeze(result, vectors);
}

const withDim = (x: Value, axis: number, dim: Dim): Value =>
  g.assume(
    x,
    x.shape.map((old, i) => (i === axis ? dim : old)),
  );

function layerNorm(at: NodeView): readonly (Value | undefined)[] | undefined {
  const [x, weight] = [at.input(0), at.input(1)];
  const axis = axisOf(at.int("axis", -1), x.rank);
  if (axis !== x.rank - 1 || weight.rank !== 1) {
    if (at.gives(1) || at.gives(2)) return undefined;
    const normal = normalize(x, axis, at.float("epsilon", 1e-5));
    const [a, b] = fitted(normal, weight) as [Value, Value];
    return [at.has(2) ? broadcastAdd(g.mul(a, b), at.input(2)) : g.mul(a, b)];
  }
  const bias = at.optional(2) ?? g.fill(0, weight.shape, weight.dtype);
  const result = g.layerNorm(x, weight, bias, at.float("epsilon", 1e-5));
  return [result, at.gives(1) ? g.item(result, 1) : undefined, at.gives(2) ? g.item(result, 2) : undefined];
}

function rmsNorm(at: NodeView): readonly (Value | undefined)[] | undefined {
  const [x, weight] = [at.input(0), at.input(1)];
  const axis = axisOf(at.int("axis", -1), x.rank);
  if (axis !== x.rank - 1 || weight.rank !== 1) {
    if (at.gives(1)) return undefined;
    const squares = g.mean(g.square(x), from(axis, x), true);
    const [a, b] = fitted(g.div(x, g.sqrt(g.add(squares, at.float("epsilon", 1e-5)))), weight) as [
      Value,
      Value,
    ];
    return [g.mul(a, b)];
  }
  const result = g.rmsNorm(x, weight, at.float("epsilon", 1e-5));
  return [result, at.gives(1) ? g.item(result, 1) : undefined];
}

/** The axes from one on. */
const from = (axis: number, x: Value): number[] => x.shape.map((_, i) => i).slice(axis);

const broadcastAdd = (a: Value, b: Value): Value => {
  const [left, right] = fitted(a, b) as [Value, Value];
  return g.add(left, right);
};

/** Without mean and of variance 1, over the axes from one on. */
function normalize(x: Value, axis: number, epsilon: number): Value {
  const axes = from(axis, x);
  const centred = g.sub(x, g.mean(x, axes, true));
  return g.div(centred, g.sqrt(g.add(g.mean(g.square(centred), axes, true), epsilon)));
}

/** A vector with one number for each channel, of the rank of an image. */
const byChannel = (vector: Value, rank: number): Value =>
  g.reshape(vector, [vector.shape[0]!, ...new Array<number>(rank - 2).fill(1)]);

export const productRules: Rules = {
  MatMul: (at) => product(at.input(0), at.input(1)),
  "com.microsoft.FusedMatMul": (at) =>
    at.flag("transBatchA") || at.flag("transBatchB") || at.input(0).rank < 2 || at.input(1).rank < 2
      ? undefined
      : product(at.input(0), at.input(1), {
          transposeA: at.flag("transA"),
          transposeB: at.flag("transB"),
          scale: at.float("alpha", 1),
        }),
  Gemm: (at) => {
    const result = product(at.input(0), at.input(1), {
      transposeA: at.flag("transA"),
      transposeB: at.flag("transB"),
      scale: at.float("alpha", 1),
    });
    const added = at.optional(2);
    if (!added) return result;
    const beta = at.float("beta", 1);
    return broadcastAdd(result, beta === 1 ? added : g.mul(added, beta));
  },
  LayerNormalization: layerNorm,
  RMSNormalization: rmsNorm,
  // ONNX Runtime has it in ONNX's own domain.
  SimplifiedLayerNormalization: rmsNorm,
  "com.microsoft.SimplifiedLayerNormalization": rmsNorm,
  "com.microsoft.SkipLayerNormalization": (at) => {
    if (at.input(2).rank !== 1 || at.gives(1) || at.gives(2)) return undefined;
    const [a, b] = fitted(at.input(0), at.input(1)) as [Value, Value];
    const bias = at.optional(4);
    const sum = bias ? g.add(g.add(a, b), bias) : g.add(a, b);
    const shift = at.optional(3) ?? g.fill(0, at.input(2).shape, sum.dtype);
    return [g.layerNorm(sum, at.input(2), shift, at.float("epsilon", 1e-12)), undefined, undefined, sum];
  },
  BatchNormalization: (at) => {
    if (at.flag("training_mode") || at.gives(1) || at.input(0).rank < 2) return undefined;
    const [x, weight, bias, mean, variance] = at.inputs() as [Value, Value, Value, Value, Value];
    return g.batchNorm(x, { weight, bias, mean, variance }, at.float("epsilon", 1e-5));
  },
  InstanceNormalization: (at) => {
    const [x, weight, bias] = at.inputs() as [Value, Value, Value];
    if (x.rank < 3) return undefined;
    const [a, b] = fitted(normalize(x, 2, at.float("epsilon", 1e-5)), byChannel(weight, x.rank)) as [
      Value,
      Value,
    ];
    return g.add(g.mul(a, b), byChannel(bias, x.rank));
  },
  GroupNormalization: (at) => {
    const [x, weight, bias] = at.inputs() as [Value, Value, Value];
    const groups = at.int("num_groups", 1);
    if (x.rank < 3 || groups < 1) return undefined;
    const target = g.constant([0, groups, -1], [3], "int64");
    const apart = g.reshapeBy(x, target, [x.shape[0]!, groups, at.fresh(x.rank)]);
    const normal = normalize(apart, 2, at.float("epsilon", 1e-5));
    const perGroup = weight.shape[0] === groups && at.opset < 21;
    if (!perGroup)
      return g.add(g.mul(g.reshapeLike(normal, x), byChannel(weight, x.rank)), byChannel(bias, x.rank));
    return g.reshapeLike(g.add(g.mul(normal, byChannel(weight, 3)), byChannel(bias, 3)), x);
  },
};
