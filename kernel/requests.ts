import { writeSync } from "node:fs";
import type { CommManager } from "./comms/manager.js";
import type { History } from "./execution/history.js";
import type { Introspection } from "./execution/introspection.js";
import { type Connection, portsOf } from "./protocol/connection.js";
import type { Json, Message } from "./protocol/message.js";

/** What answers take of the kernel. */
export interface RequestServices {
  /** The content of a `kernel_info_reply`. */
  readonly info: Json;
  readonly connection: Connection;
  readonly introspection: Introspection;
  readonly history: History;
  readonly comms: CommManager;
}

/** The content of the answer to a message that is not a cell; undefined where there is nothing to answer. */
export function answerTo(
  { header, content, metadata, buffers }: Message,
  { info, connection, introspection, history, comms }: RequestServices,
): Json | undefined {
  const code = String(content.code ?? "");
  const cursor = typeof content.cursor_pos === "number" ? content.cursor_pos : code.length;
  switch (header.msg_type) {
    case "kernel_info_request":
      return info;
    case "complete_request":
      return introspection.complete(code, cursor);
    case "inspect_request":
      return introspection.inspect(code, cursor);
    case "is_complete_request":
      return introspection.isComplete(code);
    case "history_request":
      return { status: "ok", history: history.answer(content) };
    case "comm_info_request":
      return { status: "ok", comms: comms.info(content.target_name as string | undefined) };
    case "comm_open":
    case "comm_msg":
    case "comm_close":
      comms.receive(header.msg_type, content, metadata, buffers);
      return undefined;
    case "connect_request":
      return { status: "ok", ...portsOf(connection) };
    default: {
      const evalue = `The tslens kernel does not know the message type ${header.msg_type}.`;
      writeSync(2, `${evalue}\n`);
      // Only requests are answered; what is none has nobody who waits for an answer.
      if (!header.msg_type.endsWith("_request")) return undefined;
      return { status: "error", ename: "UnknownMessage", evalue, traceback: [] };
    }
  }
}
