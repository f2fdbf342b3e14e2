import { acdcAnimationDefaults } from "../acdc-animation/state.js";
import { render as renderAcdcAnimation } from "../acdc-animation/view.js";
import { activationTableDefaults } from "../activation-table/state.js";
import { render as renderActivationTable } from "../activation-table/view.js";
import { patchingExplorerDefaults } from "../patching-explorer/state.js";
import { render as renderPatchingExplorer } from "../patching-explorer/view.js";
import { progressDefaults } from "../progress/state.js";
import { render as renderProgress } from "../progress/view.js";
import { steeringControlsDefaults } from "../steering-controls/state.js";
import { render as renderSteeringControls } from "../steering-controls/view.js";
import { jupyterWidget } from "./jupyter.js";

const acdcAnimation = jupyterWidget(
  "AcdcAnimation",
  acdcAnimationDefaults,
  ["edges", "scores", "log", "tail"],
  renderAcdcAnimation,
);
const activationTable = jupyterWidget(
  "ActivationTable",
  activationTableDefaults,
  ["view", "overview"],
  renderActivationTable,
);
const patchingExplorer = jupyterWidget(
  "PatchingExplorer",
  patchingExplorerDefaults,
  ["result", "cell"],
  renderPatchingExplorer,
);
const progress = jupyterWidget("Progress", progressDefaults, [], renderProgress);
const steeringControls = jupyterWidget(
  "SteeringControls",
  steeringControlsDefaults,
  [],
  renderSteeringControls,
);

export const AcdcAnimationModel = acdcAnimation.Model;
export const AcdcAnimationView = acdcAnimation.View;
export const ActivationTableModel = activationTable.Model;
export const ActivationTableView = activationTable.View;
export const PatchingExplorerModel = patchingExplorer.Model;
export const PatchingExplorerView = patchingExplorer.View;
export const ProgressModel = progress.Model;
export const ProgressView = progress.View;
export const SteeringControlsModel = steeringControls.Model;
export const SteeringControlsView = steeringControls.View;
export { version } from "../version.js";
export {
  renderAcdcAnimation,
  renderActivationTable,
  renderPatchingExplorer,
  renderProgress,
  renderSteeringControls,
};
