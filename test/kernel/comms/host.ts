import { AsyncLocalStorage } from "node:async_hooks";
import type { TakeOutput, WidgetEnvironment } from "../../../kernel/comms/environment.js";
import { CommManager } from "../../../kernel/comms/manager.js";
import { KernelWidgets } from "../../../kernel/comms/widget-host.js";
import type { Attachments, Json } from "../../../kernel/protocol/message.js";

/** A comm message that a kernel published. */
export interface Sent {
  readonly type: string;
  readonly id: string;
  readonly data: Json & { state?: Json; buffer_paths?: unknown };
  readonly attachments: Attachments;
}

/** A kernel of a few lines, with nothing of tslens in it: what widgets need of any kernel. */
export class SmallKernel {
  /** What was written and displayed, and captured by no widget. */
  readonly shown: [type: string, content: Json][] = [];
  readonly #takers = new AsyncLocalStorage<TakeOutput>();

  readonly environment: WidgetEnvironment = {
    bind: (callback) => callback,
    capture: (take, run) => this.#takers.run(take, run),
    display: async (value) => this.publish("display_data", { data: await bundleOf(value), metadata: {} }),
    bundle: bundleOf,
    describe: (error) => ({ ename: (error as Error).name, evalue: (error as Error).message, traceback: [] }),
  };

  print(text: string): void {
    this.publish("stream", { name: "stdout", text: `${text}\n` });
  }

  publish(type: string, content: Json): void {
    const take = this.#takers.getStore() ?? ((...message) => this.shown.push(message));
    take(type, content);
  }
}

async function bundleOf(value: unknown): Promise<Json> {
  const display = (value as Record<symbol, (() => Json) | undefined>)[Symbol.for("Jupyter.display")];
  return display ? display.call(value) : { "text/plain": String(value) };
}

/** The widgets of a kernel, and what they publish. */
export function host() {
  const sent: Sent[] = [];
  const comms = new CommManager((type, content, attachments = {}) => {
    const { comm_id, data } = structuredClone(content) as { comm_id: string; data: Sent["data"] };
    sent.push({ type, id: comm_id, data, attachments });
  });
  const kernel = new SmallKernel();
  const widgets = new KernelWidgets(comms, kernel.environment);
  const receive = (id: string, data: Json, buffers: Uint8Array[] = []): void =>
    comms.receive("comm_msg", { comm_id: id, data }, {}, buffers);
  return { sent, comms, kernel, widgets, receive };
}
