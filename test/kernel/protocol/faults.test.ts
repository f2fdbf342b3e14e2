import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { newHeader, outgoing } from "../../../kernel/protocol/message.js";
import { encode } from "../../../kernel/protocol/wire.js";
import { scratchFolder } from "../../scratch.js";
import { repository } from "../../shared.js";
import { kernelOfSuite, ofType, TestClient, textOf } from "../client.js";

describe("a kernel that cannot be reached", () => {
  const scratch = scratchFolder();

  function start(connection: string): { status: number | null; stderr: string } {
    writeFileSync(scratch("connection.json"), connection);
    const args = [join(repository, "dist", "kernel", "main.js"), "--config-path", scratch("connection.json")];
    return spawnSync(process.execPath, args, { encoding: "utf8", timeout: 20_000 });
  }

  it("ends with a sentence: a port is taken, or the connection file makes no sense", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const ports = { shell_port: port, control_port: port, iopub_port: port, stdin_port: port, hb_port: port };
    const connection = {
      transport: "tcp",
      ip: "127.0.0.1",
      key: "",
      signature_scheme: "hmac-sha256",
      ...ports,
    };
    const taken = start(JSON.stringify(connection));
    server.close();
    assert.equal(taken.status, 1);
    assert.match(taken.stderr, /The kernel cannot be reached and ends: .*in use/i);
    for (const [text, sentence] of [
      ["{", /JSON/],
      ["{}", /gives undefined as shell_port, not a number/],
      [
        JSON.stringify({ ...connection, key: "k", signature_scheme: "hmac-md5" }),
        /asks for signatures by hmac-md5/,
      ],
    ] as const) {
      const { status, stderr } = start(text);
      assert.equal(status, 1, text);
      assert.match(stderr, sentence);
    }
  });
});

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
    const { reply } = await kernel().request("no_such_request", {});
    assert.deepEqual([reply.status, reply.ename], ["error", "UnknownMessage"]);
    await kernel().send("no_such_message", {});
    assert.equal(await kernel().valueOf("3 + 3"), "6");
  });

  it("serves ten clients at once, each with its own answer", async () => {
    const clients = await Promise.all(Array.from({ length: 10 }, () => TestClient.connect(kernel())));
    const values = await Promise.all(clients.map((client, i) => client.valueOf(`${i} * 2`)));
    assert.deepEqual(
      values,
      [...clients.keys()].map((i) => String(i * 2)),
    );
    for (const client of clients) client.disconnect();
  });

  it("tells its ports, and that it has no debugger and no subshells", async () => {
    const { reply: ports } = await kernel().request("connect_request", {});
    assert.equal(ports.shell_port, kernel().connection.shell_port);
    assert.equal(ports.hb_port, kernel().connection.hb_port);
    const content = { type: "request", seq: 3, command: "initialize", arguments: {} };
    const { reply: debug, published } = await kernel().request("debug_request", content, "control");
    assert.deepEqual([debug.type, debug.request_seq, debug.success], ["response", 3, false]);
    assert.deepEqual(
      published.map(({ content }) => content.execution_state),
      ["busy", "idle"],
    );
    const { reply: info } = await kernel().request("kernel_info_request", {});
    assert.deepEqual([info.debugger, info.supported_features], [false, []]);
    const { reply: subshell } = await kernel().request("create_subshell_request", {}, "control");
    assert.equal(subshell.status, "error");
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

  for (const [when, rest] of [
    ["is idle", ""],
    ["spins", "while (true);"],
  ] as const) {
    it(`ends the processes that its cells have started when it is shut down and ${when}`, async function () {
      if (process.platform === "win32") this.skip();
      const client = await TestClient.start();
      const id = await client.start(
        'import { spawn } from "node:child_process"; const { execPath } = process;\n' +
          'const start = (code: string) => spawn(execPath, ["-e", code + "setInterval(() => {}, 1000)"]).pid;\n' +
          `console.log(start(""), start("process.on('SIGTERM', () => {});"), "started"); ${rest}`,
      );
      await client.until(() => textOf(client.publishedFor(id)).includes("started"));
      const pids = textOf(client.publishedFor(id)).split(" ").slice(0, 2).map(Number);
      // One that has ended stays in the table as a zombie until its parent, or init, has looked.
      const runs = (pid: number): boolean =>
        /^[^Z]/.test(spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).stdout.trim());
      assert.deepEqual(pids.map(runs), [true, true]);
      await client.shutDown();
      assert.deepEqual(pids.map(runs), [false, false]);
    });
  }

  it("survives a client that vanishes while its cell runs", async () => {
    const vanishing = await TestClient.connect(kernel());
    const id = await vanishing.start(
      'for (let i = 0; i < 20; i++) { console.log(i); await new Promise((done) => setTimeout(done, 20)); } "over"',
    );
    await kernel().until(() => textOf(kernel().publishedFor(id)).includes("3"));
    vanishing.disconnect();
    await kernel().until(() => ofType(kernel().publishedFor(id), "execute_result").length > 0);
    assert.equal(await kernel().valueOf("4 + 4"), "8");
  });

  it("ends with code 0 when it is shut down, and when it is terminated", async () => {
    const client = await TestClient.start();
    assert.equal(await client.shutDown(), 0);
    const terminated = await TestClient.start();
    terminated.process.kill("SIGTERM");
    const [code] = await once(terminated.process, "exit");
    terminated.close();
    assert.equal(code, 0);
  });
});
