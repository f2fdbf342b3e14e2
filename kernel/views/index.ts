export {
  type AcdcAnimationOptions,
  type AcdcRun,
  acdcAnimation,
  type CircuitAnimationOptions,
  circuitAnimation,
} from "./acdc-animation.js";
export { type ActivationTableOptions, activationTable } from "./activation-table.js";
export * from "./notebook.js";
export { type PatchingExplorerOptions, patchingExplorer } from "./patching-explorer.js";
export { type SteeringControlsOptions, type SteeringStart, steeringControls } from "./steering-controls.js";
export type { ShownWidget } from "./widget.js";
