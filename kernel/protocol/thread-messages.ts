import type { MessagePort } from "node:worker_threads";
import type { Connection } from "./connection.js";
import type { Channel, Header, Json, Message, Outgoing } from "./message.js";
import type { StreamText } from "./stream-buffer.js";

/** What the socket thread is started with. */
export interface ThreadData {
  readonly connection: Connection;
  readonly session: string;
  /** The content of `kernel_info_reply`, so that the control channel answers while the main thread is busy. */
  readonly kernelInfo: Json;
  readonly interruptMemory: SharedArrayBuffer;
  /** Carries what arrives on stdin, which the main thread takes while it blocks. */
  readonly inputPort: MessagePort;
  /** The most that the main thread's JavaScript heap may hold, in bytes. */
  readonly heapLimit: number;
  /** The file that appears when the main thread meets a fatal error. */
  readonly fatalReport: string;
}

/** What it takes to answer a cell in the main thread's place. */
export interface RunningCell {
  readonly header: Header;
  readonly identities: readonly Uint8Array[];
  readonly count: number;
}

/** From the main thread to the socket thread. */
export type ToThread =
  | { readonly kind: "send"; readonly channel: Channel; readonly message: Outgoing }
  | { readonly kind: "stream"; readonly text: StreamText }
  | { readonly kind: "fence"; readonly id: number }
  /** Which cell runs from now on. */
  | { readonly kind: "cell"; readonly cell: RunningCell | undefined }
  | { readonly kind: "child"; readonly pid: number; readonly runs: boolean }
  | { readonly kind: "close" };

/** From the socket thread to the main thread. */
export type FromThread =
  | { readonly kind: "ready" }
  | { readonly kind: "request"; readonly channel: "shell" | "control"; readonly message: Message }
  | { readonly kind: "interrupt" }
  | { readonly kind: "terminated" }
  /** The memory is nearly used up; an interrupt follows. */
  | { readonly kind: "exhausted" }
  /** What the interrupt has come to: whether the kernel is of no more use. */
  | { readonly kind: "collected"; readonly what: string; readonly lasting: boolean }
  | { readonly kind: "shutdown"; readonly restart: boolean }
  | { readonly kind: "fence"; readonly id: number }
  | { readonly kind: "closed" };
