/** Techniques that look into a model. */

export { type HeadRole, type HeadScores, type HeadScoresOptions, headScores } from "./head-scores.js";
export { type LogisticRegression, logisticRegression } from "./logistic.js";
export { type LensToken, type LogitLens, type LogitLensOptions, logitLens } from "./logit-lens.js";
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
export { type TokenTable, tokenTable } from "./token-table.js";
