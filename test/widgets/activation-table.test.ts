import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createActivationTable } from "../../widgets/activation-table/model.js";
import type { ActivationTableState, TileAnswer } from "../../widgets/activation-table/state.js";
import { decodeTensor } from "../../widgets/tensor.js";
import { MemoryHost, type MemoryWidget } from "./host.js";
import { ComputedSource, noise, normal } from "./source.js";

const tokens = ["<|bos|>", "The", " cat", " sat"];

async function open(source: ComputedSource, options = {}) {
  const table = await createActivationTable(new MemoryHost(), source, options);
  return { table, widget: table.handle as MemoryWidget<ActivationTableState> };
}

/** The window of the table as rows of numbers. */
function shown({ state }: MemoryWidget<ActivationTableState>): number[][] {
  const { data, shape } = decodeTensor(state.view!.window.data);
  return Array.from({ length: shape[0]! }, (_, row) => [
    ...data.subarray(row * shape[1]!, (row + 1) * shape[1]!),
  ]);
}

const order = (wire: Parameters<typeof decodeTensor>[0]): number[] => [...decodeTensor(wire).data];

function residual(rows = 4, cols = 6): ComputedSource {
  return new ComputedSource([tokens]).add(
    { name: "blocks.0.hook_resid_pre", shape: [1, rows, cols], axes: ["batch", "pos", "unit"] },
    (_batch, pos, unit) => Math.fround(normal(pos!, unit!)),
  );
}

function attention(heads: number, length: number): ComputedSource {
  return new ComputedSource([Array.from({ length }, (_, i) => ` t${i}`)]).add(
    {
      name: "blocks.0.attn.hook_pattern",
      shape: [1, heads, length, length],
      axes: ["batch", "head", "query", "key"],
      range: [0, 1],
    },
    (_batch, head, query, key) => (key! > query! ? 0 : Math.fround(noise(head!, query!, key!))),
  );
}

describe("widgets/activation-table/model", () => {
  it("names the browser half by the exact version of its package", async () => {
    const { widget } = await open(residual());
    const { name, version } = JSON.parse(
      readFileSync(new URL("../../widgets/package.json", import.meta.url), "utf8"),
    );
    assert.deepEqual(
      [widget.identity._model_module, widget.identity._model_module_version, widget.identity._view_name],
      [name, version, "ActivationTableView"],
    );
  });

  it("shows tokens by units, with the statistics of the whole table", async () => {
    const { widget } = await open(residual());
    const { view } = widget.state;
    const all = shown(widget).flat();
    assert.equal(all.length, 24);
    assert.equal(all[7], Math.fround(normal(1, 1)));
    assert.deepEqual(view!.row_names, tokens);
    assert.equal(view!.summary.min, Math.min(...all));
    assert.equal(view!.summary.max, Math.max(...all));
    assert.ok(Math.abs(view!.summary.mean! - all.reduce((sum, value) => sum + value, 0) / 24) < 1e-9);
  });

  it("sorts the columns by a token, and the rows by a unit", async () => {
    const { table, widget } = await open(residual());
    widget.fromBrowser({ col_order: { by: 2, descending: true } });
    await table.settled();
    const row = shown(widget)[2]!;
    assert.deepEqual(
      row,
      row.toSorted((a, b) => b - a),
    );
    assert.deepEqual(
      row,
      order(widget.state.view!.col_order).map((unit) => Math.fround(normal(2, unit))),
    );
    widget.fromBrowser({ col_order: null, row_order: { by: 3, descending: false } });
    await table.settled();
    const column = shown(widget).map((values) => values[3]!);
    assert.deepEqual(
      column,
      column.toSorted((a, b) => a - b),
    );
  });

  it("finds the top units over the whole of a table that is far wider than what it sends", async () => {
    const source = new ComputedSource([tokens]).add(
      { name: "logits", shape: [1, 4, 50_000], axes: ["batch", "pos", "token"] },
      (_batch, pos, token) =>
        token === 49_321 && pos === 3 ? -9 : token === 40_001 ? 5 : noise(pos!, token!),
    );
    const { widget } = await open(source, { topK: 2 });
    assert.deepEqual(order(widget.state.view!.col_order), [49_321, 40_001]);
    assert.deepEqual(shown(widget)[3], [-9, 5]);
    assert.equal(widget.state.view!.cols, 2);
    assert.equal(widget.state.view!.all_cols, 50_000);
  });

  it("puts masked values and NaN last, whatever the direction", async () => {
    const values = [Number.NaN, 2, -Infinity, 1, 3];
    const source = new ComputedSource([tokens]).add(
      { name: "scores", shape: [1, 5], axes: ["pos", "key"] },
      (_pos, key) => values[key!]!,
    );
    const { table, widget } = await open(source, { columnOrder: { by: 0, descending: true } });
    assert.deepEqual(order(widget.state.view!.col_order), [4, 1, 3, 0, 2]);
    widget.fromBrowser({ col_order: { by: 0, descending: false } });
    await table.settled();
    assert.deepEqual(order(widget.state.view!.col_order), [3, 1, 4, 0, 2]);
  });

  it("keeps masked scores, NaN and infinity out of the colour scale, and counts them", async () => {
    const values = [-Infinity, 1, Number.NaN, -4, Infinity, -Infinity];
    const source = new ComputedSource([tokens]).add(
      { name: "scores", shape: [1, 6], axes: ["pos", "key"] },
      (_pos, key) => values[key!]!,
    );
    const { widget } = await open(source);
    const { summary, scale } = widget.state.view!;
    assert.deepEqual(
      [summary.masked, summary.nan, summary.infinite, summary.min, summary.max],
      [2, 1, 1, -4, 1],
    );
    assert.deepEqual(scale, { kind: "diverging", low: -4, high: 4 });
  });

  it("never sends a [12, 1024, 1024] pattern whole: a window, then only the tiles that are asked for", async () => {
    const source = attention(12, 1024);
    const { widget } = await open(source, { head: 7 });
    const window = widget.state.view!.window;
    assert.ok((window.data.data as ArrayBuffer).byteLength <= 128 * 256 * 4);
    assert.equal(shown(widget)[100]![37], Math.fround(noise(7, 100, 37)));
    await widget.message({
      method: "tiles",
      view: widget.state.view!.id,
      tiles: [
        [15, 3],
        [8, 8],
      ],
    });
    const [{ content, buffers }] = widget.sent as [(typeof widget.sent)[number]];
    const answer = content as TileAnswer;
    assert.deepEqual(
      answer.tiles.map(({ at, shape }) => [at, shape]),
      [
        [
          [15, 3],
          [64, 64],
        ],
        [
          [8, 8],
          [64, 64],
        ],
      ],
    );
    assert.equal((buffers[0] as Float32Array)[5 * 64 + 9], Math.fround(noise(7, 15 * 64 + 5, 3 * 64 + 9)));
    assert.equal(answer.tiles[0]!.col_names![9], ` t${3 * 64 + 9}`);
    assert.equal(
      buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0),
      2 * 64 * 64 * 4,
    );
  });

  it("sends the tiles of a sorted table in its order", async () => {
    const source = residual(70, 200);
    const { widget } = await open(source, {
      columnOrder: { by: 5, descending: true },
      rowOrder: { by: 8, descending: false },
    });
    await widget.message({ method: "tiles", view: widget.state.view!.id, tiles: [[1, 2]] });
    const [rows, cols] = [order(widget.state.view!.row_order), order(widget.state.view!.col_order)];
    const tile = widget.sent[0]!.buffers[0] as Float32Array;
    for (const [i, j] of [
      [0, 0],
      [5, 63],
      [3, 20],
    ] as const)
      assert.equal(tile[i * 64 + j], Math.fround(normal(rows[64 + i]!, cols[128 + j]!)));
  });

  it("does not answer about a table that is no longer shown", async () => {
    const source = attention(2, 300);
    const { table, widget } = await open(source);
    const old = widget.state.view!.id;
    widget.fromBrowser({ head: 1 });
    await table.settled();
    await widget.message({ method: "tiles", view: old, tiles: [[0, 0]] });
    assert.deepEqual(widget.sent, []);
    // A table that is overtaken while its tiles are being read.
    let release = (): void => {};
    source.pause = () => new Promise((resolve) => (release = resolve));
    const answered = widget.message({ method: "tiles", view: widget.state.view!.id, tiles: [[1, 1]] });
    const reading = release;
    source.pause = () => {};
    widget.fromBrowser({ head: 0 });
    await table.settled();
    reading();
    await answered;
    assert.deepEqual(widget.sent, []);
  });

  it("makes one table of choices that come together, and only the last of those that come fast", async () => {
    const source = attention(8, 40);
    const { table, widget } = await open(source);
    widget.patches.length = 0;
    for (let head = 1; head < 8; head++) {
      widget.fromBrowser({ head });
      await Promise.resolve();
    }
    await table.settled();
    const views = widget.patches.filter(({ view }) => view);
    assert.deepEqual(
      views.map(({ view }) => view!.head),
      [7],
    );
  });

  it("does not go over the table again to sort it", async () => {
    const source = residual(64, 512);
    const { table, widget } = await open(source);
    source.given = 0;
    widget.fromBrowser({ col_order: { by: "magnitude", descending: true }, top_k: 8 });
    await table.settled();
    assert.ok(source.given <= 64 * 512, `${source.given} values were read`);
    assert.equal(widget.state.view!.cols, 8);
  });

  it("shrinks all heads to pictures that keep the largest magnitudes", async () => {
    const source = new ComputedSource([tokens]).add(
      { name: "pattern", shape: [1, 3, 96, 96], axes: ["batch", "head", "query", "key"] },
      (_batch, head, query, key) => (key! > query! ? -Infinity : query === 50 && key === 21 ? -head! : 0),
    );
    const { widget } = await open(source);
    const { data, shape } = decodeTensor(widget.state.overview!.data);
    assert.deepEqual(shape, [3, 24, 24]);
    assert.equal(data[2 * 576 + 12 * 24 + 5], -2);
    assert.ok(Number.isNaN(data[23]), "a wholly masked block");
  });

  it("lays out heads as rows where there is nothing else to be a row", async () => {
    const source = new ComputedSource([tokens]).add(
      { name: "head_norms", shape: [1, 12, 4], axes: ["batch", "head", "pos"] },
      (_batch, head, pos) => head! * 10 + pos!,
    );
    const { widget } = await open(source);
    const { rows, cols, row_axis, col_names, heads } = widget.state.view!;
    assert.deepEqual([rows, cols, row_axis, heads], [12, 4, "head", 0]);
    assert.deepEqual(col_names, tokens);
    assert.equal(shown(widget)[11]![3], 113);
  });

  it("names columns by the source, tile by tile", async () => {
    const source = new ComputedSource([tokens], (_name, axis, index) =>
      axis === "token" ? `word${index}` : undefined,
    ).add(
      { name: "logits", shape: [1, 4, 1000], axes: ["batch", "pos", "token"] },
      (_batch, pos, token) => pos! + token!,
    );
    const { widget } = await open(source, { columnOrder: { by: 0, descending: true } });
    assert.equal(widget.state.view!.col_names!.length, 256);
    assert.equal(widget.state.view!.col_names![0], "word999");
  });

  it("tells in a sentence why there is no table", async () => {
    const error = async (source: ComputedSource, options = {}): Promise<string> =>
      (await open(source, options)).widget.state.error;
    const none = (name: string, shape: number[], axes: string[]): ComputedSource =>
      new ComputedSource([tokens]).add({ name, shape, axes }, () => 0);
    assert.match(await error(new ComputedSource([])), /holds no points/);
    assert.match(await error(residual(), { point: "blocks.9.hook_z" }), /no point "blocks\.9\.hook_z"/);
    assert.match(
      await error(none("empty", [1, 0, 64], ["batch", "pos", "unit"])),
      /empty holds no values: its shape is \[1, 0, 64\]/,
    );
    assert.match(
      await error(none("huge", [1, 2 ** 20, 2 ** 10], ["batch", "pos", "unit"])),
      /too large to show.*1048576 × 1024/,
    );
    assert.match(await error(none("odd", [2, 3, 4], ["a", "b", "c"])), /axes \[a, b, c\]/);
    const broken = residual();
    broken.slice = async () => new Float32Array(3);
    assert.match(await error(broken), /hold 24 values, but 3 came/);
  });

  it("goes on after an error, and shrugs off choices that make no sense", async () => {
    const { table, widget } = await open(residual(), { point: "nothing" });
    widget.fromBrowser({
      point: "blocks.0.hook_resid_pre",
      head: 99,
      batch: -3,
      top_k: Number.NaN,
      col_order: { by: 4000, descending: true },
      row_order: "?" as never,
    });
    await table.settled();
    assert.equal(widget.state.error, "");
    assert.deepEqual(
      [widget.state.view!.batch, widget.state.view!.head, widget.state.view!.col_sort],
      [0, null, null],
    );
    for (const message of [
      null,
      {},
      { method: "tiles" },
      { method: "tiles", view: widget.state.view!.id, tiles: [null, [9, 9], ["x"]] },
    ])
      await widget.message(message);
    assert.deepEqual(
      widget.sent.map(({ buffers }) => buffers.length),
      [0],
    );
  });

  it("stops its work when it is closed", async () => {
    const source = residual();
    const { table, widget } = await open(source);
    table.close();
    source.given = 0;
    widget.fromBrowser({ batch: 0, top_k: 2 });
    await table.settled();
    assert.equal(source.given, 0);
    assert.ok(widget.closed);
  });

  it("falls back to a picture without scripts, in which tokens are text", async () => {
    const source = new ComputedSource([["<script>alert(1)</script>", "&", " cat", " sat"]]).add(
      { name: "<b>point</b>", shape: [1, 4, 6], axes: ["batch", "pos", "unit"] },
      (_batch, pos, unit) => (pos === unit ? -Infinity : pos! - unit!),
    );
    const { table } = await open(source, { title: `"><img src=x>` });
    const bundle = table.fallback() as Record<string, string>;
    assert.match(bundle["text/html"]!, /&lt;script&gt;/);
    assert.doesNotMatch(bundle["text/html"]!, /<script|<img|<b>/);
    assert.match(bundle["text/html"]!, /background-color: rgb\(/);
    assert.match(bundle["text/plain"]!, /4 pos × 6 units/);
    assert.match(bundle["text/plain"]!, /−∞/);
  });
});
