import assert from "node:assert/strict";
import * as jupyter from "../../../kernel/comms/index.js";
import {
  Button,
  Checkbox,
  DatePicker,
  DatetimePicker,
  Dropdown,
  dlink,
  FloatLogSlider,
  FloatSlider,
  HBox,
  Image,
  IntRangeSlider,
  IntSlider,
  jsdlink,
  jslink,
  Layout,
  link,
  NaiveDatetimePicker,
  RadioButtons,
  SelectionRangeSlider,
  SelectMultiple,
  setCurrentWidgets,
  Tab,
  Text,
  TimePicker,
} from "../../../kernel/comms/index.js";
import type { Json } from "../../../kernel/protocol/message.js";
import { host, type Sent } from "./host.js";

/** A kernel for each test, whose widgets are the current ones. */
function kernelOfTest(): () => ReturnType<typeof host> {
  let kernel: ReturnType<typeof host>;
  beforeEach(() => {
    kernel = host();
    setCurrentWidgets(kernel.widgets);
  });
  afterEach(() => setCurrentWidgets(undefined));
  return () => kernel;
}

const fromReader = (id: string, state: Json): [string, Json] => [
  id,
  { method: "update", state, buffer_paths: [] },
];

describe("a core widget", () => {
  const kernel = kernelOfTest();
  const last = (): Sent => kernel().sent.at(-1)!;

  it("is opened after its layout and its style, by the names of ipywidgets", () => {
    new IntSlider({ value: 7, description: "x", readoutFormat: ".1f", style: { handleColor: "red" } });
    const [layout, style, slider] = kernel().sent as [Sent, Sent, Sent];
    assert.equal(layout.data.state!._model_name, "LayoutModel");
    assert.deepEqual(
      [style.data.state!._model_name, style.data.state!.handle_color],
      ["SliderStyleModel", "red"],
    );
    const { state } = slider.data;
    assert.deepEqual(
      [state!._model_module, state!._model_module_version, state!._view_name],
      ["@jupyter-widgets/controls", "2.0.0", "IntSliderView"],
    );
    assert.deepEqual([state!.value, state!.max, state!.readout_format], [7, 100, ".1f"]);
    assert.deepEqual([state!.layout, state!.style], [`IPY_MODEL_${layout.id}`, `IPY_MODEL_${style.id}`]);
  });

  it("has its traits as properties, which send what is set", () => {
    const slider = new FloatSlider({ value: 0.5, max: 1 });
    slider.value = 0.75;
    assert.deepEqual(last().data, { method: "update", state: { value: 0.75 }, buffer_paths: [] });
    slider.set({ value: 1, continuousUpdate: false });
    assert.deepEqual(last().data.state, { value: 1, continuous_update: false });
    slider.layout = { width: "50%" } as Layout;
    assert.deepEqual(last().data.state, { width: "50%" });
    assert.equal(slider.layout.width, "50%");
    const layout = new Layout({ height: "9em" });
    slider.layout = layout;
    assert.deepEqual(last().data.state, { layout: `IPY_MODEL_${layout.id}` });
    assert.equal(slider.layout, layout);
  });

  it("hears readers and code, by trait, by event and one by one", async () => {
    const slider = new IntSlider({ value: 1 });
    const seen: unknown[] = [];
    const end = slider.observe("value", (value, { old }) => seen.push([value, old]));
    slider.on("change", ({ name, value }) => seen.push([name, value]));
    const iterated = (async () => {
      const names: unknown[] = [];
      for await (const { name, value } of slider) names.push([name, value]);
      return names;
    })();
    kernel().receive(...fromReader(slider.id, { value: 4 }));
    slider.description = "x";
    end();
    slider.value = 5;
    assert.equal(slider.value, 5);
    assert.deepEqual(seen, [
      [4, 1],
      ["value", 4],
      ["description", "x"],
      ["value", 5],
    ]);
    slider.close();
    assert.deepEqual(await iterated, [
      ["value", 4],
      ["description", "x"],
      ["value", 5],
    ]);
  });

  it("refuses what a trait may not have, in a sentence, and changes nothing", () => {
    const slider = new IntSlider({ value: 5 });
    const { length } = kernel().sent;
    const wrong =
      (patch: object): (() => void) =>
      () =>
        slider.set(patch);
    assert.throws(wrong({ value: 1.5 }), /^TypeError: IntSlider\.value is a whole number, not 1\.5\.$/);
    assert.throws(wrong({ value: "5" }), /IntSlider\.value is a whole number, not "5"/);
    assert.throws(
      wrong({ orientation: "diagonal" }),
      /IntSlider\.orientation is one of "horizontal", "vertical", not "diagonal"/,
    );
    assert.throws(wrong({ tooltip: 3 }), /IntSlider\.tooltip is a text or null, not 3/);
    assert.throws(wrong({ vlaue: 3 }), /IntSlider has no trait "vlaue"\. Its traits are .*value/);
    assert.throws(wrong({ min: 200 }), /The least value of IntSlider, 200, would be above its largest, 100/);
    assert.throws(wrong({ layout: 3 }), /IntSlider\.layout is a widget, or an object of its traits, not 3/);
    assert.throws(() => new HBox({ children: [3 as never] }), /HBox\.children\[0\] is a widget, not 3/);
    assert.throws(() => new IntRangeSlider({ value: [1] as never }), /IntRangeSlider\.value is a list of 2/);
    assert.equal(slider.value, 5);
    assert.equal(
      kernel()
        .sent.slice(length)
        .some(({ id }) => id === slider.id),
      false,
    );
    slider.close();
    assert.throws(wrong({ value: 1 }), /This IntSlider is closed/);
    setCurrentWidgets(undefined);
    assert.throws(() => new IntSlider(), /no kernel here: widgets work in a notebook only/);
  });

  it("keeps its value between its bounds", () => {
    const slider = new IntSlider({ value: 500, max: 10 });
    assert.equal(slider.value, 10);
    slider.value = -3;
    assert.equal(slider.value, 0);
    slider.value = 8;
    slider.max = 5;
    assert.equal(slider.value, 5);
    assert.deepEqual(last().data.state, { max: 5, value: 5 });
    const range = new IntRangeSlider({ value: [-5, 50], max: 20 });
    assert.deepEqual(range.value, [0, 20]);
    assert.throws(() => range.set({ value: [9, 3] }), /begins at 9, above its end, 3/);
    assert.equal(new FloatLogSlider({ value: 1e9, min: 0, max: 3 }).value, 1000);
  });

  it("shows itself with what differs from the defaults as text beside", () => {
    const slider = new IntSlider({ value: 5, description: "x" });
    const bundle = slider.bundle();
    assert.equal(bundle["text/plain"], "IntSlider(description: 'x', value: 5)");
    assert.deepEqual(bundle["application/vnd.jupyter.widget-view+json"], {
      model_id: slider.id,
      version_major: 2,
      version_minor: 0,
    });
    const box = new HBox([slider]);
    assert.equal(box.bundle()["text/plain"], "HBox(children: [ IntSlider(description: 'x', value: 5) ])");
  });

  it("ends with its layout and its style, and not with widgets that were given to it", () => {
    const layout = new Layout();
    const slider = new IntSlider({ layout });
    const box = new HBox([slider]);
    box.close();
    slider.close();
    const closed = kernel()
      .sent.filter(({ type }) => type === "comm_close")
      .map(({ id }) => id);
    assert.ok(closed.includes(slider.id) && closed.includes(box.id));
    assert.equal(layout.closed, false);
    assert.deepEqual([...kernel().widgets.all.keys()], [layout.id]);
  });

  it("brings bytes and dates across", () => {
    const image = new Image({ value: Uint8Array.of(1, 2, 3) });
    assert.deepEqual([...last().attachments.buffers![0]!], [1, 2, 3]);
    assert.deepEqual(last().data.buffer_paths, [["value"]]);
    assert.deepEqual([...image.value], [1, 2, 3]);
    const day = new DatePicker({ value: new Date(2024, 1, 29) });
    assert.deepEqual(last().data.state!.value, { year: 2024, month: 1, date: 29 });
    kernel().receive(...fromReader(day.id, { value: { year: 2025, month: 11, date: 31 } }));
    assert.deepEqual(day.value, new Date(2025, 11, 31));
    kernel().receive(...fromReader(day.id, { value: null }));
    assert.equal(day.value, null);
    const moment = new DatetimePicker({ value: new Date(Date.UTC(2024, 0, 2, 3, 4, 5, 6)) });
    const sent = { year: 2024, month: 0, date: 2, hours: 3, minutes: 4, seconds: 5, milliseconds: 6 };
    assert.deepEqual(last().data.state!.value, sent);
    assert.equal(moment.value!.getTime(), Date.UTC(2024, 0, 2, 3, 4, 5, 6));
    const naive = new NaiveDatetimePicker({ value: new Date(2024, 0, 2, 3, 4) });
    assert.equal((last().data.state!.value as Json).hours, 3);
    assert.deepEqual(naive.value, new Date(2024, 0, 2, 3, 4));
    const time = new TimePicker({ value: { hours: 9, minutes: 30 } });
    assert.deepEqual(time.value, { hours: 9, minutes: 30, seconds: 0, milliseconds: 0 });
    assert.throws(
      () => time.set({ value: { hours: 25, minutes: 0 } }),
      /TimePicker\.value is a time such as/,
    );
  });
});

describe("a selection", () => {
  const kernel = kernelOfTest();

  it("sends labels and an index, and gives the options themselves", () => {
    const layers = new Dropdown({ options: { first: 0, last: 11 } });
    const { state } = kernel().sent.at(-1)!.data;
    assert.deepEqual([state!._options_labels, state!.index], [["first", "last"], 0]);
    assert.equal("value" in state!, false);
    const seen: unknown[] = [];
    layers.observe("value", (value, { old }) => seen.push([value, old]));
    kernel().receive(...fromReader(layers.id, { index: 1 }));
    assert.deepEqual([layers.value, layers.label, layers.index], [11, "last", 1]);
    assert.deepEqual(seen, [[11, 0]]);
    layers.value = 0;
    assert.deepEqual(kernel().sent.at(-1)!.data.state, { index: 0 });
    layers.value = null;
    assert.deepEqual([layers.index, layers.label], [null, null]);
  });

  it("takes lists, maps and objects as options, and finds equal values", () => {
    const radio = new RadioButtons({
      options: new Map([
        ["a", { k: 1 }],
        ["b", { k: 2 }],
      ]),
      value: { k: 2 },
    });
    assert.equal(radio.index, 1);
    const typed: Dropdown<string> = new Dropdown({ options: ["x", "y"], index: 1 });
    assert.equal(typed.value?.toUpperCase(), "Y");
    typed.options = ["p", "q", "r"];
    assert.deepEqual([typed.value, typed.labels], ["p", ["p", "q", "r"]]);
    assert.throws(() => typed.set({ value: "z" }), /"z" is none of the options: p, q, r/);
    assert.throws(() => typed.set({ index: 3 }), /There are 3 options, counted from 0: none has the index 3/);
    assert.throws(() => new Dropdown({ options: 3 as never }), /Options are a list of values/);
    assert.equal(new Dropdown({ options: [] }).value, null);
  });

  it("of several has a list as its value, a range its ends", () => {
    const several = new SelectMultiple({ options: ["a", "b", "c"], value: ["c", "a"] });
    assert.deepEqual(
      [several.index, several.value],
      [
        [2, 0],
        ["c", "a"],
      ],
    );
    kernel().receive(...fromReader(several.id, { index: [1] }));
    assert.deepEqual(several.value, ["b"]);
    const range = new SelectionRangeSlider({ options: ["a", "b", "c"] });
    assert.deepEqual(range.value, ["a", "c"]);
    range.value = ["b", "c"];
    assert.deepEqual(range.index, [1, 2]);
  });
});

describe("widgets together", () => {
  const kernel = kernelOfTest();

  it("hold others by reference, also such as are no core widgets", () => {
    const own = kernel().widgets.create(
      {
        _model_module: "m",
        _model_module_version: "1.0.0",
        _model_name: "M",
        _view_module: "m",
        _view_module_version: "1.0.0",
        _view_name: "V",
      },
      {},
      () => ({ "text/plain": "own" }),
    );
    const text = new Text();
    const tab = new Tab([text, { handle: own }], { titles: ["one", "two"], selectedIndex: 1 });
    const { state } = kernel().sent.at(-1)!.data;
    assert.deepEqual(state!.children, [`IPY_MODEL_${text.id}`, `IPY_MODEL_${own.id}`]);
    assert.deepEqual([state!.titles, state!.selected_index], [["one", "two"], 1]);
    tab.children = [text];
    assert.deepEqual(kernel().sent.at(-1)!.data.state, { children: [`IPY_MODEL_${text.id}`] });
  });

  it("hear clicks and the Enter key", () => {
    const seen: string[] = [];
    const button = new Button({ description: "go" });
    const end = button.onClick(() => seen.push("click"));
    const text = new Text({ value: "typed" });
    text.onSubmit((value) => seen.push(value));
    kernel().receive(button.id, { method: "custom", content: { event: "click" } });
    kernel().receive(text.id, { method: "custom", content: { event: "submit" } });
    end();
    kernel().receive(button.id, { method: "custom", content: { event: "click" } });
    assert.deepEqual(seen, ["click", "typed"]);
  });

  it("are linked in the browser by the names on the wire", () => {
    const [a, b] = [new IntSlider(), new Checkbox()];
    const linked = jslink([a, "value"], [a, "continuousUpdate"]);
    const { state } = kernel().sent.at(-1)!.data;
    assert.equal(state!._model_name, "LinkModel");
    assert.deepEqual(
      [state!.source, state!.target],
      [
        [`IPY_MODEL_${a.id}`, "value"],
        [`IPY_MODEL_${a.id}`, "continuous_update"],
      ],
    );
    linked.unlink();
    assert.equal(kernel().sent.at(-1)!.type, "comm_close");
    jsdlink([a, "disabled"], [b, "disabled"]);
    assert.equal(kernel().sent.at(-1)!.data.state!._model_name, "DirectionalLinkModel");
  });

  it("are linked in the kernel, one way with a function or both ways", () => {
    const [a, b, c] = [new IntSlider({ value: 2 }), new Text(), new IntSlider()];
    const one = dlink([a, "value"], [b, "value"], (value) => `is ${value}`);
    assert.equal(b.value, "is 2");
    const both = link([a, "value"], [c, "value"]);
    c.value = 9;
    assert.deepEqual([a.value, b.value], [9, "is 9"]);
    one.unlink();
    both.unlink();
    a.value = 1;
    assert.deepEqual([b.value, c.value], ["is 9", 9]);
  });
});

describe("an Output", () => {
  const kernel = kernelOfTest();
  const { Output } = jupyter;
  const outputs = (output: InstanceType<typeof Output>): unknown[] => [...output.outputs];

  it("keeps what a function writes and displays, and nothing else", async () => {
    const output = new Output();
    const { kernel: small } = kernel();
    assert.equal(
      output.capture(() => {
        small.print("in");
        return 42;
      }),
      42,
    );
    small.print("beside");
    const later = output.capture(async () => {
      await Promise.resolve();
      small.print("later");
      small.publish("display_data", { data: { "text/html": "<b>" }, transient: { display_id: "d" } });
      small.publish("update_display_data", { data: { "text/html": "<i>" }, transient: { display_id: "d" } });
    });
    small.print("beside");
    await later;
    assert.deepEqual(outputs(output), [
      { output_type: "stream", name: "stdout", text: "in\nlater\n" },
      { output_type: "display_data", data: { "text/html": "<i>" }, metadata: {} },
    ]);
    assert.deepEqual(
      small.shown.map(([, { text }]) => text),
      ["beside\n", "beside\n"],
    );
    const { state } = kernel().sent.at(-1)!.data;
    assert.deepEqual(state!.outputs, outputs(output));
  });

  it("shows errors, of promises too, and returns", async () => {
    const output = new Output();
    const thrown = output.capture((): number => {
      throw new RangeError("too far");
    });
    assert.equal(thrown, undefined);
    assert.equal(await output.capture(async () => Promise.reject(new Error("later"))), undefined);
    assert.deepEqual(outputs(output), [
      { output_type: "error", ename: "RangeError", evalue: "too far", traceback: [] },
      { output_type: "error", ename: "Error", evalue: "later", traceback: [] },
    ]);
  });

  it("is cleared at once, or when the next output comes", async () => {
    const output = new Output();
    await output.append("one");
    output.clear(true);
    assert.equal(outputs(output).length, 1);
    await output.append("two");
    assert.deepEqual(outputs(output), [
      { output_type: "display_data", data: { "text/plain": "two" }, metadata: {} },
    ]);
    output.clear();
    assert.deepEqual(outputs(output), []);
  });

  it("sends much text in few messages, and its end only", () => {
    const output = new Output();
    const { length } = kernel().sent;
    output.capture(() => {
      for (let i = 0; i < 30_000; i++) kernel().kernel.print(`line ${i}`);
    });
    assert.ok(kernel().sent.length - length < 100, String(kernel().sent.length - length));
    const { text } = output.outputs[0] as { text: string };
    assert.ok(text.length > 100_000 && text.length <= 200_000, String(text.length));
    assert.match(text, /^….*line 29999\n$/s);
  });
});
