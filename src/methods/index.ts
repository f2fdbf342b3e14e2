/** Techniques that look into a model. */

export { type AblationSweepOptions, ablationSweep } from "./ablation-sweep.js";
export { type ActivationPatchingOptions, activationPatching } from "./activation-patching.js";
export { type AttributionPatchingOptions, attributionPatching } from "./attribution-patching.js";
export { type CausalTracingOptions, causalTracing } from "./causal-tracing.js";
export {
  type CompositionKind,
  type CompositionScores,
  compositionScores,
} from "./composition-scores.js";
export { type CopyingScores, copyingScores } from "./copying-scores.js";
export {
  type DetectedHeads,
  type DetectHeadsOptions,
  detectHeads,
  type HeadKind,
} from "./detect-heads.js";
export {
  type DirectLogitAttribution,
  type DirectLogitAttributionOptions,
  directLogitAttribution,
} from "./direct-logit-attribution.js";
export { type HeadRole, type HeadScores, type HeadScoresOptions, headScores } from "./head-scores.js";
export { type LogisticRegression, logisticRegression } from "./logistic.js";
export { type LensToken, type LogitLens, type LogitLensOptions, logitLens } from "./logit-lens.js";
export type { GridOptions } from "./patching/grid.js";
export type { ReplacementOptions } from "./patching/replacement.js";
export { type PathPatchingOptions, pathPatching, type Receiver } from "./path-patching.js";
export { type ProbeOptions, type Probes, probe } from "./probe.js";
export {
  activationDifference,
  compareSteering,
  type NextTokenProbabilities,
  type SteeredPositions,
  type SteeringComparison,
  type SteeringOptions,
  unembeddingDirection,
} from "./steering.js";
export { Sweep, type SweepAxis, type SweepCell, type SweepData, type SweepLogits } from "./sweep.js";
export { type TokenTable, tokenTable } from "./token-table.js";
