import type { WidgetHost } from "../widgets/host.js";
import type { Kernel } from "./kernel.js";

let kernel: Kernel | undefined;

/** Makes the kernel known to the modules that cells import. */
export function setCurrentKernel(running: Kernel): void {
  kernel = running;
}

/**
 * The kernel that runs the cell.
 *
 * @throws Error outside a notebook
 */
export function currentKernel(): Kernel {
  if (!kernel)
    throw new Error("There is no kernel here: this works in a notebook with the tslens kernel only.");
  return kernel;
}

/**
 * The maker of widgets of the kernel that runs the cell.
 *
 * @throws Error outside a notebook
 */
export function widgetHost(): WidgetHost {
  return currentKernel().widgets;
}
