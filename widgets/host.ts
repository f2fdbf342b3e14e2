/**
 * What a kernel lends to the widgets' kernel halves (`model.ts`): a synchronised state behind a comm.
 *
 * The widgets import nothing of the kernel; the kernel implements these interfaces.
 */

/** MIME type → data, as in a Jupyter `display_data` message. */
export type MimeBundle = Record<string, unknown>;

/** The attributes that name a widget's browser half. */
export interface WidgetIdentity {
  readonly _model_module: string;
  readonly _model_module_version: string;
  readonly _model_name: string;
  readonly _view_module: string;
  readonly _view_module_version: string;
  readonly _view_name: string;
}

/** A change of one attribute, made by either side. */
export interface Change<S, K extends keyof S = keyof S> {
  readonly name: K;
  readonly value: S[K];
  readonly old: S[K] | undefined;
}

/** One live widget: its state is the same in the kernel and in every view of it in a browser. */
export interface WidgetHandle<S extends object> {
  /** The comm's id, which front ends use as the model's id. */
  readonly id: string;
  /** The value of an attribute now. */
  get<K extends keyof S>(name: K): S[K];
  /** Changes attributes here and in the browser, in one message; binary leaves travel as buffers. */
  set(patch: Partial<S>): void;
  /** Calls back after a change; returns the function that ends it. Changes made by `set` are reported too. */
  observe(callback: (change: Change<S>) => void): () => void;
  /** Calls back for each custom message from the browser; returns the function that ends it. */
  onMessage(callback: (content: unknown, buffers: readonly Uint8Array[]) => void | Promise<void>): () => void;
  /** Sends a custom message to the views. */
  send(content: unknown, buffers?: readonly ArrayBufferView[]): void;
  /** Ends the widget here and in the browser. */
  close(): void;
}

/** Makes widgets. */
export interface WidgetHost {
  /**
   * Opens a widget.
   *
   * @param identity the browser half's names
   * @param state the initial state; typed arrays and ArrayBuffers in it travel as buffers
   * @param fallback what is shown where no widget runs: `text/plain` always, and `text/html` or `image/png`; asked
   *   again at each display, so that it shows the state of that moment
   */
  create<S extends object>(
    identity: WidgetIdentity,
    state: S,
    fallback: (state: S) => MimeBundle,
  ): WidgetHandle<S>;
}
