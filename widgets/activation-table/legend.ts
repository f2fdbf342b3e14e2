import { element } from "../browser/dom.js";
import { position, rampCss, type Theme } from "../colour.js";
import { shortNumber } from "../text.js";
import type { TileStore } from "./tiles.js";

/** The colour bar with its numbers, and what the odd cells mean. */
export interface Legend {
  readonly node: HTMLElement;
  show(store: TileStore, theme: Theme, range: "typical" | "full"): void;
  /** Marks where a value lies. */
  mark(value: number | undefined): void;
}

/** Makes a legend; `choose` is told when the reader wants another range. */
export function tableLegend(choose: (range: "typical" | "full") => void): Legend {
  const ramp = element("span", { class: "tslens-ramp" });
  const marker = element("i");
  const low = element("span");
  const high = element("span");
  const odd = element("span", { class: "tslens-chip" });
  const box = element("input", { attributes: { type: "checkbox" } });
  const clip = element("label", { class: "tslens-chip" }, box, "clip colours at 99 %");
  box.addEventListener("change", () => choose(box.checked ? "typical" : "full"));
  marker.hidden = true;
  ramp.append(marker);
  const scale = element("span", { class: "tslens-scale", attributes: { role: "img" } }, low, ramp, high);
  let store: TileStore | null = null;
  return {
    node: element("div", { class: "tslens-legend" }, scale, clip, odd),
    show(shown, theme, range) {
      store = shown;
      const { scale: colours, beyond, summary } = shown.view;
      ramp.style.background = rampCss(colours.kind, theme);
      const [from, to] = [shortNumber(colours.low), shortNumber(colours.high)];
      low.textContent = summary.min !== null && summary.min < colours.low ? `≤ ${from}` : from;
      high.textContent = summary.max !== null && summary.max > colours.high ? `≥ ${to}` : to;
      scale.setAttribute(
        "aria-label",
        `Colours from ${from} to ${to}${colours.kind === "diverging" ? ", symmetric about 0" : ""}`,
      );
      clip.hidden = !beyond && range === "typical";
      box.checked = range === "typical";
      const chips: [string, number, string][] = [
        ["masked", summary.masked, "masked (−∞)"],
        ["odd", summary.nan, "NaN"],
        ["odd", summary.infinite, "+∞"],
      ];
      odd.replaceChildren(
        ...chips.flatMap(([name, count, text]) =>
          count > 0 ? [element("i", { class: name }), `${text}: ${count}`] : [],
        ),
      );
    },
    mark(value) {
      marker.hidden = value === undefined || !Number.isFinite(value) || !store;
      if (!marker.hidden) marker.style.left = `${100 * position(store!.view.scale, value!)}%`;
    },
  };
}
