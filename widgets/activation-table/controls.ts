import { hasKernel, type ViewModel } from "../browser/contract.js";
import { element, field, fillSelect, keyHint } from "../browser/dom.js";
import { groupNames, joinName, splitName } from "../names.js";
import { plural, showToken } from "../text.js";
import { zooms } from "./layout.js";
import type { ActivationTableState, Order, TableChoices } from "./state.js";

/** The choices above the table. */
export interface Controls {
  readonly node: HTMLElement;
  /** Shows the model's present choices. */
  update(): void;
  /** The next or previous of the layers (or heads). */
  step(what: "layer" | "head", by: 1 | -1): void;
  /** Sorts by a row or column of the point: descending, then ascending, then no longer. */
  sort(axis: "rows" | "cols", by: number): void;
  zoom(by: 1 | -1 | 0): void;
}

const topKs = [8, 16, 32, 64, 128];

/** Makes the selects and buttons; `zoomed` is told the magnification. */
export function tableControls(
  model: ViewModel<ActivationTableState>,
  zoomed: (zoom: number) => void,
): Controls {
  const choose = (choices: Partial<TableChoices>): void => {
    if (!hasKernel(model)) return;
    for (const [name, value] of Object.entries(choices))
      model.set(name as keyof TableChoices, value as never);
    model.save_changes();
  };
  const pick = (choices: (value: string) => Partial<TableChoices>): HTMLSelectElement => {
    const select = element("select");
    select.addEventListener("change", () => choose(choices(select.value)));
    return select;
  };
  const kinds = (): Map<string, number[]> => groupNames(model.get("points").map(({ name }) => name));
  const current = () => splitName(model.get("point"));

  /** Another kind keeps the layer if it has it; an order by one of its columns means nothing in the other. */
  const kind = pick((value) => {
    const layers = kinds().get(value) ?? [];
    const { layer } = current();
    const nearest = layers.length === 0 ? null : layers.includes(layer ?? -1) ? layer : layers[0]!;
    const keep = (order: Order | null): Order | null => (order?.by === "magnitude" ? order : null);
    return {
      point: joinName(value, nearest),
      row_order: keep(model.get("row_order")),
      col_order: keep(model.get("col_order")),
    };
  });
  const layer = pick((value) => ({ point: joinName(current().kind, Number(value)) }));
  const head = pick((value) => ({ head: Number(value) }));
  const batch = pick((value) => ({ batch: Number(value) }));
  const topK = pick((value) => ({ top_k: Number(value) }));
  const colOrder = pick((value) => ({ col_order: readOrder(value) }));
  const rowOrder = pick((value) => ({ row_order: readOrder(value) }));

  let zoomAt = zooms.indexOf(1);
  const zoomBy = (by: 1 | -1 | 0): void => {
    zoomAt = by === 0 ? zooms.indexOf(1) : Math.min(zooms.length - 1, Math.max(0, zoomAt + by));
    smaller.disabled = zoomAt === 0;
    larger.disabled = zoomAt === zooms.length - 1;
    zoomed(zooms[zoomAt]!);
  };
  const zoomButton = (text: string, label: string, by: 1 | -1): HTMLButtonElement => {
    const button = element("button", {
      text,
      attributes: { type: "button", "aria-label": label, title: label },
    });
    button.addEventListener("click", () => zoomBy(by));
    return button;
  };
  const smaller = zoomButton("−", "Smaller cells", -1);
  const larger = zoomButton("+", "Larger cells", 1);

  const fields = {
    kind: field("Point", kind),
    layer: field("Layer", layer, keyHint("PgUp", "PgDn")),
    head: field("Head", head, keyHint("[", "]")),
    batch: field("Prompt", batch),
    topK: field("Show", topK),
    colOrder: field("Columns", colOrder),
    rowOrder: field("Rows", rowOrder),
  };
  const zoomField = element(
    "div",
    { class: "tslens-field" },
    element("span", { class: "tslens-caption", text: "Zoom" }),
    element("span", {}, smaller, " ", larger),
  );

  const update = (): void => {
    const view = model.get("view");
    const { kind: currentKind, layer: currentLayer } = current();
    const layers = kinds().get(currentKind) ?? [];
    fillSelect(
      kind,
      [...kinds().keys()].map((name) => ({ value: name, text: name.replace(/^[^.]*\.\*\./, "") })),
      currentKind,
    );
    fillSelect(layer, numbered(layers), String(currentLayer));
    const heads = view?.heads ?? 0;
    // The choice, which may be ahead of the table that is shown: keys come faster than tables.
    const chosenHead = Math.min(model.get("head"), heads - 1);
    fillSelect(head, numbered(Array.from({ length: heads }, (_, i) => i)), String(chosenHead));
    const batches = model.get("batches");
    fillSelect(
      batch,
      batches.map((text, i) => ({ value: String(i), text: `${i} ${showToken(text)}` })),
      String(model.get("batch")),
    );
    fields.layer.hidden = layers.length === 0;
    fields.head.hidden = !view?.heads;
    fields.batch.hidden = batches.length < 2;
    for (const shown of Object.values(fields)) shown.querySelector("select")!.disabled = !hasKernel(model);
    for (const shown of [fields.topK, fields.colOrder, fields.rowOrder, zoomField]) shown.hidden = !view;
    if (!view) return;
    const ks = topKs.filter((k) => k < view.all_cols);
    if (model.get("top_k") > 0 && !ks.includes(view.cols)) ks.push(view.cols);
    fields.topK.hidden = ks.length === 0;
    fillSelect(
      topK,
      [
        { value: "0", text: `all ${view.all_cols} ${plural(view.col_axis)}` },
        ...ks.map((k) => ({ value: String(k), text: `top ${k} ${plural(view.col_axis)}` })),
      ],
      String(model.get("top_k") > 0 ? view.cols : 0),
    );
    fillSelect(colOrder, orders(view.col_sort, `in order`, view.row_axis), writeOrder(view.col_sort));
    fillSelect(rowOrder, orders(view.row_sort, `in order`, view.col_axis), writeOrder(view.row_sort));
  };

  return {
    node: element("div", { class: "tslens-bar" }, ...Object.values(fields), zoomField),
    update,
    step(what, by) {
      const select = what === "layer" ? layer : head;
      const next = select.options[select.selectedIndex + by];
      if (select.closest("label")!.hidden || !next) return;
      choose(
        what === "layer"
          ? { point: joinName(current().kind, Number(next.value)) }
          : { head: Number(next.value) },
      );
    },
    sort(axis, by) {
      const name = axis === "rows" ? "row_order" : "col_order";
      const now = model.get(name);
      choose({
        [name]: now?.by !== by ? { by, descending: true } : now.descending ? { by, descending: false } : null,
      });
    },
    zoom: zoomBy,
  };
}

function numbered(values: readonly number[]): { value: string; text: string }[] {
  return values.map((value) => ({ value: String(value), text: String(value) }));
}

/** The orders to choose from: their own, by magnitude, and the one by a row or column that is in force. */
function orders(now: Order | null, own: string, across: string): { value: string; text: string }[] {
  const options = [
    { value: "", text: own },
    { value: "magnitude:desc", text: "by magnitude" },
  ];
  if (now && writeOrder(now) !== "magnitude:desc") {
    const by = now.by === "magnitude" ? "magnitude" : `${across} ${now.by}`;
    options.push({
      value: writeOrder(now),
      text: `by ${by} ${now.descending ? "▼" : "▲"}`,
    });
  }
  return options;
}

function writeOrder(order: Order | null): string {
  return order ? `${order.by}:${order.descending ? "desc" : "asc"}` : "";
}

function readOrder(text: string): Order | null {
  const [by, direction] = text.split(":");
  if (!by) return null;
  return { by: by === "magnitude" ? by : Number(by), descending: direction === "desc" };
}
