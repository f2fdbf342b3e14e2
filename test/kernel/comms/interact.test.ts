import assert from "node:assert/strict";
import {
  fixed,
  HBox,
  IntSlider,
  interact,
  interactive,
  setCurrentWidgets,
  type ValueWidget,
} from "../../../kernel/comms/index.js";
import type { Json } from "../../../kernel/protocol/message.js";
import { host } from "./host.js";

describe("interact", () => {
  let kernel: ReturnType<typeof host>;
  beforeEach(() => {
    kernel = host();
    setCurrentWidgets(kernel.widgets);
  });
  afterEach(() => setCurrentWidgets(undefined));

  const fromReader = (widget: { readonly id: string }, state: Json): void =>
    kernel.receive(widget.id, { method: "update", state, buffer_paths: [] });
  const texts = (outputs: readonly object[]): unknown[] =>
    outputs.map((output) => {
      const { text, data, evalue } = output as { text?: string; data?: Json; evalue?: string };
      return text ?? data?.["text/plain"] ?? evalue;
    });

  it("makes the controls that ipywidgets makes of abbreviations", () => {
    const controls = (abbreviations: object): unknown[] =>
      interactive(() => {}, abbreviations as never, { manual: true })
        .children.slice(0, -2)
        .map((child) => {
          const widget = child as unknown as ValueWidget & { min?: number; max?: number; step?: number };
          const { min, max, step, value } = widget;
          return [widget.constructor.name, value, ...(min === undefined ? [] : [min, max, step])];
        });
    assert.deepEqual(controls({ a: [0, 10], b: [0, 10, 4], c: [0, 1.5], d: [0, 1, 0.25] }), [
      ["IntSlider", 5, 0, 10, 1],
      ["IntSlider", 4, 0, 10, 4],
      ["FloatSlider", 0.75, 0, 1.5, 0.1],
      ["FloatSlider", 0.5, 0, 1, 0.25],
    ]);
    assert.deepEqual(controls({ a: 10, b: 0, c: -2, d: 0.5 }), [
      ["IntSlider", 10, -10, 30, 1],
      ["IntSlider", 0, 0, 1, 1],
      ["IntSlider", -2, -6, 2, 1],
      ["FloatSlider", 0.5, -0.5, 1.5, 0.1],
    ]);
    assert.deepEqual(
      controls({ a: true, b: "text", c: ["x", "y"], d: { one: 1 }, e: [1, 2, 3, 4], f: fixed(7) }),
      [
        ["Checkbox", true],
        ["Text", "text"],
        ["Dropdown", "x"],
        ["Dropdown", 1],
        ["Dropdown", 1],
      ],
    );
  });

  it("refuses what stands for no control, and ranges that are none", () => {
    const make = (abbreviation: unknown) => () => interactive(() => {}, { x: abbreviation as never });
    assert.throws(make(null), /^TypeError: null stands for no control of x: give a number, \[from, to\]/);
    assert.throws(make([]), /a list of 0 stands for no control of x/);
    assert.throws(make({}), /stands for no control of x/);
    assert.throws(make([3, 1]), /The slider of x would go from 3 down to 1/);
    assert.throws(make([0, 1, 0]), /in steps of 0/);
    assert.throws(make(Number.NaN), /No slider of x goes around NaN/);
    assert.throws(make(new HBox()), /x cannot be controlled by a HBox: it has no value/);
  });

  it("runs the function with the values in their order, and anew when a reader turns one", async () => {
    const slider = new IntSlider({ value: 2, max: 9 });
    const calls: unknown[] = [];
    const widget = interactive(
      (x: number, choice: string, hidden: number) => {
        calls.push([x, choice, hidden]);
        kernel.kernel.print(`at ${x}`);
        return x * 10;
      },
      { x: slider, choice: ["a", "b"], hidden: fixed(7) },
    );
    await widget.update();
    assert.deepEqual(texts(widget.output.outputs), ["at 2\n", "20"]);
    assert.equal(widget.result, 20);
    assert.equal(slider.description, "x");
    fromReader(slider, { value: 5 });
    await widget.update();
    const dropdown = widget.children[1] as unknown as { id: string };
    fromReader(dropdown, { index: 1 });
    await widget.update();
    assert.deepEqual(calls.at(0), [2, "a", 7]);
    assert.deepEqual(calls.at(-1), [5, "b", 7]);
    assert.deepEqual(texts(widget.output.outputs), ["at 5\n", "50"]);
  });

  it("shows the error of a run, and what the next one gives", async () => {
    const slider = new IntSlider({ value: 1 });
    const widget = interactive(
      async (x: number) => {
        if (x === 1) throw new RangeError("not one");
      },
      { x: slider },
    );
    await widget.update();
    assert.deepEqual(texts(widget.output.outputs), ["not one"]);
    assert.equal(widget.result, undefined);
    slider.value = 2;
    await widget.update();
    assert.deepEqual(texts(widget.output.outputs), [], "a run without output takes the old one away");
  });

  it("shows the controls and waits for the first run, and gives nothing that would be shown again", async () => {
    let runs = 0;
    assert.equal(await interact(() => void runs++, { x: 3 }), undefined);
    assert.equal(runs, 1);
    const [[type, { data }]] = kernel.kernel.shown as [[string, { data: Json }]];
    assert.equal(type, "display_data");
    assert.ok(data["application/vnd.jupyter.widget-view+json"]);
  });

  it("runs once more for all changes that come while it runs", async () => {
    const slider = new IntSlider({ value: 0 });
    const seen: number[] = [];
    const widget = interactive(
      async (x: number) => {
        seen.push(x);
        await new Promise((done) => setTimeout(done, 5));
      },
      { x: slider },
    );
    for (let x = 1; x < 50; x++) fromReader(slider, { value: x });
    await widget.update();
    assert.deepEqual(seen, [0, 49]);
  });

  it("waits for its button where it is manual, and ends with its controls", async () => {
    let runs = 0;
    const widget = interactive(() => ++runs, { x: 3 }, { manual: true, button: "Go" });
    const [slider, button] = widget.children as unknown as [IntSlider, { id: string; description: string }];
    slider.value = 4;
    assert.equal(runs, 0);
    assert.equal(button.description, "Go");
    kernel.receive(button.id, { method: "custom", content: { event: "click" } });
    await widget.update();
    assert.ok(runs > 0);
    widget.close();
    assert.ok(slider.closed && widget.output.closed);
    assert.equal(kernel.widgets.all.size, 0);
  });
});
