import { element } from "../browser/dom.js";
import { percent, showToken } from "../text.js";
import {
  describeCell,
  describeEffect,
  effectsOf,
  nextTokensOf,
  patchedName,
  type TokenRow,
} from "./effects.js";
import type { PatchingExplorerState } from "./state.js";

/** Tokens whose probabilities are drawn. */
const shownTokens = 10;

/** What the model says next in the two runs and in the patched one, side by side. */
export interface NextTokenTable {
  readonly node: HTMLElement;
  show(state: PatchingExplorerState, live: boolean): void;
}

/** Makes the table. */
export function nextTokenTable(): NextTokenTable {
  const heading = element("h4");
  const effect = element("div", { class: "tslens-note" });
  const table = element("table", { class: "tslens-next" });
  const message = element("div", { class: "tslens-note" });
  const node = element(
    "section",
    { class: "tslens-card", attributes: { "aria-label": "Next token", "aria-live": "polite" } },
    heading,
    effect,
    element("div", { class: "tslens-scroll" }, table),
    message,
  );
  return {
    node,
    show(state, live) {
      const { result, selected, cell } = state;
      node.hidden = !result;
      if (!result) return;
      const rows = nextTokensOf(state, shownTokens);
      heading.textContent =
        selected === null ? "Next token" : `Next token with ${describeCell(result, selected)} patched`;
      effect.textContent = selected === null ? "" : describeEffect(effectsOf(result), selected);
      table.hidden = rows === null;
      const failed = cell?.result === result.id && cell.cell === selected ? cell.error : "";
      message.textContent =
        rows !== null
          ? ""
          : selected === null
            ? "Click a cell, or press Enter on it, to see what the model says next with it patched."
            : failed ||
              (live ? "Running the model …" : "Saved without this cell: run the notebook to look at it.");
      if (rows) table.replaceChildren(...tableOf(rows, result.choices.direction));
    },
  };
}

function tableOf(rows: readonly TokenRow[], direction: string): HTMLElement[] {
  const sides = ["clean", "corrupt", "patched"] as const;
  const names = { clean: "clean", corrupt: "corrupt", patched: patchedName(direction) };
  const largest = Math.max(...rows.flatMap((row) => sides.map((side) => row[side] || 0)), Number.MIN_VALUE);
  const head = element(
    "tr",
    {},
    element("th", { text: "token", attributes: { scope: "col" } }),
    ...sides.map((side) => element("th", { class: side, text: names[side], attributes: { scope: "col" } })),
  );
  const body = rows.map((row) => {
    const text = showToken(row.token);
    const line = element("tr", {}, element("th", { text, attributes: { scope: "row", title: text } }));
    for (const side of sides) {
      const bar = element("i");
      bar.style.width = `${(100 * (row[side] || 0)) / largest}%`;
      line.append(
        element(
          "td",
          { class: side },
          element("span", { class: "tslens-track", attributes: { "aria-hidden": "true" } }, bar),
          element("span", { class: "number", text: percent(row[side]) }),
        ),
      );
    }
    return line;
  });
  return [element("thead", {}, head), element("tbody", {}, ...body)];
}
