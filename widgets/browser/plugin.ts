import { IJupyterWidgetRegistry } from "@jupyter-widgets/base";
import { moduleName, version } from "../version.js";

async function load() {
  const {
    AcdcAnimationModel,
    AcdcAnimationView,
    ActivationTableModel,
    ActivationTableView,
    PatchingExplorerModel,
    PatchingExplorerView,
    ProgressModel,
    ProgressView,
    SteeringControlsModel,
    SteeringControlsView,
  } = await import("./index.js");
  return {
    AcdcAnimationModel,
    AcdcAnimationView,
    ActivationTableModel,
    ActivationTableView,
    PatchingExplorerModel,
    PatchingExplorerView,
    ProgressModel,
    ProgressView,
    SteeringControlsModel,
    SteeringControlsView,
  };
}

/** The JupyterLab plugin. It only tells where the widgets are: their code is fetched when the first one appears. */
const plugin = {
  id: `${moduleName}:plugin`,
  description:
    "The activation table, patching explorer, pruning animation, progress bar and steering controls of tslens.",
  requires: [IJupyterWidgetRegistry],
  autoStart: true,
  activate(_app: unknown, registry: IJupyterWidgetRegistry): void {
    registry.registerWidget({ name: moduleName, version, exports: load });
  },
};

export default plugin;
