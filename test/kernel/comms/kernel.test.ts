import assert from "node:assert/strict";
import { join } from "node:path";
import type { Json, Message } from "../../../kernel/protocol/message.js";
import { repository } from "../../shared.js";
import { kernelOfSuite, ofType, textOf } from "../client.js";

const current = JSON.stringify(join(repository, "dist", "kernel", "current.js"));
const names = JSON.stringify({
  _model_module: "@jupyter-widgets/controls",
  _model_module_version: "2.0.0",
  _model_name: "IntSliderModel",
  _view_module: "@jupyter-widgets/controls",
  _view_module_version: "2.0.0",
  _view_name: "IntSliderView",
});

describe("comms of a running kernel", () => {
  const kernel = kernelOfSuite();
  let made: { cell: string; widget: string };

  before(async () => {
    const cell = await kernel().start(
      `const { currentKernel, widgetHost } = await import(${current});
       interface State { value: number; data: Float32Array; bytes?: Uint8Array }
       const state: State = { value: 7, data: Float32Array.of(1, 2, 3) };
       const w = widgetHost().create<State>(${names}, state, ({ value }) => ({ "text/plain": "slider at " + value }));
       w.observe(({ name, value }) => console.log("changed", name, value));
       w.onMessage((content, buffers) => w.send({ pong: content }, buffers.map((b) => b.slice().reverse())));
       w`,
    );
    const { published, reply } = await kernel().answer(cell);
    assert.equal(reply.status, "ok", String(reply.evalue));
    const data = ofType(published, "execute_result")[0]!.content.data as Json;
    assert.equal(data["text/plain"], "slider at 7");
    const view = data["application/vnd.jupyter.widget-view+json"] as { model_id: string };
    made = { cell, widget: view.model_id };
  });

  const sendToWidget = (data: Json, buffers: Uint8Array[] = []): Promise<string> =>
    kernel().send("comm_msg", { comm_id: made.widget, data }, { buffers });

  async function ended(id: string): Promise<Message[]> {
    await kernel().until(() => kernel().publishedFor(id).at(-1)?.content.execution_state === "idle");
    return kernel().publishedFor(id);
  }

  it("opens the widget with its buffers", () => {
    const opened = ofType(kernel().publishedFor(made.cell), "comm_open").at(-1)!;
    const { state, buffer_paths } = opened.content.data as { state: Json; buffer_paths: unknown };
    assert.equal(state.value, 7);
    assert.deepEqual(buffer_paths, [["data"]]);
    const bytes = Uint8Array.from(opened.buffers[0]!);
    assert.deepEqual([...new Float32Array(bytes.buffer)], [1, 2, 3]);
  });

  it("echoes an update, parented to it, and takes its buffers", async () => {
    const update = { method: "update", state: { value: 42 }, buffer_paths: [["bytes"]] };
    const published = await ended(await sendToWidget(update, [Uint8Array.of(9, 8)]));
    assert.deepEqual(
      published.map(({ header, content }) => [header.msg_type, (content.data as Json)?.method]),
      [
        ["status", undefined],
        ["comm_msg", "echo_update"],
        ["status", undefined],
      ],
    );
    assert.deepEqual([...published[1]!.buffers[0]!], [9, 8]);
    assert.equal(await kernel().valueOf('[w.get("value"), w.get("bytes")![1]]'), "[ 42, 8 ]");
  });

  it("shows what a callback prints in the cell that made the widget", async () => {
    await ended(await sendToWidget({ method: "update", state: { value: 43 } }));
    await kernel().until(() => textOf(kernel().publishedFor(made.cell)).includes("changed value 43\n"));
  });

  it("answers custom messages with buffers, also while a cell awaits", async () => {
    const cell = await kernel().start("await new Promise((done) => setTimeout(done, 400)); 'over'");
    await kernel().until(() => ofType(kernel().publishedFor(cell), "execute_input").length > 0);
    await ended(await sendToWidget({ method: "custom", content: "ping" }, [Uint8Array.of(1, 2, 3)]));
    const pong = ofType(kernel().published, "comm_msg").at(-1)!;
    assert.deepEqual((pong.content.data as Json).content, { pong: "ping" });
    assert.deepEqual([...pong.buffers[0]!], [3, 2, 1]);
    assert.equal(ofType(kernel().publishedFor(cell), "execute_result").length, 0, "the cell still runs");
    await kernel().answer(cell);
  });

  it("sends 100 updates of 1 MB in order and whole", async () => {
    const cell = await kernel().start(
      "for (let i = 0; i < 100; i++) w.set({ value: 1000 + i, data: new Float32Array(2 ** 18).fill(i) });",
    );
    await kernel().answer(cell);
    const updates = ofType(kernel().publishedFor(cell), "comm_msg");
    assert.deepEqual(
      updates.map(({ content }) => ((content.data as Json).state as Json).value),
      Array.from({ length: 100 }, (_, i) => 1000 + i),
    );
    updates.forEach(({ buffers: [bytes] }, i) => {
      assert.equal(bytes!.byteLength, 2 ** 20);
      const last = new DataView(bytes!.buffer, bytes!.byteOffset + bytes!.byteLength - 4).getFloat32(0, true);
      assert.equal(last, i);
    });
  });

  it("speaks any target, both ways, and reports its open comms", async () => {
    await kernel().run(
      'currentKernel().comms.registerTarget("my.target", (comm, { data }) => {' +
        " comm.send({ opened: data }); comm.onMessage = (m) => comm.send({ got: m.data }, { buffers: m.buffers }); });",
    );
    const open = await kernel().send("comm_open", {
      comm_id: "mine",
      target_name: "my.target",
      data: { a: 1 },
    });
    assert.deepEqual(ofType(await ended(open), "comm_msg")[0]!.content, {
      comm_id: "mine",
      data: { opened: { a: 1 } },
    });
    const info = await kernel().request("comm_info_request", { target_name: "my.target" });
    assert.deepEqual(info.reply, { status: "ok", comms: { mine: { target_name: "my.target" } } });
    const message = await kernel().send(
      "comm_msg",
      { comm_id: "mine", data: { b: 2 } },
      { buffers: [Uint8Array.of(5)] },
    );
    const [answer] = ofType(await ended(message), "comm_msg");
    assert.deepEqual([answer!.content.data, [...answer!.buffers[0]!]], [{ got: { b: 2 } }, [5]]);
  });

  it("closes a comm of an unknown target", async () => {
    const open = await kernel().send("comm_open", { comm_id: "lost", target_name: "nobody.knows", data: {} });
    assert.equal(ofType(await ended(open), "comm_close")[0]!.content.comm_id, "lost");
  });

  it("shows the error of a callback, and the widget lives", async () => {
    await kernel().run(
      'w.onMessage((content) => { if (content === "fail") throw new Error("in a callback"); })',
    );
    await ended(await sendToWidget({ method: "custom", content: "fail" }));
    await kernel().until(() => textOf(kernel().published, "stderr").includes("Error: in a callback"));
    assert.equal(await kernel().valueOf("1 + 1"), "2");
  });

  it("stops a callback that spins", async () => {
    await kernel().run('w.onMessage((content) => { if (content === "spin") while (true); })');
    await sendToWidget({ method: "custom", content: "spin" });
    await kernel().interrupt();
    assert.equal(await kernel().valueOf("2 + 1"), "3");
  });
});
