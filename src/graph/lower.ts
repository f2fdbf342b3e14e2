/**
 * The last rewrite before a graph is compiled: weights of 16 bits and of fewer stay as they are stored, and are made
 * float32 where they are used, so that a run takes no more memory than the largest of them.
 */

import { add, cast, concat, gather, matmul, mul, slice } from "./build.js";
import { type Graph, valuesOf } from "./graph.js";
import { rebuild } from "./rewrites.js";
import { apply, type ElementType, Value } from "./value.js";

/** Matrices with more elements are made float32 part by part. */
const MAX_WIDENED = 1 << 23;

const narrow = new Set<ElementType>(["float16", "bfloat16"]);

/** Whether a graph reads weights of 16 bits or fewer. */
export function readsNarrowWeights(graph: Graph): boolean {
  return valuesOf(graph).some(
    ({ op, dtype }) => op === "dequantize" || (op === "parameter" && narrow.has(dtype)),
  );
}

/**
 * The graph with narrow weights made float32 as late as possible: rows of an embedding after they are looked up, large
 * matrices in parts, every other one anew for each use; and products with quantised matrices by the operator for them.
 */
export function widenLate(graph: Graph): Graph {
  return { outputs: rebuild(graph.outputs, (_, value) => widened(value)) };
}

function widened(value: Value): Value {
  const [first, second] = value.inputs as [Value, Value];
  if (value.op === "gather" && isWidened(first)) return cast(gather(stored(first), second), "float32");
  if (value.op === "matmul") {
    const scale = value.attributes.scale as number;
    const quantized =
      !value.attributes.transposeA && quantizedMatrix(second, value.attributes.transposeB as boolean);
    if (quantized) {
      const product = apply("matmulQuantized", [first, ...quantized.inputs], quantized.attributes);
      return scale === 1 ? product : mul(product, scale);
    }
    if (isWidened(second) && !value.attributes.transposeA) return productInParts(value, stored(second));
  }
  return value.inputs.some(isWidened) ? withOwnCasts(value) : value;
}

/** A matrix that is stored in 16 bits and was made float32. */
const isWidened = ({ op, dtype, inputs: [from], rank }: Value): boolean =>
  op === "cast" && dtype === "float32" && from!.op === "parameter" && narrow.has(from!.dtype) && rank >= 2;

const stored = (widened: Value): Value => widened.inputs[0]!;

/** The value made from casts of its own: one that several values share would stay in memory from the first to the last. */
function withOwnCasts(value: Value): Value {
  const operands = value.inputs.map((operand) =>
    isWidened(operand) ? cast(stored(operand), "float32") : operand,
  );
  return new Value(value.op, operands, value.attributes, value);
}

/** A product with a matrix, some of its rows at a time where it is large: parts of the result, or of the sum. */
function productInParts(value: Value, matrix: Value): Value {
  const [x] = value.inputs as [Value];
  const { transposeB, scale } = value.attributes as { transposeB: boolean; scale: number };
  const [rows, columns] = matrix.shape as [number, number];
  const each = Math.max(1, Math.floor(MAX_WIDENED / columns));
  if (matrix.rank !== 2 || rows <= each) return withOwnCasts(value);
  const parts = Array.from({ length: Math.ceil(rows / each) }, (_, i) => {
    const [from, to] = [i * each, Math.min(rows, (i + 1) * each)];
    const part = cast(slice(matrix, 0, from, to), "float32");
    return matmul(transposeB ? x : slice(x, -1, from, to), part, { transposeB, scale });
  });
  return transposeB ? concat(parts, -1) : parts.reduce((sum, part) => add(sum, part));
}

/** The quantised matrix that an operand `[in, out]` is made from. */
function quantizedMatrix(operand: Value, transposed: boolean): Value | undefined {
  if (transposed) return operand.op === "dequantize" ? operand : undefined;
  const [from] = operand.inputs;
  return operand.op === "transpose" && from!.op === "dequantize" ? from : undefined;
}
