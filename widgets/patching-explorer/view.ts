import { hasKernel, listen, type Render } from "../browser/contract.js";
import { element, keepKeys, keyHint, onFrame } from "../browser/dom.js";
import { widgetRoot } from "../browser/style.js";
import { watchTheme } from "../browser/theme.js";
import { patience, waitingForKernel } from "../browser/waiting.js";
import type { Theme } from "../colour.js";
import { readState } from "../read-state.js";
import { summaryOf } from "./effects.js";
import { patchingForm } from "./form.js";
import { mapLegend } from "./legend.js";
import { HeatMap } from "./map.js";
import { nextTokenTable } from "./next-tokens.js";
import {
  type PatchingCommand,
  type PatchingExplorerState,
  patchingExplorerDefaults,
  sameChoices,
} from "./state.js";
import { explorerStyle } from "./style.js";
import { tokenPairs } from "./token-pairs.js";

const names = Object.keys(patchingExplorerDefaults);

/** Draws a patching explorer. Fulfils anywidget's contract: `render({model, el})` returns what undoes it. */
export const render: Render<PatchingExplorerState> = ({ model, el }) => {
  const root = widgetRoot(el, "patching", "Patching explorer", explorerStyle);
  const title = element("div", { class: "tslens-title", text: model.get("title") });
  title.hidden = !title.textContent;
  const form = patchingForm(model);
  const pairs = tokenPairs();
  const error = element("div", { class: "tslens-error", attributes: { role: "alert" } });
  const note = element("div", { class: "tslens-note" });
  const status = element("span", { class: "tslens-status", attributes: { role: "status" } });
  const bar = element("progress", { attributes: { "aria-label": "Cells patched" } });
  const command = (text: string, method: PatchingCommand["method"]): HTMLButtonElement => {
    const button = element("button", { text, attributes: { type: "button" } });
    button.addEventListener("click", () => model.send({ method } satisfies PatchingCommand));
    return button;
  };
  const run = command("Run again", "run");
  const stop = command("Stop", "stop");
  const actions = element("div", { class: "tslens-bar" }, run, stop, bar, status);

  const readout = element("div", { class: "tslens-readout" });
  const legend = mapLegend();
  const map = new HeatMap({
    look(cell) {
      legend.mark(cell === null ? null : map.valueOf(cell));
      readout.textContent = cell === null ? "" : map.describe(cell);
    },
    select(cell) {
      model.set("selected", cell);
      if (hasKernel(model)) model.save_changes();
    },
  });
  const next = nextTokenTable();
  const summary = element("div", { class: "tslens-note" });
  const help = element(
    "div",
    { class: "tslens-note" },
    keyHint("←", "↑", "→", "↓"),
    " walk through the cells, ",
    keyHint("Enter"),
    " or a click chooses one",
  );
  const left = element("div", {}, summary, map.node, legend.node, readout, help);
  const found = element("div", { class: "tslens-found" }, left, next.node);
  let timer: ReturnType<typeof setTimeout> | undefined;

  function update(): void {
    const state = readState(model, patchingExplorerDefaults);
    const { result, run: sweep, selected, tokens } = state;
    const live = hasKernel(model);
    const stale = result !== null && !sameChoices(result.choices, state);
    const running = sweep.status === "running";
    root.classList.toggle("stale", stale);
    form.update();
    pairs.show(tokens);
    if (error.textContent !== sweep.error) error.textContent = sweep.error;
    run.disabled = !live;
    stop.disabled = !live || !running;
    bar.hidden = !running || !live;
    if (sweep.total > 0) {
      bar.max = sweep.total;
      bar.value = sweep.done;
    } else bar.removeAttribute("value");
    const cells = sweep.total > 0 ? `${sweep.done} of ${sweep.total} cells` : "";
    const sentence = {
      idle: "",
      running: live ? cells || "running the model …" : "",
      done: cells ? `${sweep.total} cells patched` : "",
      stopped: `stopped${cells ? ` after ${cells}` : ""}`,
      error: result ? "The map is of the last choices that could be patched." : "",
    }[sweep.status];
    if (status.textContent !== sentence) status.textContent = sentence;
    found.hidden = result === null;
    if (result) {
      const theme = root.dataset.theme as Theme;
      summary.textContent = [summaryOf(result), ...result.notes].join(". ");
      map.show(result, selected, theme);
      legend.show(result, theme);
      next.show(state, live);
    }
    clearTimeout(timer);
    note.textContent = live ? "" : "Saved sweep: cells can be looked at; run the notebook to patch anew.";
    if (live && stale && !running && sweep.status !== "error")
      timer = setTimeout(() => {
        note.textContent = waitingForKernel;
      }, patience);
  }

  root.append(title, form.prompts, pairs.node, form.settings, actions, error, found, note);
  const frame = onFrame(update);
  const undo = [
    watchTheme(root, frame.request),
    listen(model, [...names.map((name) => `change:${name}`), "comm_live_update"], frame.request),
    keepKeys(root),
    frame.cancel,
    () => form.stop(),
    () => clearTimeout(timer),
  ];
  const size = new ResizeObserver(frame.request);
  size.observe(root);
  update();
  return () => {
    size.disconnect();
    for (const step of undo) step();
    root.remove();
  };
};

export default { render };
