import assert from "node:assert/strict";
import { CurveRecorder } from "../../../kernel/display/curve-recorder.js";
import { ProgressBars } from "../../../kernel/display/progress.js";
import type { ProgressState } from "../../../widgets/progress/state.js";
import { progressDefaults } from "../../../widgets/progress/state.js";
import { progressText } from "../../../widgets/progress/text.js";
import { MemoryHost, type MemoryWidget } from "../../widgets/host.js";
import { kernelOfSuite, ofType } from "../client.js";

describe("the text of a progress bar", () => {
  it("says how far the work is, how fast and how long it still takes", () => {
    const state = { ...progressDefaults, task: "training", done: 50, total: 200, seconds: 10, rate: 5 };
    assert.equal(
      progressText({ ...state, values: { loss: "2.346" } }),
      "training  ██████░░░░░░░░░░░░░░░░░░  50/200  5/s  30 s left  loss 2.346",
    );
    assert.equal(progressText({ ...progressDefaults, task: "reading", done: 3 }), "reading  3");
    const over = progressText({ ...state, done: 200, seconds: 130, rate: 1 / 3 });
    assert.match(over, /200\/200 {2}0\.333\/s {2}in 2 min$/);
  });
});

describe("progress bars", () => {
  type Report = readonly [ms: number, done: number, values?: Record<string, number>];

  class Notebook {
    now = 0;
    stopped = 0;
    readonly texts: string[] = [];
    readonly host = new MemoryHost();
    readonly bars = new ProgressBars({
      replaceable: () => (bundle) => this.texts.push(String(bundle["text/plain"])),
      widgets: this.host,
      stop: () => this.stopped++,
      now: () => this.now,
    });

    report(total: number | undefined, reports: readonly Report[]): void {
      for (const [ms, done, values] of reports) {
        this.now = ms;
        this.bars.update({
          task: "running",
          done,
          ...(total === undefined ? {} : { total }),
          ...(values && { values }),
        });
      }
    }

    get widget(): MemoryWidget<ProgressState> {
      return this.host.widgets[0] as unknown as MemoryWidget<ProgressState>;
    }
  }

  it("are not drawn for work that is over in half a second", () => {
    const notebook = new Notebook();
    notebook.report(3, [
      [0, 1],
      [200, 2],
      [400, 3],
    ]);
    notebook.bars.finish();
    assert.deepEqual([notebook.texts, notebook.host.widgets], [[], []]);
  });

  it("are drawn ten times a second after that, and at the end", () => {
    const notebook = new Notebook();
    notebook.report(100, [
      [0, 10],
      [490, 20],
      [500, 40],
      [550, 50],
      [600, 60],
      [610, 100],
    ]);
    assert.deepEqual(
      notebook.texts.map((text) => /\d+\/100/.exec(text)![0]),
      ["40/100", "60/100", "100/100"],
    );
    assert.ok(notebook.widget.closed);
  });

  it("count the rate from where resumed work began", () => {
    const notebook = new Notebook();
    notebook.report(2000, [
      [0, 1000],
      [1000, 1010],
    ]);
    assert.match(notebook.texts[0]!, /1010\/2000 {2}10\/s {2}2 min left/);
  });

  it("speak in text until a front end shows the widget, then by the widget, and in text again at the end", async () => {
    const notebook = new Notebook();
    notebook.report(undefined, [
      [0, 1],
      [600, 2],
      [700, 3],
    ]);
    assert.deepEqual([notebook.texts.length, notebook.widget.patches], [2, []]);
    assert.match(notebook.texts[1]!, /^running {2}3 /);
    await notebook.widget.message({ method: "shown" });
    notebook.report(undefined, [
      [800, 4],
      [900, 5],
      [910, 6],
    ]);
    assert.equal(notebook.texts.length, 2);
    assert.deepEqual(
      notebook.widget.patches.map(({ done }) => done),
      [3, 4, 5],
    );
    notebook.bars.finish();
    assert.match(notebook.texts[2]!, /^running {2}6 /);
    await notebook.widget.message({ method: "shown" });
    assert.equal(notebook.widget.patches.length, 3, "a bar that is over stays as it is");
  });

  it("stop the work once, when the button is pressed", async () => {
    const notebook = new Notebook();
    notebook.report(9, [
      [0, 1],
      [600, 2],
    ]);
    await notebook.widget.message({ method: "stop" });
    await notebook.widget.message({ method: "stop" });
    assert.equal(notebook.stopped, 1);
    notebook.report(9, [[700, 3]]);
    assert.equal(notebook.widget.state.status, "stopping");
  });

  it("take the place of the bar of the task before", () => {
    const notebook = new Notebook();
    let displays = 0;
    const bars = new ProgressBars({
      replaceable: () => {
        displays++;
        return () => {};
      },
      widgets: notebook.host,
      stop: () => {},
      now: () => notebook.now,
    });
    for (let round = 0; round < 3; round++) {
      for (let done = 0; done <= 10; done++) {
        notebook.now += 100;
        bars.update({ task: "running", done, total: 10 });
      }
    }
    assert.deepEqual([displays, notebook.host.widgets.length], [1, 3]);
  });

  it("draw the course of the first figure, and none that is not a number", async () => {
    const notebook = new Notebook();
    notebook.report(10, [
      [0, 1, { loss: 5 }],
      [600, 2, { loss: Number.NaN }],
    ]);
    await notebook.widget.message({ method: "shown" });
    notebook.report(10, [[700, 3, { loss: 4 }]]);
    const { curve, values } = notebook.widget.state;
    assert.deepEqual(curve, {
      name: "loss",
      points: [
        [1, 5],
        [3, 4],
      ],
    });
    assert.deepEqual(values, { loss: "4" });
  });

  it("keep a curve of any length in few points, evenly spaced, to the latest", () => {
    const recorder = new CurveRecorder("loss");
    for (let i = 0; i < 10_001; i++) recorder.add(i, i);
    const { points } = recorder.curve;
    assert.ok(points.length >= 100 && points.length <= 200, String(points.length));
    assert.deepEqual(points.at(-1), [10_000, 10_000]);
    const steps = new Set(points.slice(1, -1).map(([done], i) => done - points[i]![0]));
    assert.equal(steps.size, 1);
  });
});

describe("progress in a notebook", () => {
  const kernel = kernelOfSuite();
  const train = (steps: number): string =>
    `await train(fresh, { steps: ${steps}, schedule: constantRate(0.001), batch: async () => { await pause(); return fresh.batch(rows); } });`;

  before(async () => {
    await kernel().run(`
      import { newLanguageModel } from "tslens";
      import { constantRate, train } from "tslens/train";
      const fresh = newLanguageModel({ model_type: "gpt2", n_layer: 1, n_head: 2, n_embd: 8, n_positions: 8, vocab_size: 9 });
      const rows = [[1, 2, 3], [4, 5, 6]];
      let pause = async () => {};`);
    await kernel().run(train(1));
  });

  it("is silent about short work, and shows long work in one place", async () => {
    const short = await kernel().run(train(2));
    assert.deepEqual(ofType(short.published, "display_data"), []);
    await kernel().run("pause = () => new Promise((done) => setTimeout(done, 60));");
    const long = await kernel().run(train(20));
    const [first, ...more] = ofType(long.published, "display_data");
    const data = first!.content.data as Record<string, unknown>;
    assert.match(String(data["text/plain"]), /^training .*\/20 .*loss \d/);
    assert.ok(data["application/vnd.jupyter.widget-view+json"]);
    assert.deepEqual(more, []);
    const last = ofType(long.published, "update_display_data").at(-1)!.content.data as Record<
      string,
      unknown
    >;
    assert.deepEqual(Object.keys(last), ["text/plain", "text/html"]);
    assert.match(String(last["text/plain"]), /20\/20/);
    assert.match(String(last["text/html"]), /<polyline/);
  });

  it("has a stop button that ends the cell and keeps its variables", async () => {
    const from = kernel().published.length;
    const id = await kernel().start(train(100_000));
    const opened = () =>
      kernel()
        .published.slice(from)
        .find(
          ({ header, content }) =>
            header.msg_type === "comm_open" && JSON.stringify(content).includes("ProgressModel"),
        );
    await kernel().until(() => opened() !== undefined);
    const data = { method: "custom", content: { method: "stop" } };
    await kernel().send("comm_msg", { comm_id: opened()!.content.comm_id, data });
    const { reply } = await kernel().answer(id);
    assert.equal(reply.ename, "KeyboardInterrupt");
    assert.equal(await kernel().valueOf("rows.length"), "2");
  });
});
