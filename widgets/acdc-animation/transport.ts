import { hasKernel, type ViewModel } from "../browser/contract.js";
import { element, field, fillSelect } from "../browser/dom.js";
import { shortNumber } from "../text.js";
import { inset } from "./charts.js";
import { iconOf, type icons } from "./icons.js";
import { type Player, speeds } from "./player.js";
import type { Scene } from "./scene.js";
import type { AcdcAnimationState } from "./state.js";

/** The buttons, the scrubber and the choices. */
export interface Transport {
  readonly scrubber: HTMLElement;
  readonly bar: HTMLElement;
  update(): void;
}

/** Makes them. */
export function transport(
  model: ViewModel<AcdcAnimationState>,
  scene: Scene,
  player: Player,
  changed: () => void,
): Transport {
  const choose = <K extends keyof AcdcAnimationState & string>(
    name: K,
    value: AcdcAnimationState[K],
  ): void => {
    model.set(name, value);
    if (hasKernel(model)) model.save_changes();
    changed();
  };
  const button = (icon: keyof typeof icons, label: string, act: () => void): HTMLButtonElement => {
    const made = element(
      "button",
      { class: icon, attributes: { type: "button", title: label, "aria-label": label } },
      iconOf(icon),
    );
    made.addEventListener("click", act);
    return made;
  };
  const start = button("start", "To the start", () => player.show(0));
  const back = button("back", "One step back", () => player.step(-1));
  const play = button("play", "Play", () => player.toggle());
  const forward = button("forward", "One step forward", () => player.step(1));
  const end = button("end", "To the end", () => player.follow());
  const stop = button("stop", "Stop the search", () => player.stop());
  stop.append("Stop");
  let live: boolean | undefined;
  let running: boolean | undefined;

  const slider = element("input", { attributes: { type: "range", min: 0, step: "any" } });
  const toStep = (): number => scene.axis.step(slider.valueAsNumber);
  slider.max = "1";
  slider.addEventListener("input", () => player.show(toStep(), { dragging: true }));
  slider.addEventListener("change", () => player.show(toStep()));
  slider.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    player.show(Math.round(player.shown) + by * (event.shiftKey ? 10 : 1));
  });
  const caption = element("span", { class: "tslens-caption" });
  const scrubber = element("label", { class: "tslens-scrubber" }, caption, slider);
  scrubber.style.setProperty("--inset", `${inset}px`);

  const speed = element("select");
  speed.addEventListener("change", () => choose("speed", Number(speed.value)));
  const colour = element("select");
  colour.addEventListener("change", () => choose("colour", colour.value as "input" | "score"));
  const removed = element("input", { attributes: { type: "checkbox" } });
  removed.addEventListener("change", () => choose("show_removed", removed.checked));
  const bar = element(
    "div",
    { class: "tslens-bar tslens-transport" },
    element(
      "div",
      { class: "tslens-buttons", attributes: { role: "group", "aria-label": "Playback" } },
      start,
      back,
      play,
      forward,
      end,
      stop,
    ),
    field("Speed", speed),
    field("Colour", colour),
    element("label", { class: "tslens-check" }, removed, "show removed edges"),
  );

  /** The least score that is left, of a ranking. */
  function leastScore(position: number): string {
    const next = scene.timeline.step(position);
    const score = next && scene.score(next.edge);
    return score === undefined
      ? "all edges are removed"
      : `edges with |score| ≥ ${shortNumber(Math.abs(score))}`;
  }

  return {
    scrubber,
    bar,
    update() {
      const { timeline } = scene;
      const ranking = model.get("kind") === "ranking";
      const position = Math.round(player.shown);
      if (running !== player.isRunning) {
        running = player.isRunning;
        play.replaceChildren(iconOf(running ? "pause" : "play"));
      }
      if (live !== player.isLive) {
        live = player.isLive;
        end.replaceChildren(...(live ? ["● Live"] : [iconOf("end")]));
      }
      const follows = player.follows && live;
      const what = follows ? " the search" : "";
      play.title = `${running ? "Pause" : follows ? "Resume" : "Play"}${what}`;
      play.setAttribute("aria-label", play.title);
      back.disabled = start.disabled = position === 0;
      forward.disabled = position >= timeline.count && !live;
      forward.title = follows ? "Let the search make one step" : "One step forward";
      forward.setAttribute("aria-label", forward.title);
      end.title = live ? "Follow the search" : "To the end";
      end.setAttribute("aria-label", end.title);
      end.setAttribute("aria-pressed", String(follows));
      end.disabled = live ? follows : position >= timeline.count;
      play.disabled = timeline.count === 0 && !live;
      stop.hidden = !live && model.get("status") !== "stopping";
      stop.disabled = !live;
      if (toStep() !== position) slider.value = String(scene.axis.place(position));
      slider.disabled = timeline.count === 0;
      caption.textContent = ranking ? `Threshold: ${leastScore(position)}` : "Steps";
      slider.setAttribute(
        "aria-valuetext",
        ranking ? leastScore(position) : `step ${position} of ${timeline.count}`,
      );
      fillSelect(
        speed,
        speeds.map((value) => ({ value: String(value), text: `${value} step${value === 1 ? "" : "s"}/s` })),
        String(player.speed),
      );
      fillSelect(
        colour,
        [
          { value: "input", text: "by input: q, k, v" },
          { value: "score", text: "by effect" },
        ],
        model.get("colour"),
      );
      removed.checked = model.get("show_removed");
    },
  };
}
