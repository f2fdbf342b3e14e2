import assert from "node:assert/strict";
import { newHeader, outgoing } from "../../../kernel/protocol/message.js";
import { encode } from "../../../kernel/protocol/wire.js";
import { kernelOfSuite, TestClient } from "../client.js";

describe("the kernel", () => {
  const kernel = kernelOfSuite();

  it("survives bad signatures by the hundred and answers none", async () => {
    for (let i = 0; i < 300; i++) {
      const message = outgoing(
        [],
        newHeader("execute_request", "forged"),
        {},
        { code: `globalThis.forged = ${i}` },
      );
      await kernel().sendFrames(encode("a wrong key", message), i % 2 ? "shell" : "control");
    }
    assert.equal(await kernel().valueOf("(globalThis as any).forged"), undefined);
    assert.match(kernel().notes, /dropped a message on shell: its signature is wrong/);
  });

  it("survives malformed messages by the hundred", async () => {
    const { key } = kernel().connection;
    const header = JSON.stringify(newHeader("execute_request", "x"));
    const bad = [
      [""],
      ["<IDS|MSG>"],
      ["<IDS|MSG>", "", header],
      encode(key, { identities: [], parts: ["{", "{}", "{}", "{}"], buffers: [] }),
      encode(key, { identities: [], parts: ["null", "{}", "{}", "{}"], buffers: [] }),
      encode(key, { identities: [], parts: [header, "[]", "{}", "{}"], buffers: [] }),
      encode(key, { identities: [], parts: ["{}", "{}", "{}", "{}"], buffers: [] }),
    ];
    for (let i = 0; i < 50; i++) for (const frames of bad) await kernel().sendFrames(frames);
    assert.equal(await kernel().valueOf("2 + 2"), "4");
  });

  it("survives requests whose contents make no sense", async () => {
    for (const [type, content] of [
      ["complete_request", { code: 5, cursor_pos: "x" }],
      ["complete_request", { code: "a", cursor_pos: 1e9 }],
      ["inspect_request", { cursor_pos: -5 }],
      ["is_complete_request", {}],
      ["history_request", { hist_access_type: "search", pattern: "[(*", n: "many" }],
      ["comm_info_request", { target_name: 7 }],
    ] as const) {
      const { reply } = await kernel().request(type, content);
      assert.equal(typeof reply.status, "string", type);
    }
    await kernel().send("comm_msg", { comm_id: "nobody", data: null as never });
    await kernel().send("comm_open", {
      comm_id: "x",
      target_name: "jupyter.widget",
      data: { state: 5, buffer_paths: [["a", "b"]] },
    });
    await kernel().send("no_such_request", {});
    assert.equal(await kernel().valueOf("3 + 3"), "6");
  });

  it("serves ten clients' cells in turn", async () => {
    const ids = await Promise.all(Array.from({ length: 10 }, (_, i) => kernel().start(`${i} * 2`)));
    const answers = await Promise.all(ids.map((id) => kernel().answer(id)));
    assert.deepEqual(
      answers.map(({ reply }) => reply.status),
      Array(10).fill("ok"),
    );
  });

  it("answers with its own session and the request as parent", async () => {
    const id = await kernel().start("1");
    const { published } = await kernel().answer(id);
    const sessions = new Set([
      ...published.map(({ header }) => header.session),
      kernel().replyHeader(id).session,
    ]);
    assert.equal(sessions.size, 1);
    assert.ok(!sessions.has(kernel().session));
  });

  it("ends with code 0 when it is shut down", async () => {
    const client = await TestClient.start();
    assert.equal(await client.shutDown(), 0);
  });
});
