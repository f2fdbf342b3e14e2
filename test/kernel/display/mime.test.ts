import assert from "node:assert/strict";
import { limited } from "../../../kernel/display/display.js";
import { mimeBundle } from "../../../kernel/display/mime.js";
import { ProgressLine, progressText } from "../../../kernel/display/progress.js";
import { tensor } from "../../../src/array/index.js";

const display = Symbol.for("Jupyter.display");
const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1);

describe("a value is shown", () => {
  it("as it says itself, now or later, always with text beside", async () => {
    assert.deepEqual(await mimeBundle({ [display]: () => ({ "text/html": "<b>", "text/plain": "b" }) }), {
      "text/html": "<b>",
      "text/plain": "b",
    });
    const later = await mimeBundle({ [display]: async () => ({ "text/html": "<b>" }) });
    assert.equal(later!["text/html"], "<b>");
    assert.equal(typeof later!["text/plain"], "string");
  });

  it("with an error where what it says of itself is no bundle", async () => {
    await assert.rejects(
      mimeBundle({ [display]: () => "text" }),
      /returned 'text', not an object of MIME types/,
    );
  });

  it("as a chart, a picture, a drawing or an element where it resembles one", async () => {
    const spec = { $schema: "https://vega.github.io/schema/vega-lite/v5.json", mark: "bar" };
    assert.deepEqual((await mimeBundle({ toSpec: () => spec }))!["application/vnd.vegalite.v5+json"], spec);
    assert.equal((await mimeBundle(png))!["image/png"], Buffer.from(png).toString("base64"));
    assert.equal((await mimeBundle(Uint8Array.of(0xff, 0xd8, 0xff, 0)))!["image/jpeg"], "/9j/AA==");
    assert.equal((await mimeBundle({ outerHTML: "<svg></svg>" }))!["image/svg+xml"], "<svg></svg>");
    assert.equal((await mimeBundle({ outerHTML: "<p>" }))!["text/html"], "<p>");
    assert.equal((await mimeBundle({ toDataURL: () => "data:image/png;base64,AAAA" }))!["image/png"], "AAAA");
  });

  it("as text otherwise: text is never HTML", async () => {
    assert.deepEqual(await mimeBundle("<script>alert(1)</script>"), {
      "text/plain": "'<script>alert(1)</script>'",
    });
    assert.deepEqual(await mimeBundle(null), { "text/plain": "null" });
    assert.deepEqual(await mimeBundle(10n), { "text/plain": "10n" });
    assert.deepEqual(await mimeBundle(Uint8Array.of(1, 2)), { "text/plain": "Uint8Array(2) [ 1, 2 ]" });
    assert.equal(await mimeBundle(undefined), undefined);
  });

  it("with shape, type and range where it is a tensor", async () => {
    const bundle = await mimeBundle(tensor([1, 2, 3, 4], [2, 2]));
    assert.match(
      String(bundle!["text/plain"]),
      /^float32 \[2, 2\] {2}min 1 {2}mean 2\.5 {2}max 4\n\[1, 2\]\n\[3, 4\]$/,
    );
  });

  it("in part where a part of it is too large", () => {
    const bundle = limited({ "text/plain": "small", "text/html": "x".repeat(2 ** 26) });
    assert.deepEqual(Object.keys(bundle), ["text/plain"]);
    assert.match(String(bundle["text/plain"]), /too large.*text\/html of 64 MB[\s\S]*small/);
    assert.throws(() => limited({ "application/json": undefined }), /not JSON/);
  });
});

describe("a progress line", () => {
  it("says how far the work is, how fast and how long it still takes", () => {
    const text = progressText({ task: "training", done: 50, total: 200, values: { loss: 2.345678 } }, 10);
    assert.equal(text, "training  ██████░░░░░░░░░░░░░░░░░░  50/200  5/s  30 s left  loss 2.346");
    assert.equal(progressText({ task: "reading", done: 3 }, 0), "reading  3");
    assert.match(progressText({ task: "t", done: 4, total: 4 }, 130), /4\/4 {2}0\.0308\/s {2}in 2 min$/);
  });

  it("is drawn at most ten times a second, and at the end", () => {
    let now = 0;
    const drawn: string[] = [];
    const line = new ProgressLine(
      (bundle) => drawn.push(String(bundle["text/plain"])),
      () => now,
    );
    for (let done = 1; done <= 1000; done++) {
      now += 1;
      line.update({ task: "t", done, total: 1000 });
    }
    line.finish();
    assert.ok(drawn.length <= 11, `${drawn.length} drawn`);
    assert.match(drawn.at(-1)!, /1000\/1000/);
  });
});
