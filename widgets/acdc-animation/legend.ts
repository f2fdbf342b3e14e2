import { element } from "../browser/dom.js";
import { colourAt, css, type Theme } from "../colour.js";
import { edgeColours, stateColours } from "./palette.js";

/** One kind of line, as it is drawn. */
function sample(colour: string, width: number, dash: string, text: string, mark = ""): HTMLElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("width", "34");
  svg.setAttribute("height", "12");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("d", "M1 6H33");
  line.setAttribute("stroke", colour);
  line.setAttribute("stroke-width", String(width));
  if (dash) line.setAttribute("stroke-dasharray", dash);
  svg.append(line);
  if (mark) {
    const sign = document.createElementNS("http://www.w3.org/2000/svg", "text");
    for (const [name, value] of Object.entries({
      x: "17",
      y: "10",
      "text-anchor": "middle",
      "font-size": "11",
      "font-weight": "bold",
      fill: colour,
      stroke: "var(--page)",
      "stroke-width": "3",
      "paint-order": "stroke",
    }))
      sign.setAttribute(name, value);
    sign.textContent = mark;
    svg.append(sign);
  }
  return element("span", { class: "tslens-sample" }, svg, text);
}

/** What lines, dashes, marks and colours mean. */
export function legendOf(theme: Theme, kind: "search" | "ranking", colour: "input" | "score"): HTMLElement[] {
  const inputs = edgeColours[theme];
  const states = stateColours[theme];
  const kept =
    colour === "input"
      ? [
          sample(inputs.q, 3, "", "into queries"),
          sample(inputs.k, 3, "", "keys"),
          sample(inputs.v, 3, "", "values"),
          sample(inputs.other, 3, "", "MLPs, logits"),
        ]
      : [
          sample(css(colourAt("diverging", theme, 0.9)), 3, "", "removal raises the metric"),
          sample(css(colourAt("diverging", theme, 0.1)), 3, "", "lowers it"),
        ];
  const steps =
    kind === "search"
      ? [
          sample(states.untested, 1, "", "not tried"),
          sample(states.tested, 2.4, "7 4 2 4", "under test", "?"),
          sample(states.removed, 1.8, "5 4", "removed", "×"),
          element("span", { text: "kept: thick, by effect" }),
        ]
      : [sample(states.removed, 1.8, "5 4", "removed", "×"), element("span", { text: "thick: large score" })];
  return [...steps, ...kept, sample(states.cut, 1.8, "2 3", "cut by you", "×")];
}
