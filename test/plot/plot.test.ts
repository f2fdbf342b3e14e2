import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { Ajv } from "ajv";
import * as vegaLite from "vega-lite";
import schema from "vega-lite/build/vega-lite-schema.json" with { type: "json" };
import { displaySymbol, slice, tensor } from "../../src/array/index.js";
import { barChart, heatmap, lineChart, type Plot, scatter } from "../../src/plot/index.js";
import { repository } from "../shared.js";

const script = "<script>alert(1)</script>";
const hostile = [
  script,
  '"]+alert(1)+["',
  "\\u2028",
  "\u2028'\"\n",
  "$" + "{1}",
  "datum.x",
  "<img src=x onerror=alert(1)>",
  "]]>",
];
const numbers = hostile.map((_, i) => i - 2);

const charts: Record<string, { plot: Plot; mark: string; count: number }> = {
  heatmap: {
    plot: heatmap([numbers, numbers], {
      xLabels: hostile,
      yLabels: hostile.slice(0, 2),
      title: script,
      xTitle: script,
      valueTitle: script,
    }),
    mark: "mark-rect",
    count: 16,
  },
  "heatmap of masked scores": {
    plot: heatmap([
      [0, -Infinity],
      [Number.NaN, 2],
    ]),
    mark: "mark-rect",
    count: 4,
  },
  "line chart": {
    plot: lineChart(
      { [script]: [3, 2, Number.NaN, 1], other: [1, 1, 1, 1] },
      { title: script, yTitle: script, logY: true },
    ),
    mark: "mark-line",
    count: 2,
  },
  "line chart with bands": {
    plot: lineChart([{ name: "a", x: [1, 10, 100], y: [1, 2, 3], lower: [0, 1, 2], upper: [2, 3, 4] }], {
      logX: true,
    }),
    mark: "mark-area",
    count: 1,
  },
  "bar chart": {
    plot: barChart(numbers, {
      labels: hostile,
      groups: hostile.map((_, i) => (i % 2 ? script : "b")),
      errors: numbers.map(() => 0.5),
      title: script,
    }),
    mark: "mark-rect",
    count: 8,
  },
  "upright bar chart": { plot: barChart([1, 2], { labels: [" a", " a"] }), mark: "mark-rect", count: 2 },
  "scatter plot": {
    plot: scatter(numbers, numbers, { labels: hostile, groups: hostile, showLabels: true, title: script }),
    mark: "mark-text",
    count: 8,
  },
  "coloured scatter plot": {
    plot: scatter([1, 2, Infinity], [1, 2, 3], { colours: [1, Number.NaN, 2] }),
    mark: "mark-symbol",
    count: 2,
  },
  "dark heatmap": { plot: heatmap([[1]], { theme: "dark", title: "t" }), mark: "mark-rect", count: 1 },
};

/** How many shapes the mark group of this class has. */
function shapes(svg: string, mark: string): number {
  return [...svg.matchAll(new RegExp(`<g class="${mark} role-mark[^>]*>(.*?)</g>`, "g"))]
    .map(([, body]) => [...body!.matchAll(/<(path|text)\b/g)].length)
    .reduce((a, b) => a + b, 0);
}

describe("plot", () => {
  const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema);

  for (const [name, { plot, mark, count }] of Object.entries(charts)) {
    it(`a ${name} is a valid Vega-Lite specification that compiles without warnings`, () => {
      const spec = JSON.parse(JSON.stringify(plot.spec)) as vegaLite.TopLevelSpec;
      assert.deepEqual(spec as unknown, plot.spec, "plain JSON");
      assert.ok(validate(spec), JSON.stringify(validate.errors?.slice(0, 3)));
      const said: unknown[] = [];
      const logger = {
        level: () => logger,
        warn: (...message: unknown[]) => (said.push(...message) ? logger : logger),
        error: (...message: unknown[]) => (said.push(...message) ? logger : logger),
        info: () => logger,
        debug: () => logger,
      };
      vegaLite.compile(spec, { logger: logger as never });
      assert.deepEqual(said, []);
    });

    it(`a ${name} is drawn with its marks, and labels stay text`, async () => {
      const svg = await plot.toSVG();
      assert.equal(shapes(svg, mark), count);
      assert.doesNotMatch(svg, /<script|<img|onerror=[^&]*>[^<]*<\/img/i);
      assert.doesNotMatch(plot.toText(), /undefined|\[object/);
    });

    it(`a ${name} shows itself as specification, picture and text together`, async () => {
      const bundle = await plot[displaySymbol]();
      assert.deepEqual(Object.keys(bundle), [
        "application/vnd.vegalite.v5+json",
        "image/svg+xml",
        "text/plain",
      ]);
      assert.equal(bundle["application/vnd.vegalite.v5+json"], plot.spec);
      assert.match(String(bundle["image/svg+xml"]), /^<svg/);
      assert.equal(bundle["text/plain"], plot.toText());
    });
  }

  it("labels of script are readable in the picture, and equal labels keep their own places", async () => {
    const svg = await heatmap([[1, 2, 3]], { xLabels: ["the", script, "the"] }).toSVG();
    assert.match(svg, /&lt;script&gt;alert\(1\)&lt;\/script&gt;/);
    assert.equal([...svg.matchAll(/>the</g)].length, 2);
    assert.equal(shapes(svg, "mark-rect"), 3);
  });

  it("a heatmap is diverging about 0 where values of both signs come, otherwise viridis", () => {
    const scale = (plot: Plot): Record<string, unknown> =>
      (plot.spec.layer as { encoding: { color: { scale: Record<string, unknown> } } }[])[0]!.encoding.color
        .scale;
    assert.deepEqual(scale(heatmap([[-1, 3]])), {
      scheme: "purpleorange",
      domain: [-3, 3],
      domainMid: 0,
      reverse: true,
      clamp: true,
    });
    assert.deepEqual(scale(heatmap([[1, 3]])), { scheme: "viridis", domain: [1, 3], clamp: true });
    assert.equal(scale(heatmap([[0, 0]], { scale: "diverging" })).domainMid, 0);
    assert.deepEqual(scale(heatmap([[5, 9]], { domain: [0, 1] })).domain, [0, 1]);
    assert.deepEqual(scale(heatmap([[Number.NaN]])).domain, [0, 1]);
  });

  it("takes strided tensors", () => {
    const x = tensor([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2]);
    assert.match(heatmap(slice(x, 2, 1)).toText(), /0 {2}2 {2}4\n1 {2}6 {2}8/);
  });

  it("says the same as text: tables, courses and bars", () => {
    assert.equal(
      heatmap([[0.5, -Infinity]], { xLabels: ["a", "b"], yLabels: ["q"], title: "T" }).toText(),
      "T\n     a   b\nq  0.5  -∞",
    );
    assert.equal(lineChart({ loss: [1, 2, 3] }).toText(), "line  first  last\nloss      1     3  ▁▅█");
    assert.equal(
      barChart([1, -0.5], { labels: ["up", "down"] }).toText(),
      `up       1  ${"█".repeat(30)}\ndown  -0.5  ${"█".repeat(15)}`,
    );
    assert.match(scatter([1], [2], { labels: ["p"] }).toText(), /p {2}1 {2}2/);
    assert.match(scatter([Infinity], [2]).toText(), /1 not drawn: a coordinate is not finite/);
    const large = heatmap(Array(100).fill(Array(100).fill(0.123456)))
      .toText()
      .split("\n");
    assert.ok(large.length <= 25 && large.every((line) => line.length < 110));
  });

  it("says what does not fit", () => {
    assert.throws(() => heatmap(tensor([1, 2])), /shape \[rows, columns\]; \[2\] came/);
    assert.throws(() => heatmap([[1]], { xLabels: ["a", "b"] }), /x axis has 1 places, but 2 labels came/);
    assert.throws(
      () => heatmap(tensor(new Float32Array(300 * 300), [300, 300])),
      /300 × 300 cells is too large/,
    );
    assert.throws(() => heatmap([[1]], { theme: "blue" as "dark" }), /"light" or "dark"; "blue" came/);
    assert.throws(() => lineChart([{ name: "a", x: [1], y: [1, 2] }]), /"a" has 2 values of y, but 1 of x/);
    assert.throws(
      () => lineChart({ a: [0] }, { logY: true }),
      /logarithmic y axis takes values above 0; "a" has 0/,
    );
    assert.throws(() => barChart([1], { errors: [1, 2] }), /1 values came with 2 errors/);
    assert.throws(() => scatter([1], [1, 2]), /1 values of x came with 2 values of y/);
    assert.throws(() => scatter([1], [1], { groups: ["a"], colours: [1] }), /not by both/);
  });

  it("draws empty charts", async () => {
    for (const plot of [
      heatmap(tensor([], [0, 0])),
      lineChart({}),
      lineChart({ a: [] }),
      barChart([]),
      scatter([], []),
    ]) {
      assert.match(await plot.toSVG(), /^<svg/);
      assert.equal(typeof plot.toText(), "string");
    }
  });

  it("does not load Vega before a chart is drawn", () => {
    const code = `
      import module from "node:module";
      await import("./src/plot/index.ts");
      const loaded = Object.keys(module.createRequire(import.meta.url).cache).filter((name) => /vega/.test(name));
      if (loaded.length > 0) throw new Error(loaded[0]);`;
    execFileSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", code], {
      cwd: repository,
    });
  });
});
