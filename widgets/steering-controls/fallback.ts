import type { MimeBundle } from "../host.js";
import { escapeHtml } from "../text.js";
import { changedTokens } from "./changes.js";
import type { SteeringControlsState } from "./state.js";

/** The two continuations as text and as HTML without scripts, for places where no widget runs. */
export function steeringFallback(state: SteeringControlsState): MimeBundle {
  const { result } = state;
  if (!result) {
    const sentence = "The model has not been steered yet.";
    return { "text/plain": sentence, "text/html": `<p>${sentence}</p>` };
  }
  const { choices, unsteered, steered, error } = result;
  const values = Object.values(choices.direction.values).map((value) => JSON.stringify(value));
  const how = `${choices.point} + ${choices.coefficient} × ${choices.direction.kind}(${values.join(", ")})`;
  if (error)
    return {
      "text/plain": `${how}\n${error}`,
      "text/html": `<p>${escapeHtml(how)}<br>${escapeHtml(error)}</p>`,
    };
  const changed = changedTokens(unsteered, steered);
  const marked = (tokens: readonly string[], marks: readonly boolean[]): string =>
    tokens.map((token, i) => (marks[i] ? `<b><u>${escapeHtml(token)}</u></b>` : escapeHtml(token))).join("");
  const row = (name: string, tokens: readonly string[], marks: readonly boolean[]): string =>
    `<tr><th scope="row" style="text-align: left; vertical-align: top">${name}</th>` +
    `<td style="text-align: left; white-space: pre-wrap"><span style="opacity: 0.6">${escapeHtml(choices.prompt)}</span>${marked(tokens, marks)}</td></tr>`;
  return {
    "text/plain": `${how}\nunsteered: ${choices.prompt}${unsteered.join("")}\nsteered:   ${choices.prompt}${steered.join("")}`,
    "text/html":
      `<table><caption style="text-align: left; white-space: nowrap">${escapeHtml(how)}</caption><tbody>` +
      `${row("unsteered", unsteered, changed.unsteered)}${row("steered", steered, changed.steered)}</tbody></table>`,
  };
}
