import { element } from "../browser/dom.js";
import { type ColourScale, colourAt, position, type Theme } from "../colour.js";
import { decodeTensor } from "../tensor.js";
import type { HeadOverview } from "./state.js";

/** The row of small pictures of all heads. */
export interface Thumbnails {
  readonly node: HTMLElement;
  show(overview: HeadOverview | null, head: number | null, scale: ColourScale | null, theme: Theme): void;
}

/** Makes the row; `choose` is told which head was clicked. */
export function headThumbnails(choose: (head: number) => void): Thumbnails {
  const node = element("div", {
    class: "tslens-heads",
    attributes: { role: "group", "aria-label": "Heads" },
  });
  let drawn: unknown[] = [];
  return {
    node,
    show(overview, head, scale, theme) {
      node.hidden = !overview || head === null || !scale;
      if (!overview || !scale) return;
      const now = [overview.data, JSON.stringify(scale), theme];
      if (!now.every((value, i) => value === drawn[i])) {
        drawn = now;
        node.replaceChildren(...pictures(overview, scale, theme, choose));
      }
      [...node.children].forEach((button, i) => {
        button.setAttribute("aria-pressed", String(i === head));
        button.setAttribute("tabindex", i === head ? "0" : "-1");
      });
    },
  };
}

function pictures(
  overview: HeadOverview,
  scale: ColourScale,
  theme: Theme,
  choose: (head: number) => void,
): Node[] {
  const { data, shape } = decodeTensor(overview.data);
  const [heads, height, width] = shape as [number, number, number];
  return Array.from({ length: heads }, (_, head) => {
    const canvas = element("canvas", { attributes: { width, height, "aria-hidden": "true" } });
    const image = new ImageData(width, height);
    for (let i = 0; i < width * height; i++) {
      const value = data[head * width * height + i]!;
      if (Number.isFinite(value))
        image.data.set([...colourAt(scale.kind, theme, position(scale, value)), 255], 4 * i);
    }
    canvas.getContext("2d")!.putImageData(image, 0, 0);
    const button = element(
      "button",
      { attributes: { type: "button", title: `head ${head}`, "aria-label": `head ${head}` } },
      canvas,
      element("span", { text: String(head) }),
    );
    button.addEventListener("click", () => choose(head));
    return button;
  });
}
