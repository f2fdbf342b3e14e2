import assert from "node:assert/strict";
import { ProgressLine, progressText } from "../../../kernel/display/progress.js";
import { kernelOfSuite, ofType } from "../client.js";

describe("progress lines", () => {
  /** The lines that are drawn for reports at the given milliseconds. */
  function lines(total: number, reports: readonly (readonly [ms: number, done: number])[]): string[] {
    let now = 0;
    const drawn: string[] = [];
    const line = new ProgressLine(
      (bundle) => drawn.push(String(bundle["text/plain"])),
      () => now,
    );
    for (const [ms, done] of reports) {
      now = ms;
      line.update({ task: "running", done, total });
    }
    line.finish();
    return drawn;
  }

  it("are not drawn for work that is over in half a second", () => {
    assert.deepEqual(
      lines(3, [
        [0, 1],
        [200, 2],
        [400, 3],
      ]),
      [],
    );
  });

  it("are drawn ten times a second after that, and at the end", () => {
    const drawn = lines(100, [
      [0, 10],
      [490, 20],
      [500, 40],
      [550, 50],
      [600, 60],
      [610, 100],
    ]);
    assert.deepEqual(
      drawn.map((text) => /\d+\/100/.exec(text)![0]),
      ["40/100", "60/100", "100/100"],
    );
  });

  it("say how far the work is, how fast and how long it still takes", () => {
    const text = progressText({ task: "training", done: 50, total: 200, values: { loss: 2.345678 } }, 10);
    assert.equal(text, "training  ██████░░░░░░░░░░░░░░░░░░  50/200  5/s  30 s left  loss 2.346");
    assert.equal(progressText({ task: "reading", done: 3 }, 0), "reading  3");
    assert.match(progressText({ task: "t", done: 4, total: 4 }, 130), /4\/4 {2}0\.0308\/s {2}in 2 min$/);
  });

  it("count the rate from where resumed work began", () => {
    assert.match(
      lines(2000, [
        [0, 1000],
        [1000, 1010],
      ])[0]!,
      /1010\/2000 {2}10\/s {2}2 min left/,
    );
  });
});

describe("progress in a notebook", () => {
  const kernel = kernelOfSuite();
  const generate = 'await model.generate("The", { maxNewTokens: 20, stopAtEos: false, onToken: pause });';

  before(async () => {
    await kernel().run(
      'import { loadModel } from "tslens";\nconst model = await loadModel("tiny-world");\n' +
        "let pause = async () => {};",
    );
  });

  it("is silent about a short generation, and shows a long one on one line", async () => {
    const short = await kernel().run(generate.replace("pause", "undefined"));
    assert.deepEqual(ofType(short.published, "display_data"), []);
    await kernel().run("pause = () => new Promise((done) => setTimeout(done, 60));");
    const long = await kernel().run(generate);
    const [first, ...more] = ofType(long.published, "display_data");
    assert.match(JSON.stringify(first!.content.data), /generating .*\/20/);
    assert.deepEqual(more, []);
    const last = ofType(long.published, "update_display_data").at(-1)!;
    assert.match(JSON.stringify(last.content.data), /20\/20/);
  });
});
