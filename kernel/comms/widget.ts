import { isDeepStrictEqual } from "node:util";
import type { Change, MimeBundle, WidgetHandle } from "../../widgets/host.js";
import type { Json } from "../protocol/message.js";
import { joinBuffers, splitBuffers } from "./buffers.js";
import { DISPLAY } from "./display.js";
import type { WidgetEnvironment } from "./environment.js";
import type { Comm, CommMessage } from "./manager.js";

/** The MIME type that shows a widget. */
export const WIDGET_VIEW = "application/vnd.jupyter.widget-view+json";

/** What a widget needs of those who keep it. */
export interface WidgetKeeper {
  readonly bind: WidgetEnvironment["bind"];
  /** Forgets a closed widget. */
  forget(id: string): void;
}

/** A live widget, kept in step with the front ends by the Jupyter widgets protocol 2.1. */
export class Widget<S extends object = Json> implements WidgetHandle<S> {
  readonly #observers = new Set<(change: Change<S>) => void>();
  readonly #listeners = new Set<(content: unknown, buffers: readonly Uint8Array[]) => void>();
  readonly #enders = new Set<() => void>();
  #closed = false;

  constructor(
    private readonly comm: Comm,
    /** The state with the names of the browser half among it. */
    readonly state: S,
    private readonly keeper: WidgetKeeper,
    private readonly fallback: (state: S) => MimeBundle,
    /** Widgets that end with this one, such as its layout. */
    private readonly children: readonly Widget[] = [],
  ) {
    comm.onMessage = (message) => this.#receive(message);
    comm.onClose = () => this.#end();
  }

  get id(): string {
    return this.comm.id;
  }

  /** Whether it has been closed, here or by a front end. */
  get closed(): boolean {
    return this.#closed;
  }

  get<K extends keyof S>(name: K): S[K] {
    return this.state[name];
  }

  set(patch: Partial<S>): void {
    const news = this.#newsOf(patch);
    if (Object.keys(news).length === 0) return;
    this.#push("update", news);
    this.#apply(news);
  }

  observe(callback: (change: Change<S>) => unknown): () => void {
    const bound = this.keeper.bind(callback);
    this.#observers.add(bound);
    return () => this.#observers.delete(bound);
  }

  onMessage(callback: (content: unknown, buffers: readonly Uint8Array[]) => unknown): () => void {
    const bound = this.keeper.bind(callback);
    this.#listeners.add(bound);
    return () => this.#listeners.delete(bound);
  }

  send(content: unknown, buffers: readonly ArrayBufferView[] = []): void {
    const bytes = buffers.map((view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
    this.comm.send({ method: "custom", content }, { buffers: bytes });
  }

  /** Calls back when the widget is closed, here or by a front end; returns the function that ends it. */
  onClose(callback: () => unknown): () => void {
    const bound = this.keeper.bind(callback);
    this.#enders.add(bound);
    return () => this.#enders.delete(bound);
  }

  close(): void {
    if (this.#closed) return;
    this.comm.close();
    this.#end();
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.keeper.forget(this.id);
    for (const child of this.children) child.close();
    for (const ender of this.#enders) ender();
  }

  /** The live view, with a picture of the present state for places where no widget runs. */
  bundle(): MimeBundle {
    return { ...this.fallback(this.state), [WIDGET_VIEW]: viewOf(this.id) };
  }

  static {
    Object.defineProperty(Widget.prototype, DISPLAY, { value: Widget.prototype.bundle });
  }

  #push(method: "update" | "echo_update", patch: object): void {
    const { state, paths, buffers } = splitBuffers(patch, widgetReference);
    this.comm.send({ method, state, buffer_paths: paths }, { buffers });
  }

  /**
   * What a patch changes. What is equal is not news: it is neither reported nor sent, not even back to the front end
   * that has just sent it, or a slider would fight with its user. An object that is set again may have been changed
   * inside, and is news.
   */
  #newsOf(patch: Partial<S>): Partial<S> {
    const changed = Object.entries(patch).filter(([name, value]) => {
      const old = this.state[name as keyof S];
      return (typeof value === "object" && value !== null && value === old) || !isDeepStrictEqual(value, old);
    });
    return Object.fromEntries(changed) as Partial<S>;
  }

  #apply(news: Partial<S>): void {
    const changes: Change<S>[] = [];
    for (const name of Object.keys(news) as (keyof S)[]) {
      const old = this.state[name];
      this.state[name] = news[name] as S[keyof S];
      changes.push({ name, value: this.state[name], old });
    }
    for (const change of changes) for (const observer of this.#observers) observer(change);
  }

  #receive({ data, buffers }: CommMessage): void {
    if (data.method === "request_state") this.#push("update", this.state);
    else if (data.method === "custom")
      for (const listener of this.#listeners) listener(data.content, buffers);
    else if (data.method === "update") {
      const patch = joinBuffers({ ...(data.state as Json) }, data.buffer_paths, buffers) as Partial<S>;
      // The echo is the first thing that the front end hears of its update, and tells its other views.
      this.#push("echo_update", patch);
      this.#apply(this.#newsOf(patch));
    }
  }
}

/** The content under the widget view's MIME type. */
export function viewOf(id: string): Json {
  return { model_id: id, version_major: 2, version_minor: 0 };
}

/** On the wire a widget inside a state, or what has one as its `handle`, is a name. */
export function widgetReference(value: object): string | undefined {
  const widget = value instanceof Widget ? value : (value as { readonly handle?: unknown }).handle;
  return widget instanceof Widget ? `IPY_MODEL_${widget.id}` : undefined;
}
