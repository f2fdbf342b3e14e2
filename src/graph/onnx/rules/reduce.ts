/** Rules for reductions and for operators along one axis. */

import * as g from "../../build.js";
import type { Value } from "../../value.js";
import { axisOf, type NodeView } from "../node.js";
import type { Rule, Rules } from "./rule.js";

type Reduction = (x: Value, axes: readonly number[] | undefined, keepDims: boolean) => Value;

function reduction(reduce: Reduction): Rule {
  return (at) => {
    const x = at.input(0);
    const given = at.has(1) ? at.numbers(1) : (at.ints("axes") ?? []);
    if (!given) return undefined; // axes that are computed
    if (given.length === 0 && at.flag("noop_with_empty_axes")) return x;
    const axes = given.length === 0 ? undefined : given.map((axis) => axisOf(axis, x.rank));
    return reduce(x, axes, at.flag("keepdims", true));
  };
}

const minimum = reduction((x, axes, keep) => g.neg(g.max(g.neg(x), axes, keep)));

const logSumExp: Reduction = (x, axes, keep) => {
  const top = g.stopGradient(g.max(x, axes, true));
  const sum = g.log(g.sum(g.exp(g.sub(x, top)), axes, true));
  const result = g.add(sum, top);
  const all = axes ?? x.shape.map((_, i) => i);
  return keep ? result : g.squeeze(result, all);
};

/** An operator along the last axis of the table, along any. */
function along(word: (x: Value) => Value): Rule {
  return (at: NodeView) => {
    const x = at.input(0);
    const axis = axisOf(at.int("axis", -1), x.rank);
    if (x.rank === 0) return undefined;
    if (axis === x.rank - 1) return word(x);
    const swapped = x.shape.map((_, i) => (i === axis ? x.rank - 1 : i === x.rank - 1 ? axis : i));
    return g.transpose(word(g.transpose(x, swapped)), swapped);
  };
}

export const reduceRules: Rules = {
  ReduceSum: reduction(g.sum),
  ReduceMean: reduction(g.mean),
  ReduceMax: reduction(g.max),
  ReduceMin: (at) => (/float|^int/.test(at.input(0).dtype) ? minimum(at) : undefined),
  ReduceL1: reduction((x, axes, keep) => g.sum(g.abs(x), axes, keep)),
  ReduceL2: reduction((x, axes, keep) => g.sqrt(g.sum(g.square(x), axes, keep))),
  ReduceSumSquare: reduction((x, axes, keep) => g.sum(g.square(x), axes, keep)),
  ReduceLogSum: reduction((x, axes, keep) => g.log(g.sum(x, axes, keep))),
  ReduceLogSumExp: reduction(logSumExp),
  Softmax: along(g.softmax),
  LogSoftmax: along(g.logSoftmax),
  CumSum: (at) =>
    g.cumulativeSum(at.input(0), at.input(1), {
      exclusive: at.flag("exclusive"),
      reverse: at.flag("reverse"),
    }),
  GlobalAveragePool: (at) => {
    const x = at.input(0);
    return g.mean(x, x.shape.map((_, i) => i).slice(2), true);
  },
  GlobalMaxPool: (at) => {
    const x = at.input(0);
    return g.max(x, x.shape.map((_, i) => i).slice(2), true);
  },
};
