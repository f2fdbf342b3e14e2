import { currentWidgets } from "../current.js";
import { CoreWidget, type TraitOptions } from "./core-widget.js";
import { OutputRecorder } from "./recorder.js";

/** Outputs are sent at most so often. */
const INTERVAL_MS = 50;

interface OutputTraits {
  outputs: readonly object[];
}

/**
 * A place for what code writes and displays.
 *
 * The kernel keeps the outputs and sends them, so they are complete wherever the code runs on: after the cell, in
 * callbacks, and beside other code that writes to the notebook at the same time.
 */
export abstract class Capturing<T extends OutputTraits> extends CoreWidget<T> {
  readonly #recorder = new OutputRecorder(() => this.#request());
  #timer: NodeJS.Timeout | undefined;
  #sent = Number.NEGATIVE_INFINITY;

  /**
   * Runs a function: what it writes and displays stands in this widget, and so does the error that it throws.
   *
   * @returns what the function returns; undefined, or a promise of it, where it throws
   *
   * @example
   * ```ts
   * const output = new Output();
   * output.capture(() => console.log("in the widget"));
   * output
   * ```
   */
  capture<R>(run: () => R): R | undefined {
    const { capture, describe } = currentWidgets().environment;
    const failed = (error: unknown): undefined => {
      this.#recorder.add({ output_type: "error", ...describe(error) });
      this.#send();
    };
    try {
      const result = capture(this.#recorder.take, run);
      if (!(result instanceof Promise)) {
        this.#send();
        return result;
      }
      const shown = result.then((value: unknown) => {
        this.#send();
        return value;
      }, failed);
      return shown as R;
    } catch (error) {
      return failed(error);
    }
  }

  /** Shows a value in this widget, below what stands there. */
  async append(value: unknown): Promise<void> {
    const data = await currentWidgets().environment.bundle(value);
    if (!data) return;
    this.#recorder.add({ output_type: "display_data", data, metadata: {} });
    this.#send();
  }

  /** Takes everything away; with `wait`, when the next output comes, so that nothing flickers. */
  clear(wait = false): void {
    this.#recorder.clear(wait);
    if (!wait) this.#send();
  }

  /** Ends a clearing that has waited in vain. */
  settle(): void {
    this.#recorder.settle();
    this.#send();
  }

  /** Sends soon, so that code that writes much does not send it all with each line. */
  #request(): void {
    const wait = this.#sent + INTERVAL_MS - performance.now();
    if (wait <= 0) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), wait);
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sent = performance.now();
    if (!this.closed) this.set({ outputs: this.#recorder.outputs } as unknown as TraitOptions<T>);
  }
}
