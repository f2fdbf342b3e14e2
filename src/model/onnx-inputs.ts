/** What an ONNX model is run on: arrays by the names of its inputs, checked before anything runs. */

import {
  type AnyTensor,
  contiguous,
  type DType,
  dtypeOfData,
  elementsAs,
  type Tensor,
} from "../array/index.js";
import * as g from "../graph/index.js";
import type { Feed } from "../runtime/ort.js";

/** Arrays by the names of a model's inputs. */
export type OnnxInputs = Readonly<Record<string, AnyTensor>>;

/** An input, or an output, of an ONNX model. */
export interface OnnxTensorInfo {
  readonly name: string;
  readonly dtype: DType;
  /** Sizes; names where they are free, equal names for equal sizes. */
  readonly shape: readonly (number | string)[];
}

const isArray = (value: unknown): boolean => ArrayBuffer.isView((value as Partial<AnyTensor>).data);

const kindOf = (dtype: DType): "float" | "integer" => (dtype.includes("float") ? "float" : "integer");

/**
 * Arrays as they are fed. Integers are fed to inputs of any integer type, and to those of floats where they are exact.
 *
 * @throws if an input is missing, is none of the model's, or is of another shape or type
 */
export function readOnnxInputs(
  inputs: OnnxInputs,
  expected: readonly OnnxTensorInfo[],
): Record<string, Feed> {
  const names = expected.map(({ name }) => name);
  if (typeof inputs !== "object" || inputs === null || Array.isArray(inputs) || isArray(inputs))
    throw new Error(
      `An ONNX model is run on an object of arrays by name, such as { ${JSON.stringify(names[0] ?? "x")}: array }; its inputs are ${names.join(", ")}.`,
    );
  for (const name of Object.keys(inputs))
    if (!names.includes(name))
      throw new Error(
        `The model has no input "${name}". The nearest are ${g.nearest(name, names).join(", ")}.`,
      );
  return Object.fromEntries(expected.map((info) => [info.name, feedOf(inputs[info.name], info)]));
}

function feedOf(array: AnyTensor | undefined, { name, dtype, shape }: OnnxTensorInfo): Feed {
  const wanted = `${dtype}${g.showShape(shape)}`;
  if (array === undefined) throw new Error(`The input "${name}" (${wanted}) is missing.`);
  if (!Array.isArray(array?.shape) || !ArrayBuffer.isView(array.data))
    throw new Error(`The input "${name}" must be an NdArray of ${wanted}, but is ${typeof array}.`);
  const own = dtypeOfData(array.data as never);
  const came = `${own}${g.showShape(array.shape)}`;
  const fits =
    array.shape.length === shape.length &&
    shape.every((dim, i) => typeof dim === "string" || dim === array.shape[i]);
  if (!fits) throw new Error(`The input "${name}" came as ${came}; expected ${wanted}.`);
  const { data } = contiguous(array as Tensor) as AnyTensor;
  if (kindOf(own) === "float" && kindOf(dtype) === "integer")
    throw new Error(
      `The input "${name}" came as ${came}; expected ${wanted}: whole numbers in an integer array.`,
    );
  if (dtype === "bool" && !(data as Uint8Array).every((value) => Number(value) === 0 || Number(value) === 1))
    throw new Error(`The input "${name}" is ${wanted}: its elements must be 0 or 1.`);
  // 16-bit floats are given as 32-bit ones.
  const fed = elementsAs(
    dtype === "float16" && own !== "float32" ? elementsAs(data as never, "float32") : (data as never),
    dtype,
  );
  if (kindOf(own) === "integer" && fed.length > 0 && !sameNumbers(data as never, fed, dtype))
    throw new Error(`The input "${name}" came as ${came}; some of its numbers do not fit ${dtype}.`);
  return { dtype, shape: array.shape, data: fed };
}

function sameNumbers(
  data: ArrayLike<number | bigint>,
  fed: ArrayLike<number | bigint>,
  dtype: DType,
): boolean {
  if (dtype === "float16" || (data as unknown) === fed) return true;
  for (let i = 0; i < data.length; i++) if (Number(data[i]) !== Number(fed[i])) return false;
  return true;
}
