/** Metrics: which number of a run is of interest; differentiable, and computed inside the graph. */

export { lossWeights, nextTokenLoss } from "./metrics/cross-entropy.js";
export { lowerMetric, pickPosition } from "./metrics/lower.js";
export type { LoweredMetric, MetricInput } from "./metrics/lowered.js";
export * from "./metrics/metric.js";
