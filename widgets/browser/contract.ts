/** What a view may ask of its model: the contract of anywidget, which `@jupyter-widgets/base` fulfils too. */
export interface ViewModel<S extends object> {
  get<K extends keyof S & string>(name: K): S[K];
  set<K extends keyof S & string>(name: K, value: S[K]): void;
  /** Sends what was `set` to the kernel. */
  save_changes(): void;
  on(event: string, callback: (...values: never[]) => void): void;
  off(event: string, callback: (...values: never[]) => void): void;
  send(content: unknown, callbacks?: unknown, buffers?: ArrayBuffer[]): void;
  /** False where the state was saved and no kernel stands behind it. Hosts that do not know leave it out. */
  readonly comm_live?: boolean;
}

/** A view: draws a model into an element and returns what undoes it. */
export type Render<S extends object> = (context: { model: ViewModel<S>; el: HTMLElement }) => () => void;

/** Calls back at events until the returned function is called. */
export function listen<S extends object>(
  model: ViewModel<S>,
  events: readonly string[],
  callback: (...values: never[]) => void,
): () => void {
  for (const event of events) model.on(event, callback);
  return () => {
    for (const event of events) model.off(event, callback);
  };
}

/** Whether a kernel may be expected to answer. */
export function hasKernel<S extends object>(model: ViewModel<S>): boolean {
  return model.comm_live !== false;
}
