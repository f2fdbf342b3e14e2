import { element } from "../browser/dom.js";
import { showToken } from "../text.js";
import type { PatchingExplorerState } from "./state.js";

/** The tokens of the two prompts, each above the one that it corresponds to; those that differ are marked. */
export function tokenPairs(): {
  readonly node: HTMLElement;
  show(tokens: PatchingExplorerState["tokens"]): void;
} {
  const table = element("table", { class: "tslens-pairs" });
  const node = element("div", { class: "tslens-scroll" }, table);
  let shown = "";
  return {
    node,
    show({ clean, corrupt }) {
      const key = JSON.stringify([clean, corrupt]);
      if (key === shown) return;
      shown = key;
      const count = Math.max(clean.length, corrupt.length);
      node.hidden = count === 0;
      const differs = (i: number): boolean => clean[i] !== corrupt[i];
      const changed = Array.from({ length: count }, (_, i) => i).filter(differs).length;
      const caption = table.createCaption();
      caption.textContent =
        clean.length === corrupt.length
          ? `${count} tokens in each prompt, ${changed} of them different`
          : `${clean.length} tokens in the clean prompt, ${corrupt.length} in the corrupt one: they do not correspond`;
      const row = (name: string, tokens: readonly string[]): HTMLTableRowElement => {
        const made = element("tr", {}, element("th", { text: name, attributes: { scope: "row" } }));
        for (let i = 0; i < count; i++) {
          const token = tokens[i];
          const cell = element("td");
          if (token !== undefined)
            cell.append(element(differs(i) ? "mark" : "span", { text: showToken(token) }));
          made.append(cell);
        }
        return made;
      };
      table.replaceChildren(caption, element("tbody", {}, row("clean", clean), row("corrupt", corrupt)));
    },
  };
}
