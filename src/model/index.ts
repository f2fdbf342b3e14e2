/** Models: loading, running, caching, editing, generating. */

export { ActivationCache } from "./cache.js";
export type { ChatMessage, ChatOptions } from "./chat-template.js";
export type { ModelConfig } from "./config.js";
export * from "./edits.js";
export { type ComplexTensor, FactoredMatrix, type Svd } from "./factored-matrix.js";
export type { GenerateOptions, TokenEvent } from "./generate.js";
export type { Hook, HookPoint } from "./hooks.js";
export { downloadModel, type HubOptions } from "./hub.js";
export type { ModelInput } from "./input.js";
export { bundledModels, type LoadOptions, loadModel, modelRevisions } from "./load.js";
export type { LogitAttrsOptions } from "./logit-attrs.js";
export { type MemoryModelOptions, modelInMemory } from "./memory-model.js";
export {
  crossEntropy,
  klDivergence,
  logitDiff,
  logProb,
  type Metric,
  type MetricContext,
  probDiff,
  squaredError,
  type TokenChoice,
  type TokenSet,
} from "./metrics.js";
export { Model } from "./model.js";
export { multiply } from "./multiply.js";
export { actName, type PointFilter, type PointName } from "./names.js";
export type { Offsets } from "./offsets.js";
export type { OnnxInputs, OnnxTensorInfo } from "./onnx-inputs.js";
export {
  loadOnnx,
  type OnnxCacheOptions,
  type OnnxMetric,
  type OnnxMetricContext,
  OnnxModel,
  type OnnxPointFilter,
  type OnnxRun,
  type OnnxRunOptions,
} from "./onnx-model.js";
export type {
  CachedRun,
  CacheOptions,
  ComputeScope,
  ForwardOptions,
  RunOptions,
} from "./options.js";
export { PointCache } from "./point-cache.js";
export type { Processing } from "./processing.js";
export type { Quantization } from "./quantize.js";
export type { ResidualStack, StackOptions } from "./residual-stack.js";
export type { Encoding, Tokenizer } from "./tokenizer.js";
export { loadTracr, type TracrProgram, type TracrValue } from "./tracr.js";
export type { ModelWeights } from "./weights.js";
