/** Weights of few bits: products with them, and their values. */

import type { Attributes, Emitter, Operator, Shape, Value } from "../value.js";

/** How many blocks a row of `inner` weights has; the last one may be filled up. */
const blocks = ({ inner, blockSize }: Attributes): number =>
  Math.ceil((inner as number) / (blockSize as number));

/** The integers of each block as float32 `[out, blocks, blockSize]`, from bytes in which small ones stand two by two. */
function integers(packed: string, attributes: Attributes, emitter: Emitter): string {
  const { bits, out, blockSize } = attributes as Record<string, number>;
  if (bits === 8) return emitter.node("Cast", [packed], { to: 1 });
  const low = emitter.node("BitwiseAnd", [packed, emitter.numbers([15], "uint8")]);
  const high = emitter.node("BitShift", [packed, emitter.numbers([4], "uint8")], { direction: "RIGHT" });
  const last = emitter.integers([-1]);
  const pairs = emitter.node(
    "Concat",
    [low, high].map((half) => emitter.node("Unsqueeze", [half, last])),
    { axis: -1 },
  );
  const shape = emitter.integers([out!, blocks(attributes), blockSize!]);
  return emitter.node("Cast", [emitter.node("Reshape", [pairs, shape])], { to: 1 });
}

const zeroPoint = ({ bits }: Attributes): number => 2 ** ((bits as number) - 1);

export const quantized: Record<string, Operator> = {
  dequantize: {
    infer: (_, { out, inner }) => ({ dtype: "float32", shape: [out as number, inner as number] }),
    gradient: ({ inputs: [packed] }) => {
      throw new Error(
        `The weights "${String(packed!.attributes.name).replace(/\.packed$/, "")}" are quantised, so there is no gradient with respect to them; load the model without quantization.`,
      );
    },
    emit: ({ inputs: [packed, scales], attributes }, emitter) => {
      const { out, inner, blockSize } = attributes as Record<string, number>;
      const whole = integers(emitter.name(packed!), attributes, emitter);
      const centred = emitter.node("Sub", [whole, emitter.numbers([zeroPoint(attributes)])]);
      const scale = emitter.node("Unsqueeze", [emitter.name(scales!), emitter.integers([-1])]);
      const values = emitter.node("Mul", [centred, scale]);
      const rows = emitter.node("Reshape", [
        values,
        emitter.integers([out!, blocks(attributes) * blockSize!]),
      ]);
      if (inner! % blockSize! === 0) return rows;
      const [from, to, axis] = [[0], [inner!], [1]].map((numbers) => emitter.integers(numbers));
      return emitter.node("Slice", [rows, from!, to!, axis!]);
    },
  },
  // No gradient rule: this word takes the place of `dequantize` and `matmul` when a graph is compiled.
  matmulQuantized: {
    infer: ([x], { out }) => ({
      dtype: "float32",
      shape: [...x!.shape.slice(0, -1), out as number] as Shape,
    }),
    emit: ({ inputs, attributes }: Value, emitter) => {
      const { bits, out, inner, blockSize } = attributes as Record<string, number>;
      return emitter.node(
        "MatMulNBits",
        inputs.map((value) => emitter.name(value)),
        // Level 1: products in float32, not in integers.
        { K: inner, N: out, bits, block_size: blockSize, accuracy_level: 1 },
        { domain: "com.microsoft" },
      );
    },
  },
};
