import { element } from "../browser/dom.js";
import type { Scene } from "./scene.js";
import type { SearchStatus } from "./state.js";
import { metricText } from "./words.js";

const statusTexts: Record<SearchStatus, readonly [sign: string, text: string]> = {
  running: ["●", "searching"],
  paused: ["❚❚", "search paused"],
  stopping: ["■", "stopping …"],
  stopped: ["■", "stopped"],
  done: ["✓", "finished"],
  error: ["!", "failed"],
};

/** The figures of the circuit that is shown: its metric, edges and nodes, and where the search stands. */
export function figures(scene: Scene): {
  node: HTMLElement;
  update(metric: number | undefined, alive: boolean): void;
} {
  const figure = (): { node: HTMLElement; value: HTMLElement; caption: HTMLElement } => {
    const value = element("b");
    const caption = element("span", { class: "tslens-caption" });
    return { node: element("div", {}, caption, value), value, caption };
  };
  const [metric, edges, nodes, runs] = [figure(), figure(), figure(), figure()];
  const facts = element("div", { class: "facts" });
  const status = element("div", { class: "tslens-state", attributes: { role: "status" } });
  const node = element(
    "div",
    { class: "tslens-figures" },
    metric.node,
    edges.node,
    nodes.node,
    runs.node,
    facts,
    status,
  );
  let said = "";
  return {
    node,
    update(value, hasKernel) {
      const { timeline, cuts, state } = scene;
      const { full, metric_name, kind } = state;
      metric.caption.textContent = metric_name;
      metric.value.replaceChildren(
        metricText(value),
        element("small", { text: full === null ? "" : ` · ${metricText(full)} with all` }),
      );
      const present = [...cuts].filter((edge) => timeline.status[edge] !== 2).length;
      edges.caption.textContent = "edges";
      edges.value.replaceChildren(
        String(timeline.edgesLeft - present),
        element("small", { text: ` of ${scene.edges.count}` }),
      );
      const alive = scene.alive().reduce((sum, one) => sum + one, 0);
      nodes.caption.textContent = "nodes on paths";
      nodes.value.replaceChildren(String(alive), element("small", { text: ` of ${scene.places.length}` }));
      runs.node.hidden = kind === "ranking";
      runs.caption.textContent = "evaluations";
      runs.value.textContent = String(timeline.evaluationsAt(timeline.position));
      facts.textContent = state.facts.join(" · ");
      const shown =
        !hasKernel && (state.status === "running" || state.status === "paused") ? "stopped" : state.status;
      const [sign, text] = statusTexts[shown];
      const whole = kind === "ranking" ? "" : `${sign} ${text}`;
      status.hidden = whole === "";
      status.dataset.status = shown;
      if (whole !== said) status.replaceChildren(element("i", { text: sign }), text);
      said = whole;
    },
  };
}
