import { CoreWidget } from "./core-widget.js";

/** A field for a text. */
export abstract class Submittable<T extends { value: string }> extends CoreWidget<T> {
  /** Calls back with the text when a reader presses Enter; returns the function that ends it. */
  onSubmit(callback: (value: string) => unknown): () => void {
    return this.handle.onMessage((content) => {
      if ((content as { event?: unknown } | null)?.event === "submit") return callback(this.get("value"));
    });
  }
}
