/** Circuits: finding which parts of a model do a task, and judging what was found. */

export type { AcdcSettings, AcdcStep } from "./acdc-steps.js";
export {
  type ChoiceOptions,
  Circuit,
  type CircuitComparison,
  type CircuitData,
  type CircuitEdge,
  type CircuitOrigin,
} from "./circuit.js";
export { edgeEnds, edgeName, type HeadInput, nodeOf, placeOf } from "./names.js";
