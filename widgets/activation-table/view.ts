import { hasKernel, listen, type Render } from "../browser/contract.js";
import { element, keepKeys, keyHint } from "../browser/dom.js";
import { pageColours } from "../browser/page-colours.js";
import { widgetRoot } from "../browser/style.js";
import { watchTheme } from "../browser/theme.js";
import { patience, waitingForKernel } from "../browser/waiting.js";
import type { Theme } from "../colour.js";
import { splitName } from "../names.js";
import { plural, shortNumber } from "../text.js";
import { tableControls } from "./controls.js";
import { Grid } from "./grid.js";
import { tableKeys } from "./keys.js";
import { tableLegend } from "./legend.js";
import type { Cell } from "./paint.js";
import { type ActivationTableState, choiceNames, type TableView, type TileAnswer } from "./state.js";
import { tableStyle } from "./style.js";
import { headThumbnails } from "./thumbnails.js";
import { TileStore } from "./tiles.js";

/** Draws an activation table. Fulfils anywidget's contract: `render({model, el})` returns what undoes it. */
export const render: Render<ActivationTableState> = ({ model, el }) => {
  const root = widgetRoot(el, "table", "Activation table", tableStyle);
  const title = element("div", { class: "tslens-title" });
  const caption = element("div", { class: "tslens-table-caption" });
  const error = element("div", { class: "tslens-error", attributes: { role: "alert" } });
  const note = element("div", { class: "tslens-note", attributes: { role: "status" } });
  const readout = element("div", {
    class: "tslens-readout",
    attributes: { role: "status", "aria-live": "polite" },
  });
  const tip = element("div", { class: "tslens-tip", attributes: { "aria-hidden": "true" } });
  tip.hidden = true;
  let store: TileStore | null = null;
  let complete = true;
  let silent = false;
  let pending = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const controls = tableControls(model, (zoom) => grid.setZoom(zoom));
  const legend = tableLegend((range) => {
    if (!hasKernel(model)) return;
    model.set("colour_range", range);
    model.save_changes();
  });
  const heads = headThumbnails((head) => {
    if (!hasKernel(model)) return;
    model.set("head", head);
    model.save_changes();
  });
  const grid = new Grid(() => pageColours(root), {
    look(cell, at) {
      const shown = cell ?? grid.focus;
      legend.mark(shown && store ? store.value(shown.row, shown.col) : undefined);
      showTip(cell, at);
      if (!cell) showReadout();
    },
    sort: controls.sort,
    complete(now) {
      if (now !== complete) {
        complete = now;
        wait();
      }
    },
  });

  function showTip(cell: Cell | null, at: { x: number; y: number } | null): void {
    tip.hidden = !cell || !at;
    if (!cell || !at) return;
    const { value, row, col } = grid.describe(cell);
    tip.replaceChildren(
      element("b", { text: value }),
      element("div", { text: row }),
      element("div", { text: col }),
    );
    const box = root.getBoundingClientRect();
    const x = at.x - box.left + 14;
    const flipped = x + tip.offsetWidth > box.width ? at.x - box.left - tip.offsetWidth - 10 : x;
    tip.style.left = `${Math.max(4, flipped)}px`;
    tip.style.top = `${at.y - box.top + 14}px`;
  }

  function showReadout(): void {
    const { focus } = grid;
    if (!focus || !store) {
      readout.replaceChildren();
      return;
    }
    const { value, row, col } = grid.describe(focus);
    const text = `${row} → ${col}: ${value}`;
    if (readout.textContent !== text)
      readout.replaceChildren(`${row} → ${col}: `, element("b", { text: value }));
  }

  /** Tells the reader what is missing, and why, when the kernel has been silent for long. */
  function wait(): void {
    clearTimeout(timer);
    silent = false;
    root.classList.toggle("pending", pending && hasKernel(model));
    if (hasKernel(model) && (pending || !complete)) {
      timer = setTimeout(() => {
        silent = true;
        showNote();
      }, patience);
    }
    showNote();
  }

  function showNote(): void {
    const view = model.get("view");
    const [rows, cols] = view?.window.data.shape ?? [0, 0];
    if (!hasKernel(model))
      note.textContent =
        view && (rows! < view.rows || cols! < view.cols)
          ? `Saved table: the first ${rows} rows and ${cols} columns are here. Run the notebook for the rest, and to choose, sort and zoom.`
          : "Saved table: run the notebook to choose other points, sort and zoom.";
    else note.textContent = silent ? waitingForKernel : "";
  }

  function showHeads(): void {
    const overview = model.get("overview");
    const view = store?.view;
    const current = overview?.point === view?.point && overview?.batch === view?.batch ? overview : null;
    heads.show(current, view?.head ?? null, view?.scale ?? null, root.dataset.theme as Theme);
  }

  function showView(): void {
    const view = model.get("view");
    const message = model.get("error");
    try {
      if (view && view.id !== store?.view.id) {
        store = new TileStore(view, (request) => model.send(request));
        grid.show(store);
      }
    } catch (failure) {
      store = null;
      error.textContent = `The table cannot be drawn: ${failure instanceof Error ? failure.message : failure}`;
    }
    if (!view) store = null;
    const shown = store !== null;
    for (const part of [caption, grid.node, legend.node, readout, help]) part.hidden = !shown;
    if (shown) {
      error.textContent = "";
      caption.replaceChildren(...captionOf(store!.view));
      grid.node.setAttribute("aria-label", caption.textContent!);
      legend.show(store!, root.dataset.theme as Theme, model.get("colour_range"));
      headHelp.hidden = store!.view.heads < 2;
      layerHelp.hidden = splitName(store!.view.point).layer === null;
      showReadout();
    } else if (message || !view) error.textContent = message || "The table is being computed …";
    showHeads();
    controls.update();
    wait();
  }

  const { node: help, head: headHelp, layer: layerHelp } = tableHelp();
  root.append(
    title,
    controls.node,
    error,
    caption,
    heads.node,
    grid.node,
    legend.node,
    readout,
    note,
    help,
    tip,
  );
  title.textContent = model.get("title");
  title.hidden = !title.textContent;
  const undo = [
    watchTheme(root, () => {
      store?.repaint();
      if (store) legend.show(store, root.dataset.theme as Theme, model.get("colour_range"));
      showHeads();
      grid.redraw();
    }),
    listen(model, ["change:view", "change:error"], () => {
      pending = false;
      showView();
    }),
    listen(model, ["change:overview"], showHeads),
    listen(
      model,
      choiceNames.map((name) => `change:${name}`),
      () => {
        pending = true;
        controls.update();
        wait();
      },
    ),
    listen(model, ["change:points", "change:batches", "comm_live_update"], () => {
      controls.update();
      wait();
    }),
    listen(model, ["msg:custom"], (content: TileAnswer, buffers: readonly ArrayBufferView[]) => {
      if (content?.method !== "tiles" || !store?.receive(content, buffers)) return;
      if (content.error) error.textContent = content.error;
      grid.redraw();
      grid.speak();
      showReadout();
    }),
    tableKeys(grid, controls),
    keepKeys(root),
    () => grid.stop(),
    () => clearTimeout(timer),
  ];
  const sizes = new ResizeObserver(() => grid.resize());
  sizes.observe(root);
  showView();
  return () => {
    sizes.disconnect();
    for (const step of undo) step();
    root.remove();
  };
};

function captionOf(view: TableView): Node[] {
  const name = view.head === null ? view.point : `${view.point} · head ${view.head}`;
  const { min, max, mean } = view.summary;
  const range =
    min === null
      ? "no finite values"
      : `min ${shortNumber(min)} · mean ${shortNumber(mean!)} · max ${shortNumber(max!)}`;
  const cols = view.cols < view.all_cols ? `top ${view.cols} of ${view.all_cols}` : String(view.cols);
  return [
    element("span", { class: "tslens-table-name", text: name }),
    element("span", {
      class: "tslens-table-facts",
      text: `${view.rows} ${plural(view.row_axis)} × ${cols} ${plural(view.col_axis)} · ${range}`,
    }),
  ];
}

/** What the keys do; those for heads and layers are shown where there are any. */
function tableHelp(): { node: HTMLElement; head: HTMLElement; layer: HTMLElement } {
  const entry = (keys: string[], text: string): HTMLElement => element("span", {}, keyHint(...keys), text);
  const head = entry(["[", "]"], "head");
  const layer = entry(["PgUp", "PgDn"], "layer");
  const node = element(
    "div",
    { class: "tslens-help" },
    entry(["↑", "↓", "←", "→"], "move"),
    head,
    layer,
    entry(["R"], "sort columns by this row"),
    entry(["C"], "sort rows by this column"),
    entry(["−", "+"], "zoom"),
    element("span", { text: "click a name to sort by it" }),
  );
  return { node, head, layer };
}

export default { render };
