import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import {
  type ActivationTable,
  type ActivationTableOptions,
  createActivationTable,
} from "../../widgets/activation-table/model.js";
import type { ActivationTableState } from "../../widgets/activation-table/state.js";
import { exactFloat32 } from "../../widgets/text.js";
import { MemoryHost, type MemoryWidget } from "./host.js";
import { assertLeavesNothing, contentOf, type PageOptions, widgetPages } from "./page.js";
import { ComputedSource, noise, normal } from "./source.js";

const tokens = ["<|bos|>", " Mary", " gave", " John", "<img src=x onerror=window.attacked=true>", "\n"];
const length = tokens.length;
const pattern = (layer: number, head: number, query: number, key: number): number =>
  key > query ? 0 : Math.fround(noise(layer, head, query, key));

function makeSource(): ComputedSource {
  const source = new ComputedSource([tokens]);
  for (const layer of [0, 1, 2]) {
    source.add(
      { name: `blocks.${layer}.hook_resid_pre`, shape: [1, length, 300], axes: ["batch", "pos", "unit"] },
      (_batch, pos, unit) => Math.fround(normal(layer, pos!, unit!)),
    );
    source.add(
      {
        name: `blocks.${layer}.attn.hook_attn_scores`,
        shape: [1, 4, length, length],
        axes: ["batch", "head", "query", "key"],
      },
      (_batch, head, query, key) =>
        key! > query! ? -Infinity : Math.fround(normal(layer, head!, query!, key!)),
    );
    source.add(
      {
        name: `blocks.${layer}.attn.hook_pattern`,
        shape: [1, 4, length, length],
        axes: ["batch", "head", "query", "key"],
        range: [0, 1],
      },
      (_batch, head, query, key) => pattern(layer, head!, query!, key!),
    );
  }
  source.add(
    { name: "long.hook_pattern", shape: [1, 1000, 1000], axes: ["batch", "query", "key"], range: [0, 1] },
    (_batch, query, key) => pattern(9, 9, query!, key!),
  );
  return source;
}

/** The distinct colours that the canvas holds inside a rectangle of CSS pixels. */
function colours(
  page: Page,
  [x, y, width, height]: readonly [number, number, number, number],
): Promise<string[]> {
  return page.evaluate(
    ([left, top, wide, high]) => {
      const canvas = document.querySelector<HTMLCanvasElement>(".tslens-grid canvas")!;
      const { data } = canvas.getContext("2d")!.getImageData(left, top, wide, high);
      const found = new Set<string>();
      for (let i = 0; i < data.length; i += 4) found.add(data.slice(i, i + 3).join(","));
      return [...found];
    },
    [x, y, width, height] as const,
  );
}

describe("widgets/activation-table/view", () => {
  const openWidget = widgetPages();
  let table: ActivationTable;
  let page: Page;

  async function open(options: ActivationTableOptions, pageOptions: PageOptions = {}): Promise<void> {
    table = await createActivationTable(new MemoryHost(), makeSource(), options);
    page = await openWidget("activation-table", widget(), pageOptions);
    await page.waitForFunction(
      () =>
        (document.querySelector<HTMLCanvasElement>(".tslens-grid canvas")?.width ?? 0) > 300 ||
        document.querySelector(".tslens-error")?.textContent,
    );
    await frame();
  }
  const widget = (): MemoryWidget<ActivationTableState> => table.handle as MemoryWidget<ActivationTableState>;
  const frame = () =>
    page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  const readout = (): Promise<string> => contentOf(page.locator(".tslens-readout"));
  const press = async (...keys: string[]): Promise<void> => {
    for (const key of keys) await page.keyboard.press(key);
  };
  /** Where a cell of the pattern is on the page: cells are 44 pixels wide and high there. */
  async function cell(row: number, col: number): Promise<{ x: number; y: number }> {
    const grid = page.locator(".tslens-grid");
    const box = (await grid.boundingBox())!;
    const [wide, high] = [box.width - 2, box.height - 2];
    const side = 44;
    return {
      x: box.x + 1 + wide - (length - col - 0.5) * side,
      y: box.y + 1 + high - (length - row - 0.5) * side,
    };
  }

  it("draws the values in colours: 0 as the palest, 1 as the darkest", async () => {
    await open({ point: "blocks.1.attn.hook_pattern", head: 2 });
    const box = (await page.locator(".tslens-grid").boundingBox())!;
    const at = await cell(0, 0);
    const [own] = await colours(page, [at.x - box.x - 15, at.y - box.y - 18, 3, 3]);
    const other = await cell(0, 3);
    const [zero] = await colours(page, [other.x - box.x - 15, other.y - box.y - 18, 3, 3]);
    assert.equal(zero, "255,255,255");
    const [red] = own!.split(",").map(Number) as [number];
    assert.ok(red < 255 * (1.05 - pattern(1, 2, 0, 0)), `red ${red} for ${pattern(1, 2, 0, 0)}`);
  });

  it("tells the exact value with both tokens under the pointer", async () => {
    await open({ point: "blocks.1.attn.hook_pattern", head: 2 });
    const { x, y } = await cell(3, 1);
    await page.mouse.move(x, y);
    const lines = await page.locator(".tslens-tip > *").allTextContents();
    assert.deepEqual(lines, [exactFloat32(pattern(1, 2, 3, 1)), "query 3 “·John”", "key 1 “·Mary”"]);
    await page.mouse.move(1, 1);
    assert.ok(await page.locator(".tslens-tip").isHidden());
  });

  it("is worked by keyboard alone: cells, heads, layers", async () => {
    await open({ point: "blocks.1.attn.hook_pattern" });
    await page.locator(".tslens-grid").focus();
    await press("Home", "ArrowDown", "ArrowDown", "ArrowRight");
    assert.match(await readout(), /query 2 “·gave” → key 1 “·Mary”: /);
    assert.ok((await readout()).endsWith(exactFloat32(pattern(1, 0, 2, 1))));
    await press("]", "]");
    await page.waitForFunction(() =>
      document.querySelector(".tslens-table-name")?.textContent?.endsWith("head 2"),
    );
    assert.ok((await readout()).endsWith(exactFloat32(pattern(1, 2, 2, 1))), "the cell is kept");
    await press("[", "PageUp");
    await page.waitForFunction(
      () =>
        document.querySelector(".tslens-table-name")?.textContent === "blocks.2.attn.hook_pattern · head 1",
    );
    assert.ok((await readout()).endsWith(exactFloat32(pattern(2, 1, 2, 1))));
    assert.equal(widget().state.head, 1);
  });

  it("keeps the keys that it uses from the notebook, and leaves it the others", async () => {
    await open({ point: "blocks.1.attn.hook_pattern" });
    await page.evaluate(() => {
      const seen: string[] = [];
      Object.assign(window, { seen });
      document.body.addEventListener("keydown", (event) => seen.push(event.key));
    });
    await page.locator(".tslens-grid").focus();
    await press("ArrowDown", "]", "PageDown", "r", "Escape", "Shift+Enter", "Control+s");
    const seen = await page.evaluate(() => (window as unknown as { seen: string[] }).seen);
    assert.deepEqual(
      seen.filter((key) => key !== "Shift"),
      ["Escape", "Enter", "Control", "s"],
    );
  });

  it("sorts by the row that has the focus, and back", async () => {
    await open({ point: "blocks.0.hook_resid_pre" });
    await page.locator(".tslens-grid").focus();
    await press("Home", "ArrowDown", "r");
    await page.waitForFunction(
      () =>
        document.querySelectorAll("option").length &&
        [...document.querySelectorAll("option:checked")].some(
          (option) => option.textContent === "by pos 1 ▼",
        ),
    );
    await press("Home");
    const largest = Math.max(...Array.from({ length: 300 }, (_, unit) => Math.fround(normal(0, 1, unit))));
    assert.ok((await readout()).endsWith(`: ${exactFloat32(largest)}`), await readout());
    await press("r");
    await page.waitForFunction(() =>
      [...document.querySelectorAll("option:checked")].some((option) => option.textContent === "by pos 1 ▲"),
    );
    await press("r");
    await page.waitForFunction(
      () =>
        ![...document.querySelectorAll("option")].some((option) => option.textContent?.startsWith("by pos")),
    );
    assert.equal(widget().state.col_order, null);
  });

  it("zooms to the top units, whose numbers are then in the cells", async () => {
    await open({ point: "blocks.0.hook_resid_pre" });
    await page.getByLabel("Show").selectOption({ label: "top 8 units" });
    await page.waitForFunction(() =>
      document.querySelector(".tslens-table-facts")?.textContent?.includes("top 8 of 300 unit"),
    );
    assert.equal(await page.locator(".tslens-grid").getAttribute("aria-colcount"), "8");
  });

  it("fetches what is scrolled to, and no more", async () => {
    await open({ point: "long.hook_pattern" });
    await page.locator(".tslens-grid").focus();
    await press("Home", "Control+End");
    const value = exactFloat32(pattern(9, 9, 999, 999));
    await page.waitForFunction(
      (expected) => document.querySelector(".tslens-readout")?.textContent?.endsWith(expected),
      value,
    );
    assert.match(await readout(), /query 999 → key 999/);
    const bytes = widget()
      .sent.flatMap(({ buffers }) => buffers)
      .reduce((sum, buffer) => sum + buffer.byteLength, 0);
    assert.ok(bytes > 0 && bytes < 0.25 * 4 * 1000 * 1000, `${bytes} bytes were fetched`);
  });

  it("shows script in tokens as text and runs nothing", async () => {
    await open({ point: "blocks.1.attn.hook_pattern" });
    const { x, y } = await cell(5, 4);
    await page.mouse.move(x, y);
    assert.match(
      await contentOf(page.locator(".tslens-tip")),
      /key 4 “<img src=x onerror=window\.attacked=true>”/,
    );
    await page.locator(".tslens-grid").focus();
    await press("Home", "Control+End", "ArrowLeft");
    assert.match(await readout(), /<img src=x/);
    assert.equal(await page.locator("img").count(), 0);
    assert.equal(await page.evaluate(() => (window as { attacked?: boolean }).attacked), undefined);
  });

  it("speaks to screen readers: a labelled grid, its size, and the cell that has the focus", async () => {
    await open({ point: "blocks.1.attn.hook_attn_scores", head: 1 });
    const grid = page.getByRole("grid", { name: /blocks\.1\.attn\.hook_attn_scores · head 1/ });
    assert.equal(await grid.getAttribute("aria-rowcount"), String(length));
    await grid.focus();
    await press("Home", "ArrowRight");
    const active = await grid.getAttribute("aria-activedescendant");
    const spoken = await page.locator(`[id="${active}"]`).textContent();
    assert.equal(spoken, "query 0 “<|bos|>”, key 1 “·Mary”: −∞ (masked)");
    for (const select of await page.locator("select:visible").all())
      assert.ok(
        await select.evaluate((node) => (node as HTMLSelectElement).labels?.length),
        "every select has a label",
      );
  });

  it("follows the theme of the notebook", async () => {
    await open({ point: "blocks.1.attn.hook_pattern" });
    const root = page.locator(".tslens");
    assert.equal(await root.getAttribute("data-theme"), "light");
    const light = await colours(page, [2, 30, 3, 3]);
    await page.evaluate(() => {
      document.body.dataset.jpThemeLight = "false";
    });
    await page.waitForFunction(
      () => document.querySelector<HTMLElement>(".tslens")?.dataset.theme === "dark",
    );
    await frame();
    const dark = await colours(page, [2, 30, 3, 3]);
    assert.deepEqual([light, dark], [["255,255,255"], ["20,23,28"]]);
  });

  it("is drawn again when a notebook takes it out of the page and puts it back", async () => {
    await open({ point: "blocks.1.attn.hook_pattern" });
    await page.evaluate(async () => {
      const root = document.querySelector(".tslens")!;
      const parent = root.parentElement!;
      root.remove();
      document.body.dataset.jpThemeLight = "false";
      // After the view has asked for a frame, so that it is drawn out of the page and put back in the same frame.
      await Promise.resolve();
      await new Promise((done) => requestAnimationFrame(done));
      parent.append(root);
    });
    await page.waitForFunction(() => {
      const canvas = document.querySelector<HTMLCanvasElement>(".tslens-grid canvas")!;
      return (
        canvas.width > 300 &&
        canvas.getContext("2d")!.getImageData(2, 30, 1, 1).data.join() === "20,23,28,255"
      );
    });
  });

  it("chooses the head by its small picture", async () => {
    await open({ point: "blocks.1.attn.hook_pattern" });
    await page.getByRole("button", { name: "head 3" }).click();
    await page.waitForFunction(() =>
      document.querySelector(".tslens-table-name")?.textContent?.endsWith("head 3"),
    );
    assert.equal(await page.locator('.tslens-heads [aria-pressed="true"]').getAttribute("title"), "head 3");
  });

  it("draws a saved table without a kernel, and says what needs one", async () => {
    await open({ point: "long.hook_pattern" }, { kernel: false });
    assert.ok(await page.getByLabel("Point").isDisabled());
    assert.match(
      await contentOf(page.locator(".tslens-note")),
      /first 128 rows and 256 columns are here\. Run the notebook/,
    );
    await page.locator(".tslens-grid").focus();
    await press("Home", "ArrowDown");
    assert.ok((await readout()).endsWith(exactFloat32(pattern(9, 9, 1, 0))));
  });

  it("says in a sentence why there is no table, and that its data was lost", async () => {
    await open({ point: "blocks.7.hook_z" });
    assert.match(await contentOf(page.locator(".tslens-error")), /There is no point "blocks\.7\.hook_z"/);
    await page.getByLabel("Point").selectOption({ label: "hook_resid_pre" });
    await page.waitForFunction(
      () => document.querySelector(".tslens-table-name")?.textContent === "blocks.0.hook_resid_pre",
    );
    await page.evaluate(() => {
      const { model } = window as unknown as {
        model: { state: ActivationTableState; fromKernel(...all: unknown[]): void };
      };
      const view = model.state.view!;
      model.fromKernel("patch", {
        view: { ...view, id: 99, window: { ...view.window, data: { ...view.window.data, data: null } } },
      });
    });
    assert.match(
      await contentOf(page.locator(".tslens-error")),
      /cannot be drawn: .*not saved with the notebook/,
    );
  });

  it("leaves nothing behind when it is removed", async () => {
    await open({ point: "blocks.1.attn.hook_pattern" });
    await assertLeavesNothing(page);
  });
});
