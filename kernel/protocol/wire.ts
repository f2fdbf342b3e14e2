/** Frames on the wire: `identities… <IDS|MSG> signature header parent metadata content buffers…`. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Header, Json, Message, Outgoing } from "./message.js";

const DELIMITER = Buffer.from("<IDS|MSG>");
const SIGNED_PARTS = 4;

/** A message that cannot be trusted or understood. It is dropped with a note, and the kernel lives on. */
export class InvalidMessage extends Error {
  override name = "InvalidMessage";
}

/**
 * Reads the frames of a message.
 *
 * @param key the connection's key; an empty one turns signatures off
 * @throws InvalidMessage with the reason
 */
export function decode(key: string, frames: readonly Uint8Array[]): Message {
  const at = frames.findIndex((frame) => DELIMITER.equals(frame));
  if (at < 0) throw new InvalidMessage("it has no <IDS|MSG> frame");
  const signature = frames[at + 1];
  const signed = frames.slice(at + 2, at + 2 + SIGNED_PARTS);
  if (!signature || signed.length < SIGNED_PARTS) {
    throw new InvalidMessage(
      `it has ${signed.length} of the four parts header, parent, metadata and content`,
    );
  }
  if (key && !isSignedBy(key, signature, signed)) throw new InvalidMessage("its signature is wrong");
  const [header, parent, metadata, content] = signed.map(parseObject) as [Json, Json, Json, Json];
  if (typeof header.msg_type !== "string" || typeof header.msg_id !== "string") {
    throw new InvalidMessage("its header has no msg_type or no msg_id");
  }
  return {
    identities: frames.slice(0, at),
    header: header as unknown as Header,
    parent: parent as Partial<Header>,
    metadata,
    content,
    buffers: frames.slice(at + 2 + SIGNED_PARTS),
  };
}

/** The frames of a message, signed. */
export function encode(key: string, { identities, parts, buffers }: Outgoing): (Uint8Array | string)[] {
  return [...identities, DELIMITER, key ? sign(key, parts) : "", ...parts, ...buffers];
}

function sign(key: string, parts: readonly (Uint8Array | string)[]): string {
  const hmac = createHmac("sha256", key);
  for (const part of parts) hmac.update(part);
  return hmac.digest("hex");
}

function isSignedBy(key: string, signature: Uint8Array, parts: readonly Uint8Array[]): boolean {
  const wanted = Buffer.from(sign(key, parts));
  return wanted.length === signature.length && timingSafeEqual(wanted, signature);
}

function parseObject(part: Uint8Array): Json {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString("utf8"));
  } catch (error) {
    throw new InvalidMessage(`a part of it is not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new InvalidMessage("a part of it is not a JSON object");
  }
  return value as Json;
}
