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

/** The number that ONNX has for an element type. */
export const onnxType = (dtype: ElementType): number => numbers[dtype];
