import { hasKernel, listen, type Render, type ViewModel } from "../browser/contract.js";
import { element, keepKeys, onFrame } from "../browser/dom.js";
import { pageColours } from "../browser/page-colours.js";
import { widgetRoot } from "../browser/style.js";
import { watchTheme } from "../browser/theme.js";
import type { Theme } from "../colour.js";
import { Asker } from "./asker.js";
import { Charts } from "./charts.js";
import { details, effectText } from "./details.js";
import { figures } from "./figures.js";
import { graphKeys, keyHelp } from "./keys.js";
import { legendOf } from "./legend.js";
import { Player } from "./player.js";
import { Scene, type Target } from "./scene.js";
import { Stage } from "./stage.js";
import type { AcdcAnimationState } from "./state.js";
import { animationStyle } from "./style.js";
import { transport } from "./transport.js";
import { edgeLines, stepSentence, summaryOf } from "./words.js";

/** Draws a pruning animation. Fulfils anywidget's contract: `render({model, el})` returns what undoes it. */
export const render: Render<AcdcAnimationState> = ({ model, el }) => {
  const root = widgetRoot(el, "acdc", "Circuit pruning animation", animationStyle);
  try {
    return renderScene(model, root, new Scene(model));
  } catch (failure) {
    const sentence = `The animation cannot be drawn: ${failure instanceof Error ? failure.message : failure}`;
    root.append(element("div", { class: "tslens-error", text: sentence, attributes: { role: "alert" } }));
    return () => root.remove();
  }
};

function renderScene(model: ViewModel<AcdcAnimationState>, root: HTMLElement, scene: Scene): () => void {
  const title = element("div", { class: "tslens-title", text: model.get("title") });
  title.hidden = !title.textContent;
  const error = element("div", { class: "tslens-error", attributes: { role: "alert" } });
  const note = element("div", { class: "tslens-note" });
  const samples = element("div", { class: "tslens-samples" });
  const said = element("div", { class: "tslens-said", attributes: { "aria-live": "polite" } });
  const tip = element("div", { class: "tslens-pop", attributes: { "aria-hidden": "true" } });
  tip.hidden = true;
  const { timeline } = scene;

  const player = new Player(model, timeline, () => frame.request());
  const asker = new Asker(model, () => frame.request());
  const setCuts = (cuts: readonly number[]): void => {
    model.set("cuts", cuts);
    if (hasKernel(model)) model.save_changes();
    scene.read();
    frame.request();
  };
  const toggle = (edge: number): void => {
    const cuts = model.get("cuts");
    if (!asker.isPossible) return;
    setCuts(cuts.includes(edge) ? cuts.filter((other) => other !== edge) : [...cuts, edge]);
  };
  const select = (target: Target | null): void => {
    scene.selected = target;
    frame.request();
  };
  const stage = new Stage(scene, {
    hover: showTip,
    select,
    cut: toggle,
    redraw: () => frame.request(),
  });
  graphKeys(stage.node, scene, player, {
    select,
    toggle,
    undo: () => setCuts(model.get("cuts").slice(0, -1)),
  });
  const charts = new Charts(scene, (position) => player.show(position));
  const controls = transport(model, scene, player, () => {
    stage.forget();
    frame.request();
  });
  const head = figures(scene);
  const panel = details(scene, {
    toggle,
    restoreAll: () => setCuts([]),
    select: (edge) => select({ kind: "edge", id: edge }),
  });

  /** The metric without some edges, where it is known; nothing is asked about a circuit that is gone at once. */
  function metricWithout(gone: readonly number[], options?: { readonly now?: boolean }): number | undefined {
    const { position } = timeline;
    return player.isRunning ? asker.recall(position, gone) : asker.ask(position, gone, options);
  }

  /** The metric of the circuit that is shown, without the reader's cuts. */
  function baseMetric(): number {
    const { position } = timeline;
    const known = timeline.metricAt(position);
    if (!Number.isNaN(known)) return known;
    const measured = player.playing ? asker.recall(position, []) : asker.ask(position, []);
    return measured ?? (position === 0 ? (model.get("full") ?? Number.NaN) : Number.NaN);
  }

  /** The edges that go where a target goes, beside those that are cut already. */
  function without(target: Target): number[] {
    const own = target.kind === "edge" ? [target.id] : scene.edgesOf(target.id);
    const cuts = model.get("cuts");
    return [...cuts, ...own.filter((edge) => scene.isPresent(edge) && !cuts.includes(edge))];
  }

  /** What the metric would be without a target, in words; the kernel is asked where that is not known. */
  function effectOf(target: Target): string {
    const cuts = model.get("cuts");
    const gone = without(target);
    const name = model.get("metric_name");
    if (gone.length === cuts.length) return target.kind === "node" ? "none of its edges is left" : "";
    const before = cuts.length > 0 ? (asker.recall(timeline.position, cuts) ?? Number.NaN) : baseMetric();
    const after = metricWithout(gone);
    if (after === undefined && !asker.isPossible) return "";
    return `without it: ${effectText(name, before, after, waitingText())}`;
  }

  const waitingText = (): string =>
    asker.error || (player.isRunning ? "measured when paused" : "measuring …");

  function linesOf(target: Target): string[] {
    const { state } = scene;
    if (target.kind === "edge")
      return [...edgeLines(state, timeline, target.id, scene.score(target.id)), effectOf(target)].filter(
        Boolean,
      );
    const present = scene.edgesOf(target.id).filter((edge) => scene.isPresent(edge));
    const into = present.filter((edge) => scene.edges.to[edge] === target.id).length;
    return [`${into} edges in, ${present.length - into} out`, effectOf(target)].filter(Boolean);
  }

  let pointer: { readonly x: number; readonly y: number } | null = null;
  function showTip(target: Target | null, at: { readonly x: number; readonly y: number } | null): void {
    pointer = at;
    tip.hidden = !target || !at;
    if (!target || !at) return;
    const name = target.kind === "node" ? scene.places[target.id]!.name : scene.edgeName(target.id);
    tip.replaceChildren(
      element("b", { text: name }),
      ...linesOf(target).map((text) => element("div", { text })),
    );
    const box = root.getBoundingClientRect();
    const x = at.x - box.left + 14;
    const flipped = x + tip.offsetWidth > box.width ? at.x - box.left - tip.offsetWidth - 10 : x;
    tip.style.left = `${Math.max(4, flipped)}px`;
    tip.style.top = `${at.y - box.top + 16}px`;
  }

  /** Saves what the reader's cuts have done, so that it is there when the notebook is opened again. */
  function keepMeasured(cuts: readonly number[], metric: number): void {
    const { position } = timeline;
    const known = model.get("measured");
    if (!hasKernel(model) || (known?.position === position && String(known.cuts) === String(cuts))) return;
    model.set("measured", { position, cuts: [...cuts], metric });
    model.save_changes();
  }

  function showWords(): void {
    const { selected } = scene;
    const cuts = model.get("cuts");
    const cutMetric = cuts.length === 0 ? undefined : metricWithout(cuts, { now: true });
    if (cutMetric !== undefined) keepMeasured(cuts, cutMetric);
    const base = baseMetric();
    head.update(cutMetric ?? (cuts.length === 0 ? base : Number.NaN), hasKernel(model));
    const waiting = asker.isPossible ? waitingText() : "run the notebook to measure";
    panel.update(
      selected ? linesOf(selected).join(" · ") : "",
      effectText(model.get("metric_name"), base, cutMetric, waiting),
      asker.isPossible,
    );
    const sentence = stepSentence(scene.state, timeline);
    // A screen reader is not told of every step of a picture that moves.
    said.setAttribute("aria-live", player.moves ? "off" : "polite");
    if (said.textContent !== sentence) said.textContent = sentence;
    stage.node.setAttribute("aria-label", `Circuit: ${summaryOf(scene.state, timeline)}`);
    error.textContent = model.get("error");
    note.textContent = hasKernel(model)
      ? ""
      : "Saved animation: it can be replayed here. Run the notebook to cut edges and search anew.";
    if (scene.hovered) showTip(scene.hovered, pointer);
  }

  let last = 0;
  let wordsTime = 0;
  let wordsTimer: ReturnType<typeof setTimeout> | undefined;
  const frame = onFrame(() => {
    const now = performance.now();
    // A tab that was hidden does not leap.
    player.advance(Math.min(0.1, last ? (now - last) / 1000 : 0));
    last = player.moves ? now : 0;
    timeline.moveTo(Math.floor(player.shown + 1e-6));
    const page = pageColours(root);
    stage.draw(
      {
        colour: model.get("colour"),
        showRemoved: model.get("show_removed"),
        trail: Math.max(5, Math.min(48, Math.round((player.playing ? player.speed : 40) * 0.4))),
        part: player.shown - Math.floor(player.shown),
        moving: player.moves,
      },
      page,
    );
    charts.draw(player.shown, page);
    controls.update();
    clearTimeout(wordsTimer);
    const wait = player.moves ? wordsTime + 60 - now : 0;
    if (wait <= 0) {
      wordsTime = now;
      showWords();
    } else wordsTimer = setTimeout(showWords, wait);
    if (player.moves) frame.request();
  });

  function showLegend(): void {
    samples.replaceChildren(...legendOf(root.dataset.theme as Theme, model.get("kind"), model.get("colour")));
  }

  root.append(
    title,
    head.node,
    error,
    stage.node,
    samples,
    charts.node,
    controls.scrubber,
    controls.bar,
    said,
    panel.node,
    note,
    keyHelp(),
    tip,
  );
  const repaint = (): void => {
    stage.forget();
    showLegend();
    frame.request();
  };
  const reread = (): void => {
    try {
      scene.read();
    } catch (failure) {
      error.textContent = failure instanceof Error ? failure.message : String(failure);
    }
    frame.request();
  };
  const resize = (): void => {
    const width = Math.floor(root.clientWidth - 20);
    if (width < 60) return;
    stage.resize(width);
    charts.resize(width);
    frame.request();
  };
  const sizes = new ResizeObserver(resize);
  sizes.observe(root);
  const undo = [
    watchTheme(root, repaint),
    listen(model, ["change:log", "change:tail", "change:cuts"], reread),
    listen(model, ["change:status", "change:error", "change:full", "comm_live_update"], () =>
      frame.request(),
    ),
    listen(model, ["change:position"], () => player.take()),
    listen(model, ["change:colour", "change:show_removed", "change:speed"], repaint),
    keepKeys(root),
    () => asker.close(),
    () => frame.cancel(),
    () => clearTimeout(wordsTimer),
    () => sizes.disconnect(),
  ];
  showLegend();
  return () => {
    for (const step of undo) step();
    root.remove();
  };
}

export default { render };
