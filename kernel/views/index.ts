export { type ActivationTableOptions, activationTable } from "./activation-table.js";
export * from "./notebook.js";
export { type SteeringControlsOptions, type SteeringStart, steeringControls } from "./steering-controls.js";
export type { ShownWidget } from "./widget.js";
