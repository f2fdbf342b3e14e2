import type { Change, MimeBundle, WidgetHandle, WidgetHost, WidgetIdentity } from "../../widgets/host.js";

/** A message that a kernel half sent. */
export interface Sent {
  readonly content: unknown;
  readonly buffers: readonly ArrayBufferView[];
}

/** A widget in memory, seen from the browser's end of the comm. */
export class MemoryWidget<S extends object> implements WidgetHandle<S> {
  readonly id = `widget-${++count}`;
  readonly sent: Sent[] = [];
  /** Every patch that the kernel half has set, in order. */
  readonly patches: Partial<S>[] = [];
  closed = false;
  /** Told of all that goes to the browser. */
  onPatch: (patch: Partial<S>) => void = () => {};
  onSent: (message: Sent) => void = () => {};
  private readonly observers = new Set<(change: Change<S>) => void>();
  private readonly listeners = new Set<
    (content: unknown, buffers: readonly Uint8Array[]) => void | Promise<void>
  >();

  constructor(
    readonly identity: WidgetIdentity,
    readonly state: S,
    readonly fallback: (state: S) => MimeBundle,
  ) {}

  get<K extends keyof S>(name: K): S[K] {
    return this.state[name];
  }

  set(patch: Partial<S>): void {
    this.patches.push(patch);
    this.change(patch);
    this.onPatch(patch);
  }

  observe(callback: (change: Change<S>) => void): () => void {
    this.observers.add(callback);
    return () => this.observers.delete(callback);
  }

  onMessage(
    callback: (content: unknown, buffers: readonly Uint8Array[]) => void | Promise<void>,
  ): () => void {
    this.listeners.add(callback);
    return () => this.listeners.delete(callback);
  }

  send(content: unknown, buffers: readonly ArrayBufferView[] = []): void {
    const message = { content: structuredClone(content), buffers };
    this.sent.push(message);
    this.onSent(message);
  }

  close(): void {
    this.closed = true;
  }

  /** A change that the browser made. */
  fromBrowser(patch: Partial<S>): void {
    this.change(structuredClone(patch));
  }

  /** A custom message of the browser; resolves when the kernel half has dealt with it. */
  async message(content: unknown): Promise<void> {
    await Promise.all([...this.listeners].map((listener) => listener(structuredClone(content), [])));
  }

  private change(patch: Partial<S>): void {
    for (const name of Object.keys(patch) as (keyof S)[]) {
      const old = this.state[name];
      this.state[name] = patch[name]!;
      for (const observer of this.observers) observer({ name, value: patch[name]!, old });
    }
  }
}

let count = 0;

/** A host that keeps its widgets in memory. */
export class MemoryHost implements WidgetHost {
  readonly widgets: MemoryWidget<object>[] = [];

  create<S extends object>(
    identity: WidgetIdentity,
    state: S,
    fallback: (state: S) => MimeBundle,
  ): MemoryWidget<S> {
    const widget = new MemoryWidget(identity, { ...state }, fallback);
    this.widgets.push(widget as unknown as MemoryWidget<object>);
    return widget;
  }
}
