import { element } from "../browser/dom.js";
import { shortNumber } from "../text.js";
import type { Scene } from "./scene.js";
import { changeText, metricText } from "./words.js";

/** So many edges of a node are listed. */
const listed = 40;

/** What the list of edges and the chips of cuts ask for. */
export interface DetailsListener {
  /** Cuts an edge, or puts it back. */
  toggle(edge: number): void;
  restoreAll(): void;
  select(edge: number): void;
}

/** What is known of the selected node or edge, with a button to cut each edge; and the edges that are cut. */
export function details(
  scene: Scene,
  listener: DetailsListener,
): { node: HTMLElement; update(effect: string, cutsEffect: string, possible: boolean): void } {
  const heading = element("div", {
    class: "tslens-details-title",
    attributes: { "aria-live": "polite" },
  });
  const list = element("ul", { class: "tslens-edges" });
  const panel = element("div", { class: "tslens-details" }, heading, list);
  const cuts = element("div", { class: "tslens-cuts" });
  const node = element("div", {}, cuts, panel);
  let drawn = "";
  let drawnCuts = "";

  function entry(edge: number): HTMLElement {
    const score = scene.score(edge);
    const cut = scene.cuts.has(edge);
    const name = scene.edgeName(edge);
    const label = `${cut ? "Put back" : "Cut"} ${name}`;
    const button = element("button", {
      text: cut ? "put back" : "cut",
      attributes: { type: "button", "aria-label": label, title: label },
    });
    button.addEventListener("click", () => listener.toggle(edge));
    const pick = element("button", { class: "tslens-edge-name", text: name, attributes: { type: "button" } });
    pick.addEventListener("click", () => listener.select(edge));
    return element(
      "li",
      { class: cut ? "cut" : "" },
      pick,
      element("span", { class: "number", text: score === undefined ? "not tried" : shortNumber(score) }),
      button,
    );
  }

  return {
    node,
    update(effect, cutsEffect, possible) {
      const { selected, timeline } = scene;
      const key = JSON.stringify([
        selected,
        timeline.position,
        timeline.count,
        [...scene.cuts],
        effect,
        possible,
      ]);
      if (key !== drawn) {
        drawn = key;
        panel.hidden = !selected;
        const name =
          selected &&
          (selected.kind === "node" ? scene.places[selected.id]!.name : scene.edgeName(selected.id));
        heading.replaceChildren(element("b", { text: name ?? "" }), effect ? ` · ${effect}` : "");
        const edges = !selected ? [] : selected.kind === "edge" ? [selected.id] : scene.edgesOf(selected.id);
        const focused = list.contains(document.activeElement)
          ? document.activeElement!.getAttribute("aria-label")?.replace(/^(Put back|Cut) /, "")
          : undefined;
        list.replaceChildren(
          ...edges.slice(0, listed).map(entry),
          ...(edges.length > listed ? [element("li", { text: `and ${edges.length - listed} more` })] : []),
        );
        // Cutting by keyboard must not throw the reader out of the list.
        if (focused)
          [...list.querySelectorAll("button")]
            .find((button) => button.getAttribute("aria-label")?.endsWith(` ${focused}`))
            ?.focus();
      }
      const cutsKey = JSON.stringify([[...scene.cuts], cutsEffect]);
      if (cutsKey === drawnCuts) return;
      drawnCuts = cutsKey;
      cuts.hidden = scene.cuts.size === 0;
      const chips = [...scene.cuts].map((edge) => {
        const name = scene.edgeName(edge);
        const chip = element("button", {
          class: "tslens-chip-button",
          attributes: { type: "button", title: `Put back ${name}`, "aria-label": `Put back ${name}` },
          text: `${name} ×`,
        });
        chip.addEventListener("click", () => listener.toggle(edge));
        return chip;
      });
      const all = element("button", { text: "Put all back", attributes: { type: "button" } });
      all.addEventListener("click", () => listener.restoreAll());
      cuts.replaceChildren(
        element("span", {
          class: "tslens-cut-effect",
          attributes: { role: "status" },
          text: `Cut by you: ${cutsEffect}`,
        }),
        ...chips,
        ...(chips.length > 1 ? [all] : []),
      );
    },
  };
}

/** What cutting has done to the metric, in words. */
export function effectText(name: string, before: number, after: number | undefined, waiting: string): string {
  if (after === undefined) return waiting;
  return `${name} ${metricText(before)} → ${metricText(after)} (${changeText(before, after)})`;
}
