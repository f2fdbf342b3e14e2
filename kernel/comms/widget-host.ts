import type { MimeBundle, WidgetHost, WidgetIdentity } from "../../widgets/host.js";
import type { Json } from "../protocol/message.js";
import { joinBuffers, type Path, splitBuffers } from "./buffers.js";
import type { WidgetEnvironment } from "./environment.js";
import type { Comm, CommManager } from "./manager.js";
import { Widget, type WidgetKeeper, widgetReference } from "./widget.js";

const TARGET = "jupyter.widget";
const CONTROL_TARGET = "jupyter.widget.control";
const PROTOCOL_VERSION = "2.1.0";

const LAYOUT: WidgetIdentity = {
  _model_module: "@jupyter-widgets/base",
  _model_module_version: "2.0.0",
  _model_name: "LayoutModel",
  _view_module: "@jupyter-widgets/base",
  _view_module_version: "2.0.0",
  _view_name: "LayoutView",
};

/** The widgets of a kernel, by the Jupyter widgets protocol 2.1 and its control protocol 1.0. */
export class KernelWidgets implements WidgetHost {
  readonly #widgets = new Map<string, Widget<object>>();
  readonly #keeper: WidgetKeeper;

  constructor(
    readonly comms: CommManager,
    /** What the widgets need of the kernel. */
    readonly environment: WidgetEnvironment,
  ) {
    this.#keeper = {
      bind: (callback) => environment.bind(callback),
      forget: (id) => this.#widgets.delete(id),
    };
    comms.registerTarget(CONTROL_TARGET, (comm) => {
      comm.onMessage = ({ data }) => {
        if (data.method === "request_states") this.#sendStates(comm);
      };
    });
    comms.registerTarget(TARGET, (comm, { data, metadata, buffers }) => {
      const major = String(metadata.version ?? "").split(".")[0];
      if (major !== PROTOCOL_VERSION.split(".")[0]) {
        throw new Error(
          `the front end opened a widget by protocol ${String(metadata.version)}; the kernel speaks ${PROTOCOL_VERSION}`,
        );
      }
      const state = joinBuffers({ ...(data.state as Json) }, data.buffer_paths, buffers);
      this.#keep(new Widget(comm, state, this.#keeper, plainFallback));
    });
  }

  /** The open widgets, by id. */
  get all(): ReadonlyMap<string, Widget<object>> {
    return this.#widgets;
  }

  create<S extends object>(
    identity: WidgetIdentity,
    state: S,
    fallback: (state: S) => MimeBundle,
  ): Widget<S> {
    if (Object.hasOwn(state, "layout")) return this.open<S>({ ...identity, ...state }, fallback);
    // Children are opened before their parents.
    const layout = this.open<Json>({ ...LAYOUT }, plainFallback);
    return this.open<S>({ ...identity, layout, ...state }, fallback, [layout]);
  }

  /**
   * Opens a widget.
   *
   * @param whole its state, with the names of the browser half among it
   * @param children widgets that end with this one
   */
  open<S extends object>(
    whole: S,
    fallback: (state: S) => MimeBundle,
    children: readonly Widget[] = [],
  ): Widget<S> {
    const { state, paths, buffers } = splitBuffers(whole, widgetReference);
    const data = { state, buffer_paths: paths };
    const attachments = { metadata: { version: PROTOCOL_VERSION }, buffers };
    const comm = this.comms.open(TARGET, data, attachments);
    const widget = new Widget<S>(comm, whole, this.#keeper, fallback, children);
    this.#keep(widget);
    return widget;
  }

  #keep<S extends object>(widget: Widget<S>): void {
    this.#widgets.set(widget.id, widget as unknown as Widget<object>);
  }

  #sendStates(comm: Comm): void {
    const states: Json = {};
    const paths: Path[] = [];
    const buffers: Uint8Array[] = [];
    for (const [id, widget] of this.#widgets) {
      const names = widget.state as WidgetIdentity;
      const split = splitBuffers(widget.state, widgetReference);
      states[id] = {
        model_name: names._model_name,
        model_module: names._model_module,
        model_module_version: names._model_module_version,
        state: split.state,
      };
      paths.push(...split.paths.map((path) => [id, "state", ...path]));
      buffers.push(...split.buffers);
    }
    comm.send({ method: "update_states", states, buffer_paths: paths }, { buffers });
  }
}

function plainFallback(state: object): MimeBundle {
  return { "text/plain": String((state as Partial<WidgetIdentity>)._model_name ?? "widget") };
}
