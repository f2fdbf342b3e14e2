import { CoreWidget } from "./core-widget.js";

/** A button. */
export abstract class Clickable<T extends object> extends CoreWidget<T> {
  /**
   * Calls back at each click; returns the function that ends it.
   *
   * @example
   * ```ts
   * const button = new Button({ description: "Train" });
   * button.onClick(() => console.log("clicked"));
   * ```
   */
  onClick(callback: () => unknown): () => void {
    return this.handle.onMessage((content) => {
      if ((content as { event?: unknown } | null)?.event === "click") return callback();
    });
  }
}
