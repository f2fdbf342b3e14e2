import { randomUUID } from "node:crypto";

/** The version of the Jupyter messaging protocol that the kernel speaks. */
export const PROTOCOL_VERSION = "5.4";

/** A JSON object. */
export type Json = Record<string, unknown>;

/** The header of a message, as it stands on the wire. */
export interface Header {
  readonly msg_id: string;
  readonly session: string;
  readonly username: string;
  readonly date: string;
  readonly msg_type: string;
  readonly version: string;
}

/** A message with its parts parsed. */
export interface Message {
  /** Routing frames in front of the delimiter. */
  readonly identities: readonly Uint8Array[];
  readonly header: Header;
  readonly parent: Partial<Header>;
  readonly metadata: Json;
  readonly content: Json;
  /** Binary frames behind the content; they are not part of the signature. */
  readonly buffers: readonly Uint8Array[];
}

/** A message on its way out, its four signed parts already written as JSON. */
export interface Outgoing {
  readonly identities: readonly (Uint8Array | string)[];
  /** Header, parent header, metadata and content. */
  readonly parts: readonly string[];
  readonly buffers: readonly Uint8Array[];
}

/** The channels on which a kernel speaks; the heartbeat only echoes. */
export type Channel = "shell" | "control" | "iopub" | "stdin";

/**
 * The header of a new message of this kernel.
 *
 * @param session the id of this kernel's session: replies carry the kernel's own, never the client's
 */
export function newHeader(type: string, session: string): Header {
  return {
    msg_id: randomUUID(),
    session,
    username: "kernel",
    date: new Date().toISOString(),
    msg_type: type,
    version: PROTOCOL_VERSION,
  };
}

/** What may accompany the content of a message. */
export interface Attachments {
  readonly metadata?: Json;
  readonly buffers?: readonly Uint8Array[];
}

/**
 * Writes a message's parts as JSON.
 *
 * @throws TypeError where the content holds what JSON cannot say (a cycle, a BigInt)
 */
export function outgoing(
  identities: readonly (Uint8Array | string)[],
  header: Header,
  parent: Partial<Header>,
  content: object,
  { metadata = {}, buffers = [] }: Attachments = {},
): Outgoing {
  return {
    identities,
    parts: [header, parent, metadata, content].map((part) => JSON.stringify(part)),
    buffers,
  };
}
