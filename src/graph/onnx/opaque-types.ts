/** The types of the outputs of common operators that are kept as they are; those of all others are asked for. */

import { dtypes } from "../../array/dtype.js";
import type { Dim, Type } from "../value.js";
import { axisOf, joinShapes, type NodeView } from "./node.js";
import { elementType } from "./types.js";

type Types = (at: NodeView) => (Type | undefined)[] | undefined;

const sameAsFirst: Types = (at) => [{ dtype: at.input(0).dtype, shape: at.input(0).shape }];
const testOfFirst: Types = (at) => [{ dtype: "bool", shape: at.input(0).shape }];
const joined =
  (dtype?: "bool"): Types =>
  (at) => [
    { dtype: dtype ?? at.input(0).dtype, shape: joinShapes(...at.inputs().map(({ shape }) => shape)) },
  ];

const winner: Types = (at) => {
  const x = at.input(0);
  const axis = axisOf(at.int("axis", 0), x.rank);
  const keep = at.flag("keepdims", true);
  const shape = x.shape.flatMap((dim, i): Dim[] => (i === axis ? (keep ? [1] : []) : [dim]));
  return [{ dtype: "int64", shape }];
};

/** LSTM, GRU and RNN: the states of all steps, and the last. */
const recurrent: Types = (at) => {
  const [x, weight] = [at.input(0), at.input(1)];
  const directions = weight.shape[0]!;
  const hidden = at.int("hidden_size", 0);
  if (x.rank !== 3 || hidden < 1) return undefined;
  const batchFirst = at.flag("layout");
  const [first, second] = x.shape as [Dim, Dim, Dim];
  const batch = batchFirst ? first : second;
  const { dtype } = x;
  const last = batchFirst ? [batch, directions, hidden] : [directions, batch, hidden];
  const all = batchFirst ? [first, second, directions, hidden] : [first, directions, second, hidden];
  return [
    { dtype, shape: all },
    { dtype, shape: last },
    { dtype, shape: last },
  ];
};

/** A reduction over axes that are computed. */
const reduction: Types = (at) => {
  const { dtype, rank } = at.input(0);
  const [count] = at.has(1) ? at.input(1).shape : [];
  if (at.flag("keepdims", true)) return [{ dtype, shape: at.freshShape(rank) }];
  return typeof count === "number" && count > 0 && count <= rank
    ? [{ dtype, shape: at.freshShape(rank - count) }]
    : undefined;
};

const table: Readonly<Record<string, Types>> = {
  Size: () => [{ dtype: "int64", shape: [] }],
  Range: (at) => [{ dtype: at.input(0).dtype, shape: [rangeSize(at)] }],
  ConstantOfShape: (at) => {
    const [count] = at.input(0).shape;
    if (typeof count !== "number" || count > 32) return undefined;
    const known = at.known(0);
    const shape = Array.from({ length: count }, (_, i) => known?.[i] ?? at.fresh(i));
    return [{ dtype: elementType(at.tensor("value")?.dataType ?? 1) ?? dtypes[0]!, shape }];
  },
  NonZero: (at) => [{ dtype: "int64", shape: [at.input(0).rank, at.fresh(1)] }],
  ArgMax: winner,
  ArgMin: winner,
  IsNaN: testOfFirst,
  IsInf: testOfFirst,
  Xor: joined("bool"),
  Mod: joined(),
  BitShift: joined(),
  BitwiseAnd: joined(),
  BitwiseOr: joined(),
  BitwiseXor: joined(),
  ScatterElements: sameAsFirst,
  ScatterND: sameAsFirst,
  Hardmax: sameAsFirst,
  LRN: sameAsFirst,
  LpNormalization: sameAsFirst,
  MeanVarianceNormalization: sameAsFirst,
  LSTM: recurrent,
  GRU: recurrent,
  RNN: recurrent,
};

function rangeSize(at: NodeView): Dim {
  const [[start], [limit], [delta]] = [at.known(0) ?? [], at.known(1) ?? [], at.known(2) ?? []];
  if (start === 0 && delta === 1 && limit !== undefined && (typeof limit === "string" || limit >= 0))
    return limit;
  return at.fresh(0);
}

/** The types of the outputs of a node that is kept as it is, where they can be told. */
export function opaqueTypes(at: NodeView): (Type | undefined)[] | undefined {
  const { type, domain } = at.node;
  if (domain !== "") return undefined;
  if (type.startsWith("Reduce")) return reduction(at);
  return Object.hasOwn(table, type) ? table[type]!(at) : undefined;
}
