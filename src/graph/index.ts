/** Graphs: values, the words that make them, rewrites, gradients, and ONNX. */

import "./operators/index.js";

export { gradients } from "./autodiff.js";
export * from "./build.js";
export { expandLate } from "./expand-late.js";
export { Expression, type ExpressionLike } from "./expression.js";
export { type Graph, leavesOf, pointsOf, structure, topological, valuesOf } from "./graph.js";
export { narrow } from "./narrow.js";
export { exportOnnx, type ParameterSource } from "./onnx/emit.js";
export {
  type ImportedGraph,
  type ImportOptions,
  importOnnx,
  type UnsupportedGradient,
} from "./onnx/import.js";
export type { KnownType } from "./onnx/read.js";
export { SMALL_TENSOR, type StoredTensor, type TensorSource } from "./onnx/tensors.js";
export {
  type Cut,
  cut,
  findPoint,
  inputNames,
  nearest,
  type Replacement,
  rebuild,
  replace,
  slice as sliceGraph,
  stopGradients,
} from "./rewrites.js";
export { type Change, type Rows, type Staggered, type StaggerOptions, stagger } from "./stagger.js";
export { type Dim, type ElementType, type Shape, showShape, Value } from "./value.js";
