import { randomUUID } from "node:crypto";
import { getHeapStatistics } from "node:v8";
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { Connection } from "./connection.js";
import { fatalReportFile, reportFatalErrors } from "./fatal-report.js";
import { InterruptTaker, newInterruptMemory } from "./interrupt-flag.js";
import { KeyboardInterrupt } from "./keyboard-interrupt.js";
import {
  type Attachments,
  type Channel,
  type Header,
  type Json,
  type Message,
  newHeader,
  outgoing,
} from "./message.js";
import type { StreamText } from "./stream-buffer.js";
import type { FromThread, RunningCell, ThreadData, ToThread } from "./thread-messages.js";

/** What the kernel does with what arrives. The calls come one at a time, each from the event loop. */
export interface Receiver {
  /** A request on shell, or on control where the socket thread does not answer it itself. */
  request(channel: "shell" | "control", message: Message): void;
  /** The user wants the running work ended. */
  interrupt(): void;
  /** The JavaScript that was running has been ended by force. */
  terminated(): void;
  /** The memory is nearly used up, by what runs now; an interrupt follows. */
  exhausted(): void;
  /**
   * What was running has been ended for want of memory.
   *
   * @param what is nearly used up, as the end of a sentence
   * @param lasting whether that is so still
   */
  collected(what: string, lasting: boolean): void;
  /** The kernel is to end. */
  shutdown(restart: boolean): void;
  /** The sockets are lost, such as when a port is taken: nobody can reach the kernel any more. */
  failed(error: Error): void;
}

/**
 * The main thread's end of the sockets.
 *
 * Nothing here waits on a promise between two messages: a terminated cell takes pending microtasks with it, and the
 * kernel must not be among them.
 */
export class Transport {
  /** The id of this kernel's session. */
  readonly session: string = randomUUID();
  readonly #worker: Worker;
  readonly #interrupts: InterruptTaker;
  readonly #inputs: MessagePort;
  readonly #fences = new Map<number, () => void>();
  #fence = 0;
  #onClosed: () => void = () => {};

  constructor(connection: Connection, kernelInfo: Json, receiver: Receiver, onReady: () => void = () => {}) {
    const interruptMemory = newInterruptMemory();
    this.#interrupts = new InterruptTaker(interruptMemory);
    const { port1, port2: inputPort } = new MessageChannel();
    this.#inputs = port1;
    const workerData: ThreadData = {
      connection,
      session: this.session,
      kernelInfo,
      interruptMemory,
      inputPort,
      heapLimit: getHeapStatistics().heap_size_limit,
      fatalReport: fatalReportFile(connection.file),
    };
    reportFatalErrors(workerData.fatalReport);
    const file = new URL("./socket-thread.js", import.meta.url);
    this.#worker = new Worker(file, { workerData, transferList: [inputPort] });
    this.#worker.on("error", (error) => receiver.failed(error as Error));
    this.#worker.on("message", (message: FromThread) => this.#receive(message, receiver, onReady));
  }

  #receive(message: FromThread, receiver: Receiver, onReady: () => void): void {
    switch (message.kind) {
      case "request":
        receiver.request(message.channel, message.message);
        break;
      case "interrupt":
        this.#interrupts.take();
        receiver.interrupt();
        break;
      case "terminated":
        this.#interrupts.afterTermination();
        receiver.terminated();
        break;
      case "exhausted":
        receiver.exhausted();
        break;
      case "collected":
        receiver.collected(message.what, message.lasting);
        break;
      case "shutdown":
        receiver.shutdown(message.restart);
        break;
      case "fence": {
        const passed = this.#fences.get(message.id);
        this.#fences.delete(message.id);
        passed?.();
        break;
      }
      case "ready":
        onReady();
        break;
      case "closed":
        this.#onClosed();
    }
  }

  #tell(message: ToThread, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  /**
   * Sends a message; returns its header.
   *
   * @throws TypeError where the content cannot be written as JSON
   */
  send(
    channel: Channel,
    identities: readonly (Uint8Array | string)[],
    type: string,
    parent: Partial<Header>,
    content: object,
    attachments: Attachments = {},
  ): Header {
    const header = newHeader(type, this.session);
    // Copied: a view may be a small part of a large buffer, and the cell may write to it before it is sent.
    const buffers = (attachments.buffers ?? []).map((buffer) => Uint8Array.from(buffer));
    const message = outgoing(identities, header, parent, content, { ...attachments, buffers });
    this.#tell(
      { kind: "send", channel, message },
      buffers.map((buffer) => buffer.buffer),
    );
    return header;
  }

  /** Sends text of a stream, joined with what comes shortly after. */
  stream(text: StreamText): void {
    this.#tell({ kind: "stream", text });
  }

  /** Calls back when everything that has arrived at the sockets so far has been received. */
  afterArrived(callback: () => void): void {
    const id = ++this.#fence;
    this.#fences.set(id, callback);
    this.#tell({ kind: "fence", id });
  }

  /**
   * Blocks until a message comes on stdin.
   *
   * @throws KeyboardInterrupt when the user interrupts instead
   */
  waitForInput(): Message {
    for (;;) {
      const { wakes } = this.#interrupts;
      if (this.#interrupts.take()) throw new KeyboardInterrupt();
      const received = receiveMessageOnPort(this.#inputs) as { message: Message } | undefined;
      if (received) return received.message;
      this.#interrupts.waitBeyond(wakes);
    }
  }

  /** Runs a synchronous section that an interrupt does not tear. */
  protect<T>(section: () => T): T {
    return this.#interrupts.protect(section);
  }

  /** Tells which cell runs from now on. */
  running(cell: RunningCell | undefined): void {
    this.#tell({ kind: "cell", cell });
  }

  /** Tells of a process that the kernel has started, or that has ended: the socket thread ends it with the kernel. */
  child(pid: number, runs: boolean): void {
    this.#tell({ kind: "child", pid, runs });
  }

  /** Sends what is left, closes the sockets and ends the processes that the kernel has started. */
  close(onClosed: () => void): void {
    this.#onClosed = onClosed;
    this.#tell({ kind: "close" });
  }
}
