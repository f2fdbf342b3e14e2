/** Circuits: finding which parts of a model do a task, and judging what was found. */

export { type AcdcOptions, acdc, acdcSteps } from "./acdc.js";
export type { AcdcSettings, AcdcStep } from "./acdc-steps.js";
export {
  type ChoiceOptions,
  Circuit,
  type CircuitComparison,
  type CircuitData,
  type CircuitEdge,
  type CircuitOrigin,
} from "./circuit.js";
export {
  acdcOrder,
  type CircuitGraph,
  circuitGraph,
  type GraphEdge,
  type GraphSizes,
  type ReceiverGroup,
} from "./circuit-graph.js";
export { circuitOfSteps } from "./circuit-of-steps.js";
export { type EdgeAttributionOptions, edgeAttribution } from "./edge-attribution.js";
export { EdgePatching } from "./edge-patching.js";
export {
  type CircuitCurve,
  type CircuitCurveOptions,
  type CircuitEvaluation,
  circuitCurve,
  type EvaluateCircuitOptions,
  edgeAuc,
  evaluateCircuit,
} from "./evaluate-circuit.js";
export { edgeEnds, edgeName, type HeadInput, nodeOf, placeOf } from "./names.js";
export { type AblationOptions, type CircuitTask, metricName, smallerIsBetter } from "./task.js";
