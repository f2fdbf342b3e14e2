/** Controls for a function: it runs anew when a reader turns one. */
import { currentWidgets } from "../current.js";
import { type Abbreviation, type Control, controlOf, type ValueWidget } from "./controls.js";
import { Button, Output, VBox } from "./generated.js";

/** A function with controls. */
// biome-ignore lint/suspicious/noExplicitAny: what each parameter gets follows from its control, which the function's own types say
export type Interacted = (...values: any[]) => unknown;

/** Controls, by the names of what they control, in the order of the function's parameters. */
export type Controls = Readonly<Record<string, Abbreviation>>;

/** How a function is run. */
export interface InteractOptions {
  /** Whether it runs only when a button is pressed. Default false. */
  readonly manual?: boolean;
  /** What stands on that button. Default `"Run"`. */
  readonly button?: string;
}

/** Controls above what a function shows. */
export class Interactive<F extends Interacted = Interacted> extends VBox {
  /** What the function has returned last; undefined before, and where it failed. */
  result: Awaited<ReturnType<F>> | undefined;
  /** Where the function's output stands. */
  readonly output: Output;
  readonly #controls: readonly Control[];
  readonly #run: F;
  #running: Promise<void> | undefined;
  #stale = false;

  /**
   * @throws TypeError where something stands for no control
   */
  constructor(run: F, controls: Controls, { manual = false, button = "Run" }: InteractOptions = {}) {
    const made = Object.entries(controls).map(([name, abbreviation]) => controlOf(name, abbreviation));
    const widgets = made.flatMap(({ widget }) => widget ?? []);
    const output = new Output();
    const runButton = manual ? [new Button({ description: button })] : [];
    super([...widgets, ...runButton, output], { domClasses: ["widget-interact"] });
    this.output = output;
    this.#controls = made;
    this.#run = run;
    for (const start of runButton) start.onClick(() => this.update());
    if (!manual) for (const widget of widgets) observeValue(widget, () => this.update());
  }

  /**
   * Runs the function with the present values, and shows what it writes, displays and returns, or its error. While
   * it runs, further changes wait; of those that come meanwhile the last counts.
   */
  update(): Promise<void> {
    if (this.#running) {
      this.#stale = true;
      return this.#running;
    }
    this.#running = this.#runLatest().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #runLatest(): Promise<void> {
    do {
      this.#stale = false;
      this.output.clear(true);
      this.result = await this.output.capture(async () => {
        const result = (await this.#run(...this.#controls.map((control) => control.value()))) as Awaited<
          ReturnType<F>
        >;
        if (result !== undefined && result !== null) await currentWidgets().environment.display(result);
        return result;
      });
      this.output.settle();
    } while (this.#stale && !this.closed);
  }

  /** Ends the controls and the output too. */
  override close(): void {
    const { children } = this;
    super.close();
    for (const child of children) (child as ValueWidget).close();
  }
}

function observeValue(widget: ValueWidget, callback: () => unknown): void {
  (widget as ValueWidget & { observe(name: "value", callback: () => unknown): void }).observe(
    "value",
    callback,
  );
}

/**
 * Makes controls for a function and runs it with their values; as the last value of a cell it is shown.
 *
 * @param run gets one value for each control, in their order
 * @param controls widgets, or values that stand for them, as `Abbreviation` says
 * @throws TypeError where something stands for no control
 */
export function interactive<F extends Interacted>(
  run: F,
  controls: Controls,
  options?: InteractOptions,
): Interactive<F> {
  const widget = new Interactive(run, controls, options);
  if (!options?.manual) void widget.update();
  return widget;
}

/**
 * Shows controls for a function, which runs when a reader turns one. What it writes, displays and returns stands
 * below them, and its errors too. `interactive` gives the controls as a widget instead of showing them.
 *
 * @param run gets one value for each control, in their order
 * @param controls widgets, or values that stand for them, as `Abbreviation` says
 * @returns when the function has run with the first values
 * @throws TypeError where something stands for no control
 *
 * @example
 * ```ts
 * await interact((x: number, text: string) => text.repeat(x), { x: [0, 10], text: "ab" });
 * ```
 */
export async function interact(
  run: Interacted,
  controls: Controls,
  options?: InteractOptions,
): Promise<void> {
  const widget = new Interactive(run, controls, options);
  await currentWidgets().environment.display(widget);
  if (!options?.manual) await widget.update();
}
