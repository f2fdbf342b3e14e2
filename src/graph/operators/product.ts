/** Matrix products and the fused norms. */

import { item, matmul, mean, mul, reshape, sub, unbroadcast } from "../build.js";
import { broadcastShapes, productDim, sameType } from "../shapes.js";
import { type Attributes, type Operator, type Shape, showShape, type Value } from "../value.js";

const swapLast = (shape: Shape): Shape => [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!];

function productShape(a: Value, b: Value, { transposeA, transposeB }: Attributes): Shape {
  if (a.rank < 2 || b.rank < 2)
    throw new Error(`matmul: both operands need two axes or more, but came as ${a} and ${b}.`);
  const left = transposeA ? swapLast(a.shape) : a.shape;
  const right = transposeB ? swapLast(b.shape) : b.shape;
  if (left.at(-1) !== right.at(-2))
    throw new Error(`matmul: the inner sizes of ${showShape(left)} and ${showShape(right)} differ.`);
  const leading = broadcastShapes(left.slice(0, -2), right.slice(0, -2), "matmul");
  return [...leading, left.at(-2)!, right.at(-1)!];
}

/** All leading axes merged into the rows of a matrix. */
const rows = (x: Value): Value => reshape(x, [productDim(x.shape.slice(0, -1)), x.shape.at(-1)!]);

/** Gradients of `a · b` where `b` is a matrix for every row of `a`: two flat products. */
function sharedMatrixGradient(
  { inputs, attributes }: Value,
  g: Value,
  needs: readonly boolean[],
): (Value | undefined)[] {
  const [a, b] = inputs as [Value, Value];
  const { transposeB } = attributes;
  const scale = attributes.scale as number;
  return [
    needs[0] ? matmul(g, b, { transposeB: !transposeB, scale }) : undefined,
    needs[1]
      ? transposeB
        ? matmul(rows(g), rows(a), { transposeA: true, scale })
        : matmul(rows(a), rows(g), { transposeA: true, scale })
      : undefined,
  ];
}

/** Gradients of a batched product `op(a) · op(b)`. */
function batchedGradient(
  { inputs, attributes }: Value,
  g: Value,
  needs: readonly boolean[],
): (Value | undefined)[] {
  const [a, b] = inputs as [Value, Value];
  const transposeA = attributes.transposeA as boolean;
  const transposeB = attributes.transposeB as boolean;
  const scale = attributes.scale as number;
  const left = (): Value =>
    transposeA
      ? matmul(b, g, { transposeA: transposeB, transposeB: true, scale })
      : matmul(g, b, { transposeB: !transposeB, scale });
  const right = (): Value =>
    transposeB
      ? matmul(g, a, { transposeA: true, transposeB: transposeA, scale })
      : matmul(a, g, { transposeA: !transposeA, scale });
  return [needs[0] ? unbroadcast(left(), a) : undefined, needs[1] ? unbroadcast(right(), b) : undefined];
}

/**
 * The gradient of `normalized · weight (+ bias)` with `normalized = centred(x) · inverse`, for norms over the last
 * axis: with h = gradient · weight, dx = inverse · (h − [mean(h)] − normalized · mean(h · normalized)).
 */
function normGradient(
  x: Value,
  weight: Value,
  centre: Value | undefined,
  inverse: Value,
  gradient: Value,
  needs: readonly boolean[],
): (Value | undefined)[] {
  const normalized = mul(centre ? sub(x, centre) : x, inverse);
  const h = mul(gradient, weight);
  const along = mul(normalized, mean(mul(h, normalized), [-1], true));
  const across = centre ? sub(h, mean(h, [-1], true)) : h;
  return [
    needs[0] ? mul(inverse, sub(across, along)) : undefined,
    needs[1] ? unbroadcast(mul(gradient, normalized), weight) : undefined,
    needs[2] ? unbroadcast(gradient, weight) : undefined,
  ];
}

export const product: Record<string, Operator> = {
  matmul: {
    infer: ([a, b], attributes) => ({
      dtype: sameType("matmul", [a!, b!]),
      shape: productShape(a!, b!, attributes),
    }),
    gradient: (node, gradient, needs) =>
      node.inputs[1]!.rank === 2 && node.inputs[0]!.rank > 2 && !node.attributes.transposeA
        ? sharedMatrixGradient(node, gradient, needs)
        : batchedGradient(node, gradient, needs),
    emit: ({ inputs, attributes: { transposeA, transposeB, scale }, dtype }, emitter) => {
      const names = inputs.map((value) => emitter.name(value));
      if (!transposeA && !transposeB) {
        // Twice as fast on batches as the fused operator, which also scales.
        const product = emitter.node("MatMul", names);
        return scale === 1
          ? product
          : emitter.node("Mul", [product, emitter.numbers([scale as number], dtype)]);
      }
      const alpha = { float: scale as number };
      const flags = { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0, alpha };
      if (inputs.every((value) => value.rank === 2)) return emitter.node("Gemm", names, flags);
      if (dtype !== "float32")
        throw new Error(`matmul: a transposed or scaled product in ${dtype} is not supported; cast first.`);
      return emitter.node("FusedMatMul", names, flags, { domain: "com.microsoft" });
    },
  },
  layerNorm: {
    infer: ([x, weight, bias]) => ({ dtype: sameType("layerNorm", [x!, weight!, bias!]), shape: x!.shape }),
    gradient: (node, gradient, needs) =>
      normGradient(node.inputs[0]!, node.inputs[1]!, item(node, 1), item(node, 2), gradient, needs),
    emit: ({ inputs, attributes }, emitter) =>
      emitter.node(
        "LayerNormalization",
        inputs.map((value) => emitter.name(value)),
        { axis: -1, epsilon: { float: attributes.epsilon as number } },
        { outputs: 3 },
      ),
  },
  rmsNorm: {
    infer: ([x, weight]) => ({ dtype: sameType("rmsNorm", [x!, weight!]), shape: x!.shape }),
    gradient: (node, gradient, needs) =>
      normGradient(node.inputs[0]!, node.inputs[1]!, undefined, item(node, 1), gradient, needs),
    // ONNX Runtime's own name for RMS normalisation; the standard one came with opset 23, which its optimiser knows less.
    emit: ({ inputs, attributes }, emitter) =>
      emitter.node(
        "SimplifiedLayerNormalization",
        inputs.map((value) => emitter.name(value)),
        { axis: -1, epsilon: { float: attributes.epsilon as number }, stash_type: 1 },
        { outputs: 2 },
      ),
  },
};
