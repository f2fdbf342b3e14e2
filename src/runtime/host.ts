/**
 * What a host (the Jupyter kernel, a command-line program) lends to the engine.
 *
 * The engine never looks for a notebook: a host registers itself here, and the functions that take a `signal` or an
 * `onProgress` fall back to the host's, so that the stop button reaches a plain `await model.forward(text)`.
 */

/** How far long work has come. */
export interface Progress {
  /** What is being done, such as `"training"`. */
  readonly task: string;
  /** Units done so far. */
  readonly done: number;
  /** Units in all, where that is known. */
  readonly total?: number;
  /** A figure worth watching, such as `{ loss: 2.31 }`. */
  readonly values?: Readonly<Record<string, number>>;
}

/** The services of a host; each may be missing. */
export interface Host {
  /** The signal that ends the work now under way: of the cell that is running, in a kernel. */
  signal?(): AbortSignal | undefined;
  /** Shows how far long work has come. Called often; a host thins it out. */
  progress?(progress: Progress): void;
  /** Shows a value to the user, as `display(value)` does. */
  display?(value: unknown): void | Promise<void>;
}

let current: Host = {};

/**
 * Registers the host; the one registered before is forgotten.
 *
 * @example
 * ```ts
 * const stop = new AbortController();
 * setHost({ signal: () => stop.signal });
 * ```
 */
export function setHost(host: Host): void {
  current = host;
}

/** The host's signal joined with the caller's own: aborted when either is. */
export function workSignal(own?: AbortSignal): AbortSignal | undefined {
  const ambient = current.signal?.();
  if (!own || !ambient || own === ambient) return own ?? ambient;
  return AbortSignal.any([own, ambient]);
}

/** Tells the host how far the work has come. */
export function reportProgress(progress: Progress): void {
  current.progress?.(progress);
}

/** Shows a value through the host, or as text on the console where there is none. */
export async function display(value: unknown): Promise<void> {
  if (current.display) await current.display(value);
  else console.log(value);
}
