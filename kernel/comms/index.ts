/**
 * Jupyter's comms and the core widgets of ipywidgets 8 in a JavaScript kernel. Nothing here knows the engine: a kernel
 * makes a `CommManager` and its `KernelWidgets`, hands over the messages of its front ends by `receive`, and says
 * `setCurrentWidgets`.
 */

export type { AnyWidget } from "./core/container.js";
export { type Abbreviation, type Control, Fixed, fixed, type ValueWidget } from "./core/controls.js";
export { CoreWidget, type TraitChange, type TraitOptions } from "./core/core-widget.js";
export * from "./core/generated.js";
export { type Controls, Interactive, type InteractOptions, interact, interactive } from "./core/interact.js";
export { dlink, jsdlink, jslink, type Linked, link, type TraitOf } from "./core/linking.js";
export type { Options } from "./core/selection.js";
export type { TimeOfDay } from "./core/traits.js";
export { comms, setCurrentWidgets } from "./current.js";
export type { ErrorOutput, NotebookOutput, TakeOutput, WidgetEnvironment } from "./environment.js";
export { Comm, CommManager, type CommMessage, type PublishComm, type TargetHandler } from "./manager.js";
export { Widget } from "./widget.js";
export { KernelWidgets } from "./widget-host.js";
