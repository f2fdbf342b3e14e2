import assert from "node:assert/strict";
import { limited } from "../../../kernel/display/display.js";
import { mimeBundle } from "../../../kernel/display/mime.js";
import { metadataOf, pngOf } from "../../../kernel/display/picture.js";
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

describe("a drawing has a PNG beside it", () => {
  const size = (png: unknown): number[] => {
    const header = Buffer.from(String(png), "base64");
    assert.equal(header.toString("latin1", 1, 4), "PNG");
    return [header.readUInt32BE(16), header.readUInt32BE(20)];
  };

  it("twice as large, which its metadata says, so that it is shown at its size", async () => {
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><rect width="9" height="9"/></svg>';
    const bundle = (await mimeBundle({ outerHTML: svg }))!;
    assert.deepEqual(size(bundle["image/png"]), [80, 60]);
    assert.deepEqual(metadataOf(bundle), { "image/png": { width: 40, height: 30 } });
    assert.deepEqual(metadataOf({ "image/png": "" }), {});
    const own = (await mimeBundle({ [display]: () => ({ "image/svg+xml": svg, "image/png": "mine" }) }))!;
    assert.equal(own["image/png"], "mine");
  });

  it("with letters, whether or not the machine has fonts", async () => {
    const draw = (text: string): string =>
      `<svg xmlns="http://www.w3.org/2000/svg" width="200" height="40"><text x="5" y="30" font-size="24" font-family="NoSuchFont">${text}</text></svg>`;
    const [empty, words, others] = await Promise.all(
      ["", "head 5 → α", "head 6 → β"].map((text) => pngOf(draw(text))),
    );
    assert.ok(
      words!.length > empty!.length + 500,
      `${words!.length} bytes, ${empty!.length} without letters`,
    );
    assert.notDeepEqual(words, others);
    assert.deepEqual(await pngOf(draw("head 5 → α")), words, "the same each time");
  });

  it("unless it cannot be drawn, or is huge", async () => {
    for (const svg of ["<svg>", '<svg xmlns="http://www.w3.org/2000/svg" width="90000" height="9"></svg>'])
      assert.deepEqual(Object.keys((await mimeBundle({ outerHTML: svg }))!), ["text/plain", "image/svg+xml"]);
  });

  it("as every chart has", async () => {
    const $schema = "https://vega.github.io/schema/vega-lite/v5.json";
    const spec = { $schema, data: { values: [{ x: 1 }] }, mark: "point", encoding: { x: { field: "x" } } };
    const [width, height] = size((await mimeBundle(spec))!["image/png"]);
    assert.ok(width! > 40 && height! > 40, `${width} × ${height}`);
  });
});

describe("a data frame is shown", () => {
  const resource = "application/vnd.dataresource+json";
  const records = Array.from({ length: 100 }, (_, i) => ({ id: BigInt(i), score: i / 4, name: `<${i}>` }));

  /** As nodejs-polars: parts of a frame are frames. */
  const polars = (rows: readonly object[]): object => ({
    schema: { id: "DataType(Int64)", score: "DataType(Float64)", name: "DataType(Utf8)" },
    height: rows.length,
    head: (n: number) => polars(rows.slice(0, n)),
    tail: (n: number) => polars(rows.slice(-n)),
    toRecords: () => rows,
  });
  const danfo = {
    columns: ["id", "score", "name"],
    dtypes: ["int32", "float32", "string"],
    values: records.map(({ id, score, name }) => [Number(id), score, name]),
  };
  const arquero = {
    columnNames: () => ["id", "score", "name"],
    numRows: () => records.length,
    objects: ({ offset, limit }: { offset: number; limit: number }) => records.slice(offset, offset + limit),
  };

  for (const [library, frame] of Object.entries({ polars: polars(records), danfo, arquero })) {
    it(`of ${library}: as a table and as data with their types`, async () => {
      const bundle = (await mimeBundle(frame))!;
      const html = String(bundle["text/html"]);
      assert.match(html, /<th>id<\/th><th>score<\/th><th>name<\/th>/);
      assert.match(html, /<td>29<\/td><td>7\.25<\/td><td>&lt;29&gt;<\/td><\/tr><tr><td>…/);
      assert.match(html, /<td>99<\/td><td>24\.75<\/td>.*100 rows × 3 columns/);
      const { schema, data } = bundle[resource] as {
        schema: { fields: { name: string; type: string }[] };
        data: object[];
      };
      assert.deepEqual(
        schema.fields.map(({ name, type }) => [name, type]),
        [
          ["id", "integer"],
          ["score", "number"],
          ["name", "string"],
        ],
      );
      assert.equal(data.length, 100);
      assert.deepEqual(data[1], { id: 1, score: 0.25, name: "<1>" });
      assert.doesNotThrow(() => JSON.stringify(bundle));
    });
  }

  it("with the text that it writes itself", async () => {
    const bundle = (await mimeBundle({ ...danfo, toString: () => "a table of letters" }))!;
    assert.equal(bundle["text/plain"], "a table of letters");
  });

  it("without its rows being taken more than its table needs", async () => {
    const asked: number[] = [];
    const frame = {
      ...polars([]),
      height: 10_000_000,
      head: (n: number) => asked.push(n) && polars(records.slice(0, n)),
      tail: (n: number) => asked.push(n) && polars(records.slice(-n)),
      toRecords: () => assert.fail("all rows were taken"),
    };
    assert.match(String((await mimeBundle(frame))!["text/html"]), /10000000 rows × 3 columns/);
    assert.ok(Math.max(...asked) <= 200);
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

  it("as text where they are no records", async () => {
    for (const value of [[], [{}], [1], [{ a: 1 }, 2], [new Date(0)]]) {
      assert.deepEqual(Object.keys((await mimeBundle(value))!), ["text/plain"]);
    }
  });
});
