/** A model as ONNX Runtime is asked for the types in it: checked, without its weights, and never run. */

import type { Dim, ElementType } from "../value.js";
import type { OnnxModel } from "./read.js";
import { encodeModel } from "./schema.js";
import { onnxType } from "./types.js";

/** Larger weights are inputs of the model that is described, so that they are not copied. */
const SMALL_BYTES = 4096;

/** Stands in front of a tensor's name in that of its shape. */
export const RANK_OF: string = "shape of ";

/** The checked model written anew, with the tensors in question and their shapes as its outputs. */
export function describable(model: OnnxModel, names: readonly string[]): Uint8Array {
  const asInputs = [...model.initializers.values()].filter(
    ({ source }) => source.kind === "beside" || (source.kind === "inside" && source.byteLength > SMALL_BYTES),
  );
  const given = [...model.initializers.values()].filter((tensor) => !asInputs.includes(tensor));
  const info = (name: string, dtype: ElementType, shape: readonly Dim[]): object => ({
    name,
    type: {
      tensorType: {
        elemType: onnxType(dtype),
        shape: { dim: shape.map((dim) => (typeof dim === "number" ? { dimValue: dim } : { dimParam: dim })) },
      },
    },
  });
  const shapes = names.map((name) => ({ opType: "Shape", input: [name], output: [RANK_OF + name] }));
  return encodeModel({
    irVersion: 10,
    opsetImport: [...model.domains, ["com.microsoft", 1] as const]
      .filter(([domain], i, all) => all.findIndex(([other]) => other === domain) === i)
      .map(([domain, version]) => ({ domain, version })),
    graph: {
      name: "described",
      node: [...model.nodes.map(({ proto }) => proto), ...shapes],
      input: [
        ...model.inputs.map(({ name, dtype, shape }) => info(name, dtype, shape)),
        ...asInputs.map(({ name, dtype, shape }) => info(name, dtype, shape)),
      ],
      initializer: given.map(({ name, dtype, shape, bytes }) => ({
        name,
        dims: shape,
        dataType: onnxType(dtype),
        rawData: bytes,
      })),
      output: names.flatMap((name) => [{ name }, { name: RANK_OF + name }]),
    },
  });
}
