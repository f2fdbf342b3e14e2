import { element } from "../browser/dom.js";
import { type ColourScale, position, rampCss, type Theme } from "../colour.js";
import { shortNumber } from "../text.js";
import { effectsOf } from "./effects.js";
import type { PatchingResult } from "./state.js";

/** The colour bar of the map with its numbers, and what they mean. */
export interface Legend {
  readonly node: HTMLElement;
  show(result: PatchingResult, theme: Theme): void;
  /** Marks where a value lies. */
  mark(value: number | null): void;
}

/** Makes a legend. */
export function mapLegend(): Legend {
  const marker = element("i");
  const ramp = element("span", { class: "tslens-ramp" }, marker);
  const low = element("span");
  const high = element("span");
  const meaning = element("span");
  const scale = element("span", { class: "tslens-scale", attributes: { role: "img" } }, low, ramp, high);
  let shown: ColourScale | null = null;
  marker.hidden = true;
  return {
    node: element("div", { class: "tslens-legend" }, scale, meaning),
    show(result, theme) {
      const effects = effectsOf(result);
      shown = effects.scale;
      ramp.style.background = rampCss(shown.kind, theme);
      low.textContent = shortNumber(shown.low);
      high.textContent = shortNumber(shown.high);
      const [from, to] =
        result.choices.direction === "denoising" ? ["corrupt", "clean"] : ["clean", "corrupt"];
      meaning.textContent = effects.isShare
        ? `share of the difference: 0 is the ${from} run, 1 the ${to} run`
        : "change of the metric: both runs have the same one";
      scale.setAttribute(
        "aria-label",
        `Colours from ${low.textContent} to ${high.textContent}, symmetric about 0`,
      );
    },
    mark(value) {
      marker.hidden = value === null || !Number.isFinite(value) || !shown;
      if (!marker.hidden) marker.style.left = `${100 * position(shown!, value!)}%`;
    },
  };
}
