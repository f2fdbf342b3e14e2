import assert from "node:assert/strict";
import { newHeader, outgoing } from "../../../kernel/protocol/message.js";
import { decode, encode, InvalidMessage } from "../../../kernel/protocol/wire.js";

const bytes = (frames: (Uint8Array | string)[]): Buffer[] =>
  frames.map((frame) => Buffer.from(frame as string));
const header = newHeader("comm_msg", "a session");
const message = (buffers: Uint8Array[] = []): Buffer[] =>
  bytes(encode("a key", outgoing(["client"], header, {}, { text: "grüße 😀" }, { buffers })));

describe("the wire protocol", () => {
  it("reads what it writes, with identities and buffers", () => {
    const read = decode("a key", message([Uint8Array.of(1, 2), Uint8Array.of()]));
    assert.equal(Buffer.from(read.identities[0]!).toString(), "client");
    assert.deepEqual(read.header, header);
    assert.deepEqual(read.content, { text: "grüße 😀" });
    assert.deepEqual(
      read.buffers.map((buffer) => [...buffer]),
      [[1, 2], []],
    );
  });

  it("signs the four parts and leaves buffers out", () => {
    const [, , signature] = message();
    const [, , withBuffers] = message([Uint8Array.of(1)]);
    assert.deepEqual(signature, withBuffers);
    // HMAC-SHA256 of the four parts, as the protocol's documentation gives it.
    assert.match(signature!.toString(), /^[0-9a-f]{64}$/);
  });

  it("refuses a message whose signature, or any signed part, was changed", () => {
    for (const frame of [2, 3, 4, 5, 6]) {
      const changed = message();
      changed[frame] = Buffer.concat([changed[frame]!, Buffer.from(" ")]);
      assert.throws(() => decode("a key", changed), InvalidMessage, `frame ${frame}`);
    }
    assert.throws(() => decode("another key", message()), /its signature is wrong/);
  });

  it("takes any signature where the key is empty", () => {
    const frames = bytes(encode("", outgoing([], header, {}, {})));
    assert.equal(decode("", frames).header.msg_type, "comm_msg");
  });

  it("refuses what is not a message, with the reason", () => {
    const parts = (...texts: string[]): Buffer[] => bytes(["<IDS|MSG>", "", ...texts]);
    assert.throws(() => decode("", []), /no <IDS\|MSG> frame/);
    assert.throws(() => decode("", bytes(["x", "y"])), /no <IDS\|MSG> frame/);
    assert.throws(() => decode("", bytes(["<IDS|MSG>"])), /0 of the four parts/);
    assert.throws(() => decode("", parts("{}", "{}", "{}")), /3 of the four parts/);
    assert.throws(() => decode("", parts("{", "{}", "{}", "{}")), /not JSON/);
    assert.throws(() => decode("", parts("[]", "{}", "{}", "{}")), /not a JSON object/);
    assert.throws(() => decode("", parts("{}", "{}", "{}", "{}")), /no msg_type/);
  });
});
