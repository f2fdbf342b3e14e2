/** Comms: channels between objects in the kernel and objects in the front end, of any target, both ways, with buffers. */
import { randomUUID } from "node:crypto";
import type { Attachments, Json } from "../protocol/message.js";

/** What came through a comm. */
export interface CommMessage {
  readonly data: Json;
  readonly metadata: Json;
  readonly buffers: readonly Uint8Array[];
}

/** Publishes a message to the front ends. */
export type PublishComm = (type: string, content: object, attachments?: Attachments) => void;

/** What is done with a comm that a front end opens. */
export type TargetHandler = (comm: Comm, open: CommMessage) => void;

/** One channel. */
export class Comm {
  /** Called for each message from the front end. */
  onMessage: (message: CommMessage) => void = () => {};
  /** Called when the front end closes the comm. */
  onClose: (message: CommMessage) => void = () => {};

  constructor(
    readonly id: string,
    readonly target: string,
    private readonly manager: CommManager,
  ) {}

  /** Sends a message to the front end. */
  send(data: object, attachments?: Attachments): void {
    this.manager.publish("comm_msg", { comm_id: this.id, data }, attachments);
  }

  /** Closes the comm on both sides. */
  close(data: object = {}): void {
    if (this.manager.delete(this.id)) this.manager.publish("comm_close", { comm_id: this.id, data });
  }
}

/** The open comms of a kernel. */
export class CommManager {
  readonly #comms = new Map<string, Comm>();
  readonly #targets = new Map<string, TargetHandler>();

  constructor(readonly publish: PublishComm) {}

  /** Says what is done with the comms that front ends open for a target. */
  registerTarget(target: string, handler: TargetHandler): void {
    this.#targets.set(target, handler);
  }

  /** Opens a comm to the front ends. */
  open(target: string, data: object, attachments?: Attachments, id: string = randomUUID()): Comm {
    const comm = new Comm(id, target, this);
    this.#comms.set(id, comm);
    this.publish("comm_open", { comm_id: id, target_name: target, data }, attachments);
    return comm;
  }

  /** Forgets a comm; whether it was open. */
  delete(id: string): boolean {
    return this.#comms.delete(id);
  }

  /** The `comms` of a `comm_info_reply`: those of a target, or all. */
  info(target?: string): Record<string, { target_name: string }> {
    const open = [...this.#comms.values()].filter((comm) => !target || comm.target === target);
    return Object.fromEntries(open.map((comm) => [comm.id, { target_name: comm.target }]));
  }

  /** Takes a `comm_open`, `comm_msg` or `comm_close` from a front end. */
  receive(type: string, content: Json, metadata: Json, buffers: readonly Uint8Array[]): void {
    const id = String(content.comm_id);
    const message: CommMessage = { data: (content.data ?? {}) as Json, metadata, buffers };
    const comm = this.#comms.get(id);
    if (type === "comm_open") this.#accept(id, String(content.target_name), message);
    else if (type === "comm_msg") comm?.onMessage(message);
    else if (comm && this.#comms.delete(id)) comm.onClose(message);
  }

  #accept(id: string, target: string, open: CommMessage): void {
    const handler = this.#targets.get(target);
    if (!handler) {
      this.publish("comm_close", { comm_id: id, data: {} });
      return;
    }
    const comm = new Comm(id, target, this);
    this.#comms.set(id, comm);
    try {
      handler(comm, open);
    } catch (error) {
      comm.close();
      throw error;
    }
  }
}
