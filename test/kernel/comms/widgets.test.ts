import assert from "node:assert/strict";
import { joinBuffers, splitBuffers } from "../../../kernel/comms/buffers.js";
import type { Widget } from "../../../kernel/comms/widget.js";
import type { Json } from "../../../kernel/protocol/message.js";
import { host, type Sent } from "./host.js";

const identity = {
  _model_module: "tslens-widgets",
  _model_module_version: "0.1.0",
  _model_name: "TableModel",
  _view_module: "tslens-widgets",
  _view_module_version: "0.1.0",
  _view_name: "TableView",
};

const fallback = (state: object): Json => ({
  "text/plain": `table of ${(state as { value: number }).value}`,
});

describe("a state on the wire", () => {
  const noReference = (): undefined => undefined;

  it("has its binary leaves taken out, with their paths, and gets them back", () => {
    const state = {
      a: 1,
      b: Float32Array.of(1, 2),
      list: [Uint8Array.of(3), null, { c: new ArrayBuffer(2) }],
    };
    const split = splitBuffers(state, noReference);
    assert.deepEqual(split.state, { a: 1, list: [null, null, {}] });
    assert.deepEqual(split.paths, [["b"], ["list", 0], ["list", 2, "c"]]);
    assert.deepEqual(
      split.buffers.map(({ byteLength }) => byteLength),
      [8, 1, 2],
    );
    const joined = joinBuffers(structuredClone(split.state), split.paths, split.buffers);
    assert.deepEqual([...(joined.list as Uint8Array[])[0]!], [3]);
    assert.deepEqual([...new Float32Array((joined.b as Uint8Array).buffer)], [1, 2]);
  });

  it("takes a part of a large array as that part", () => {
    const { buffers } = splitBuffers({ part: new Float32Array(100).subarray(10, 12) }, noReference);
    assert.equal(buffers[0]!.byteLength, 8);
  });

  it("is refused where a path leads nowhere or to a prototype", () => {
    for (const path of [["a", "b"], ["__proto__"], ["constructor", "prototype", "x"], [], "x"]) {
      assert.throws(() => joinBuffers({}, [path], [new Uint8Array(1)]), /path/);
    }
    assert.equal(({} as Json).x, undefined);
  });
});

describe("a widget", () => {
  it("is opened after its layout, with names, version and buffers", () => {
    const { sent, widgets } = host();
    const widget = widgets.create(identity, { value: 5, data: Float32Array.of(1) }, fallback);
    const [layout, opened] = sent as [Sent, Sent];
    assert.equal(layout.data.state!._model_name, "LayoutModel");
    assert.equal(opened.id, widget.id);
    assert.deepEqual(opened.data.state, { ...identity, value: 5, layout: `IPY_MODEL_${layout.id}` });
    assert.deepEqual(opened.data.buffer_paths, [["data"]]);
    assert.deepEqual(opened.attachments.metadata, { version: "2.1.0" });
    assert.equal(opened.attachments.buffers![0]!.byteLength, 4);
  });

  it("shows itself with a fallback of its present state", () => {
    const { widgets } = host();
    const widget = widgets.create(identity, { value: 5 }, fallback);
    widget.set({ value: 6 });
    const bundle = (widget as unknown as Record<symbol, () => Json>)[Symbol.for("Jupyter.display")]!();
    assert.equal(bundle["text/plain"], "table of 6");
    const view = bundle["application/vnd.jupyter.widget-view+json"];
    assert.deepEqual(view, { model_id: widget.id, version_major: 2, version_minor: 0 });
  });

  it("sends what is set in one message, and tells observers", () => {
    const { sent, widgets } = host();
    const widget = widgets.create(identity, { value: 5, other: "a" }, fallback);
    sent.length = 0;
    const seen: unknown[] = [];
    const end = widget.observe(({ name, value, old }) => seen.push([name, value, old]));
    widget.set({ value: 6, other: "b" });
    assert.deepEqual(
      sent.map(({ data }) => data),
      [{ method: "update", state: { value: 6, other: "b" }, buffer_paths: [] }],
    );
    assert.deepEqual(seen, [
      ["value", 6, 5],
      ["other", "b", "a"],
    ]);
    end();
    widget.set({ value: 7 });
    assert.equal(seen.length, 2);
  });

  it("echoes an update first, and does not send back what it has just been sent", () => {
    const { sent, widgets, receive } = host();
    const widget = widgets.create(identity, { value: 5, doubled: 10 }, fallback);
    widget.observe(({ name, value }) => {
      if (name === "value") widget.set({ value, doubled: 2 * (value as number) });
    });
    sent.length = 0;
    receive(widget.id, { method: "update", state: { value: 8 }, buffer_paths: [] });
    assert.deepEqual(
      sent.map(({ data }) => [data.method, data.state]),
      [
        ["echo_update", { value: 8 }],
        ["update", { doubled: 16 }],
      ],
    );
    assert.equal(widget.get("value"), 8);
  });

  it("corrects the front end where an observer sets another value", () => {
    const { sent, widgets, receive } = host();
    const widget = widgets.create(identity, { value: 5 }, fallback);
    widget.observe(({ value }) => {
      if ((value as number) > 10) widget.set({ value: 10 });
    });
    sent.length = 0;
    receive(widget.id, { method: "update", state: { value: 99 } });
    assert.deepEqual(sent.at(-1)!.data.state, { value: 10 });
    assert.equal(widget.get("value"), 10);
  });

  it("sends an array that was changed in place when it is set again", () => {
    const { sent, widgets } = host();
    const data = Float32Array.of(1, 2);
    const widget = widgets.create(identity, { data }, fallback);
    data[0] = 5;
    sent.length = 0;
    widget.set({ data });
    widget.set({ data: Float32Array.of(5, 2) });
    assert.equal(sent.length, 1, "an equal copy is no news");
  });

  it("takes and sends custom messages with buffers", () => {
    const { sent, widgets, receive } = host();
    const widget = widgets.create(identity, { value: 5 }, fallback);
    widget.onMessage((content, buffers) => widget.send({ got: content }, [Uint16Array.of(buffers[0]![0]!)]));
    receive(widget.id, { method: "custom", content: "tile 3" }, [Uint8Array.of(7)]);
    assert.deepEqual(sent.at(-1)!.data, { method: "custom", content: { got: "tile 3" } });
    assert.deepEqual([...sent.at(-1)!.attachments.buffers![0]!], [7, 0]);
  });

  it("gives its state when it is asked, alone or with all others", () => {
    const { sent, comms, widgets, receive } = host();
    const widget = widgets.create(identity, { value: 5, data: Uint8Array.of(1, 2) }, fallback);
    receive(widget.id, { method: "request_state" });
    assert.equal(sent.at(-1)!.data.state!.value, 5);
    comms.receive("comm_open", { comm_id: "ctl", target_name: "jupyter.widget.control", data: {} }, {}, []);
    receive("ctl", { method: "request_states" });
    const { data, attachments } = sent.at(-1)!;
    assert.equal(data.method, "update_states");
    const states = data.states as Record<string, Json>;
    assert.equal(states[widget.id]!.model_name, "TableModel");
    assert.equal((states[widget.id]!.state as Json).value, 5);
    assert.deepEqual(data.buffer_paths, [[widget.id, "state", "data"]]);
    assert.equal(attachments.buffers!.length, 1);
  });

  it("may be made by the front end", () => {
    const { comms, widgets } = host();
    const open = {
      comm_id: "made",
      target_name: "jupyter.widget",
      data: { state: { ...identity, value: 3 } },
    };
    comms.receive("comm_open", open, { version: "2.1.0" }, []);
    assert.equal((widgets.all.get("made") as unknown as Widget<{ value: number }>).get("value"), 3);
    assert.throws(
      () => comms.receive("comm_open", { ...open, comm_id: "old" }, { version: "1.0" }, []),
      /protocol 1\.0/,
    );
  });

  it("is forgotten when either side closes it", () => {
    const { sent, comms, widgets } = host();
    const first = widgets.create(identity, { value: 1 }, fallback);
    const second = widgets.create(identity, { value: 2 }, fallback);
    first.close();
    const closed = sent.filter(({ type }) => type === "comm_close").map(({ id }) => id);
    assert.equal(closed.length, 2, "the widget and its layout");
    assert.equal(closed[0], first.id);
    comms.receive("comm_close", { comm_id: second.id, data: {} }, {}, []);
    assert.equal(widgets.all.has(first.id) || widgets.all.has(second.id), false);
    assert.deepEqual(comms.info("jupyter.widget"), {});
  });
});

describe("a comm of an unknown target", () => {
  it("is closed again", () => {
    const { sent, comms } = host();
    comms.receive("comm_open", { comm_id: "x", target_name: "nobody", data: {} }, {}, []);
    assert.deepEqual([sent[0]!.type, sent[0]!.id], ["comm_close", "x"]);
  });
});
