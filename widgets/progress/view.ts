import { hasKernel, listen, type Render } from "../browser/contract.js";
import { element, keepKeys, onFrame } from "../browser/dom.js";
import { widgetRoot } from "../browser/style.js";
import { watchTheme } from "../browser/theme.js";
import { readState } from "../read-state.js";
import { curveOf, curveSize } from "./curve.js";
import { type ProgressMessage, type ProgressState, progressDefaults } from "./state.js";
import { progressStyle } from "./style.js";
import { fractionDone, progressParts } from "./text.js";

const names = Object.keys(progressDefaults);

/** Draws a progress bar. Fulfils anywidget's contract: `render({model, el})` returns what undoes it. */
export const render: Render<ProgressState> = ({ model, el }) => {
  const root = widgetRoot(el, "progress", "Progress", progressStyle);
  const task = element("span", { class: "task" });
  const parts = element("span", { class: "parts" });
  const stop = element("button", { text: "Stop", attributes: { type: "button" } });
  const fill = element("i");
  const track = element(
    "div",
    { class: "track", attributes: { role: "progressbar", "aria-valuemin": 0 } },
    fill,
  );
  const curve = curvePicture();
  root.append(element("div", { class: "tslens-line" }, task, parts, stop), track, curve.node);
  const send = (method: ProgressMessage["method"]): void => model.send({ method } satisfies ProgressMessage);
  stop.addEventListener("click", () => send("stop"));

  function draw(): void {
    const state = readState(model, progressDefaults);
    const { status, total, done } = state;
    task.textContent = state.task;
    parts.textContent = progressParts(state).join("  ");
    stop.textContent = status === "stopping" ? "Stopping…" : "Stop";
    stop.disabled = status !== "running" || !hasKernel(model);
    stop.hidden = status === "done" || status === "ended";
    stop.setAttribute("aria-label", `Stop ${state.task}`);
    track.setAttribute("aria-label", state.task);
    track.setAttribute("aria-valuetext", parts.textContent);
    const endless = total === null && !stop.hidden;
    track.classList.toggle("endless", endless);
    fill.style.width = endless ? "" : `${total === null ? 100 : 100 * fractionDone(state)}%`;
    if (total === null) track.removeAttribute("aria-valuenow");
    else {
      track.setAttribute("aria-valuemax", String(total));
      track.setAttribute("aria-valuenow", String(done));
    }
    curve.show(state.curve);
  }

  const frame = onFrame(draw);
  const stops = [
    listen(
      model,
      names.map((name) => `change:${name}`),
      frame.request,
    ),
    watchTheme(root, frame.request),
    keepKeys(root),
    frame.cancel,
  ];
  draw();
  if (hasKernel(model)) send("shown");
  return () => {
    for (const undo of stops) undo();
    root.remove();
  };
};

/** The curve as a line, with what it says in words for those who do not see it. */
function curvePicture(): { node: SVGSVGElement; show(curve: ProgressState["curve"]): void } {
  const make = <K extends keyof SVGElementTagNameMap>(tag: K): SVGElementTagNameMap[K] =>
    document.createElementNS("http://www.w3.org/2000/svg", tag);
  const [node, title, line] = [make("svg"), make("title"), make("polyline")];
  node.setAttribute("role", "img");
  node.setAttribute("viewBox", `0 0 ${curveSize.width} ${curveSize.height}`);
  node.setAttribute("width", String(curveSize.width));
  node.setAttribute("height", String(curveSize.height));
  node.append(title, line);
  return {
    node,
    show(curve) {
      const drawn = curve && curveOf(curve);
      node.toggleAttribute("hidden", !drawn);
      if (!drawn) return;
      line.setAttribute("points", drawn.line);
      title.textContent = drawn.label;
      node.setAttribute("aria-label", drawn.label);
    },
  };
}
