import type { CommManager } from "./manager.js";
import type { KernelWidgets } from "./widget-host.js";

let current: KernelWidgets | undefined;

/** Makes the widgets of a kernel those that `new IntSlider()` and its like open. Called once, by the kernel. */
export function setCurrentWidgets(widgets: KernelWidgets | undefined): void {
  current = widgets;
}

/**
 * The widgets of the kernel that runs.
 *
 * @throws Error where no kernel has said which they are
 */
export function currentWidgets(): KernelWidgets {
  if (!current) throw new Error("There is no kernel here: widgets work in a notebook only.");
  return current;
}

/**
 * The comms of the kernel that runs: channels of any target between cells and front ends.
 *
 * @throws Error where no kernel runs
 *
 * @example
 * ```ts
 * comms().registerTarget("echo", (comm) => {
 *   comm.onMessage = ({ data, buffers }) => comm.send(data, { buffers });
 * });
 * ```
 */
export function comms(): CommManager {
  return currentWidgets().comms;
}
