import assert from "node:assert/strict";
import { limited } from "../../../kernel/display/display.js";
import { mimeBundle } from "../../../kernel/display/mime.js";
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

  it("as a picture, a drawing or an element where it resembles one", async () => {
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

describe("a chart is shown", () => {
  const type = "application/vnd.vegalite.v5+json";
  const spec = {
    $schema: "https://vega.github.io/schema/vega-lite/v5.json",
    data: { values: [{ x: 1, y: 2, url: "https://example.org" }] },
    mark: "bar",
    encoding: { x: { field: "x", type: "ordinal" }, y: { field: "y", type: "quantitative" } },
  };

  it("as its specification with a picture and a text beside", async () => {
    for (const value of [spec, { toSpec: () => spec }]) {
      const bundle = (await mimeBundle(value))!;
      assert.deepEqual(bundle[type], spec);
      assert.match(String(bundle["image/svg+xml"]), /^<svg[\s\S]*<path[\s\S]*<\/svg>$/);
      assert.equal(typeof bundle["text/plain"], "string");
    }
  });

  it("of Vega as of Vega-Lite", async () => {
    const $schema = "https://vega.github.io/schema/vega/v5.json";
    const marks = [{ type: "rect", encode: { enter: { x: { value: 1 }, width: { value: 7 } } } }];
    const bundle = (await mimeBundle({ $schema, width: 10, height: 10, marks }))!;
    assert.ok(bundle["application/vnd.vega.v5+json"]);
    assert.match(String(bundle["image/svg+xml"]), /^<svg/);
  });

  it("without a picture, and with a sentence, where its data are elsewhere or it cannot be drawn", async () => {
    const elsewhere = (await mimeBundle({ ...spec, data: { url: "file:///etc/hostname" } }))!;
    assert.match(String(elsewhere["text/plain"]), /no static picture: the data are at file:/);
    assert.deepEqual(Object.keys(elsewhere), ["text/plain", type]);
    const broken = (await mimeBundle({ $schema: spec.$schema, mark: 3 }))!;
    assert.match(String(broken["text/plain"]), /no static picture: \w/);
  });
});

describe("records are shown", () => {
  it("as a table, escaped, with every column that any of them has", async () => {
    const bundle = (await mimeBundle([
      { a: 1 / 3, b: "<b>" },
      { a: null, "<i>": [1, 2] },
    ]))!;
    assert.equal(
      bundle["text/html"],
      "<table><thead><tr><th>a</th><th>b</th><th>&lt;i&gt;</th></tr></thead><tbody>" +
        "<tr><td>0.333333</td><td>&lt;b&gt;</td><td></td></tr>" +
        "<tr><td>null</td><td></td><td>[ 1, 2 ]</td></tr></tbody></table>",
    );
    assert.match(String(bundle["text/plain"]), /^\[/);
  });

  it("in part where there are many, with their number", async () => {
    const rows = Array.from({ length: 5000 }, (_, i) => ({ i }));
    const html = String((await mimeBundle(rows))!["text/html"]);
    assert.match(html, /<td>29<\/td><\/tr><tr><td>…<\/td><\/tr><tr><td>4970<\/td>/);
    assert.match(html, /5000 rows × 1 columns/);
  });

  it("of a data frame as of a list", async () => {
    const frame = { schema: {}, head: () => frame, toRecords: () => [{ a: 1 }] };
    assert.match(String((await mimeBundle(frame))!["text/html"]), /<th>a<\/th>.*<td>1<\/td>/);
  });

  it("as text where they are no records", async () => {
    for (const value of [[], [{}], [1], [{ a: 1 }, 2], [new Date(0)]]) {
      assert.deepEqual(Object.keys((await mimeBundle(value))!), ["text/plain"]);
    }
  });
});
