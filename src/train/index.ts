/** Training. */

export {
  type AdamOptions,
  type AdamState,
  adamState,
  adamStep,
  type ParameterMap,
} from "./adam.js";
export { type Checkpoint, readCheckpoint, writeCheckpoint } from "./checkpoint.js";
export { constantRate, cosineSchedule, inTurn, type Schedule } from "./schedule.js";
export { type Objective, type TrainingResult, type TrainingStep, type TrainOptions, train } from "./train.js";
