import { hasKernel, listen, type Render } from "../browser/contract.js";
import { element, keepKeys } from "../browser/dom.js";
import { widgetRoot } from "../browser/style.js";
import { watchTheme } from "../browser/theme.js";
import { patience, waitingForKernel } from "../browser/waiting.js";
import { readAttributes } from "../read-state.js";
import { steeringForm } from "./form.js";
import { steeringOutput } from "./output.js";
import {
  choiceNames,
  type SteeringChoices,
  type SteeringCommand,
  type SteeringControlsState,
  sameChoices,
} from "./state.js";
import { steeringStyle } from "./style.js";

/** Draws steering controls. Fulfils anywidget's contract: `render({model, el})` returns what undoes it. */
export const render: Render<SteeringControlsState> = ({ model, el }) => {
  const root = widgetRoot(el, "steering", "Steering controls", steeringStyle);
  const title = element("div", { class: "tslens-title", text: model.get("title") });
  title.hidden = !title.textContent;
  const form = steeringForm(model);
  const output = steeringOutput();
  const error = element("div", { class: "tslens-error", attributes: { role: "alert" } });
  const note = element("div", { class: "tslens-note" });
  const status = element("span", { class: "tslens-status", attributes: { role: "status" } });
  const command = (text: string, method: SteeringCommand["method"]): HTMLButtonElement => {
    const button = element("button", { text, attributes: { type: "button" } });
    button.addEventListener("click", () => model.send({ method } satisfies SteeringCommand));
    return button;
  };
  const run = command("Run again", "run");
  const stop = command("Stop", "stop");
  const actions = element("div", { class: "tslens-bar" }, form.slider, run, stop, status);
  let timer: ReturnType<typeof setTimeout> | undefined;

  function update(): void {
    const result = model.get("result");
    const choices: SteeringChoices = readAttributes(model, choiceNames);
    const stale = result !== null && !sameChoices(result.choices, choices);
    const live = hasKernel(model);
    const running = result?.status === "running";
    root.classList.toggle("stale", stale && live);
    output.node.hidden = result === null || result.status === "error";
    output.show(result);
    const message = result?.status === "error" && !stale ? result.error : "";
    if (error.textContent !== message) error.textContent = message;
    run.disabled = !live;
    stop.disabled = !live || !running;
    const count = Math.max(result?.unsteered.length ?? 0, result?.steered.length ?? 0);
    const sentence =
      result === null
        ? "Type a prompt to begin."
        : {
            running: `${count} of ${result.choices.max_new_tokens} tokens`,
            done: `${count} tokens`,
            stopped: `stopped after ${count} tokens`,
            error: "",
          }[result.status];
    if (status.textContent !== sentence) status.textContent = sentence;
    clearTimeout(timer);
    note.textContent = live ? "" : "Saved result: run the notebook to steer anew.";
    if (live && (stale || running))
      timer = setTimeout(() => {
        note.textContent = stale ? waitingForKernel : "Waiting for the model …";
      }, patience);
  }

  root.append(title, ...form.nodes, actions, error, output.node, note);
  const undo = [
    watchTheme(root, () => {}),
    listen(
      model,
      [...choiceNames, "points", "kinds", "coefficient_range"].map((name) => `change:${name}`),
      () => {
        form.update();
        update();
      },
    ),
    listen(model, ["change:result"], update),
    listen(model, ["comm_live_update"], () => {
      form.update();
      update();
    }),
    keepKeys(root),
    () => form.stop(),
    () => clearTimeout(timer),
  ];
  form.update();
  update();
  return () => {
    for (const step of undo) step();
    root.remove();
  };
};

export default { render };
