import { element } from "../browser/dom.js";
import { percent, showToken } from "../text.js";
import { changedTokens } from "./changes.js";
import type { NextToken, SteeringResult } from "./state.js";

/** Tokens whose probabilities are drawn. */
const barCount = 10;

/** The two continuations and what the next token would be, side by side. */
export interface Output {
  readonly node: HTMLElement;
  show(result: SteeringResult | null): void;
}

/** Makes the output. */
export function steeringOutput(): Output {
  const side = (name: "unsteered" | "steered") => {
    const how = element("span");
    const text = element("div", { class: "tslens-text" });
    const bars = element("div");
    const heading = element(
      "h4",
      {},
      element("b", { text: name === "steered" ? "Steered" : "Unsteered" }),
      how,
    );
    return {
      node: element("section", { class: `tslens-card ${name}` }, heading, text, bars),
      how,
      text,
      bars,
    };
  };
  const unsteered = side("unsteered");
  const steered = side("steered");
  return {
    node: element("div", { class: "tslens-pair" }, unsteered.node, steered.node),
    show(result) {
      if (!result) return;
      const { choices, next } = result;
      const changed = changedTokens(result.unsteered, result.steered);
      const running = result.status === "running";
      unsteered.text.replaceChildren(
        ...textOf(choices.prompt, result.unsteered, changed.unsteered, "del", running),
      );
      steered.text.replaceChildren(
        ...textOf(choices.prompt, result.steered, changed.steered, "ins", running),
      );
      steered.how.textContent = `${choices.coefficient > 0 ? "+" : ""}${String(choices.coefficient).replace("-", "−")} × direction at ${choices.point}`;
      unsteered.bars.replaceChildren(...barsOf(next, "unsteered"));
      steered.bars.replaceChildren(...barsOf(next, "steered"));
    },
  };
}

/** The prompt, then each token; changed ones are marked by weight, underline and, for screen readers, as edits. */
function textOf(
  prompt: string,
  tokens: readonly string[],
  changed: readonly boolean[],
  mark: "ins" | "del",
  running: boolean,
): Node[] {
  const nodes: Node[] = [element("span", { class: "prompt", text: prompt })];
  tokens.forEach((text, i) => {
    nodes.push(element(changed[i] ? mark : "span", { text, attributes: { title: showToken(text) } }));
  });
  if (running) nodes.push(element("span", { class: "cursor", attributes: { "aria-hidden": "true" } }));
  return nodes;
}

/** The most probable tokens of one side as bars, with a mark where the other side has them. */
function barsOf(next: readonly NextToken[], side: "unsteered" | "steered"): Node[] {
  if (next.length === 0) return [];
  const other = side === "steered" ? "unsteered" : "steered";
  const shown = [...next].sort((a, b) => b[side] - a[side]).slice(0, barCount);
  const largest = Math.max(
    ...next.map((token) => Math.max(token.unsteered, token.steered)),
    Number.MIN_VALUE,
  );
  const table = element("table", { class: "tslens-bars" });
  const [now, mark] = side === "steered" ? ["after", "before"] : ["before", "after"];
  table.createCaption().textContent = `Next token ${now} steering (┃ ${mark})`;
  const body = table.createTBody();
  for (const token of shown) {
    const here = element("i", { class: "here" });
    here.style.width = `${(100 * token[side]) / largest}%`;
    const there = element("i", { class: "there" });
    there.style.left = `${(100 * token[other]) / largest}%`;
    const change = token.steered - token.unsteered;
    const row = body.insertRow();
    row.append(
      element("th", {
        text: showToken(token.token),
        attributes: { scope: "row", title: showToken(token.token) },
      }),
      element(
        "td",
        { attributes: { "aria-hidden": "true" } },
        element("span", { class: "tslens-track" }, here, there),
      ),
      element("td", { class: "number", text: percent(token[side]) }),
    );
    if (side === "steered")
      row.append(
        element("td", {
          class: "change",
          text: Math.abs(change) < 0.0005 ? "" : change > 0 ? "▲" : "▼",
          attributes: {
            title: `${percent(token.unsteered)} before`,
            "aria-label": change > 0 ? "more" : "less",
          },
        }),
      );
    row.title = `${showToken(token.token)}: ${percent(token.unsteered)} before, ${percent(token.steered)} after steering`;
  }
  return [table];
}
