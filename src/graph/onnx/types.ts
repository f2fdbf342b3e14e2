/** ONNX's numbers for element types (`TensorProto.DataType`). */

import type { ElementType } from "../value.js";

const numbers: Readonly<Record<ElementType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
};

const types = new Map(Object.entries(numbers).map(([name, number]) => [number, name as ElementType]));

/** What ONNX calls the element types that graphs do not hold. */
const others: Readonly<Record<number, string>> = {
  0: "undefined",
  8: "string",
  14: "complex64",
  15: "complex128",
  17: "float8e4m3fn",
  18: "float8e4m3fnuz",
  19: "float8e5m2",
  20: "float8e5m2fnuz",
  21: "uint4",
  22: "int4",
  23: "float4e2m1",
};

/** The number that ONNX has for an element type. */
export const onnxType = (dtype: ElementType): number => numbers[dtype];

/** The element type of an ONNX number, if graphs hold it. */
export const elementType = (number: number): ElementType | undefined => types.get(number);

/** An ONNX number of an element type, for messages. */
export const typeText = (number: number): string => types.get(number) ?? others[number] ?? `type ${number}`;
