import { hasKernel, type ViewModel } from "../browser/contract.js";
import type { AcdcAnimationState, SearchCommand } from "./state.js";
import type { Timeline } from "./timeline.js";

/** The speeds of a replay, in steps a second. */
export const speeds = [1, 3, 10, 30, 100, 300, 1000, 3000, 10000] as const;

/** A replay of all steps takes about so many seconds where the reader has chosen no speed. */
const usualSeconds = 15;

/**
 * What step is shown, and how it moves on. At the newest step of a search that runs, it follows the search, and its
 * buttons pause and step the search itself; before that, they replay what has been done.
 */
export class Player {
  /** The step that is shown; between two while the picture moves. */
  shown = 0;
  /** Whether a replay is going. */
  playing = false;
  private dragging = false;

  constructor(
    private readonly model: ViewModel<AcdcAnimationState>,
    private readonly timeline: Timeline,
    /** Something has changed: draw again. */
    private readonly changed: () => void,
  ) {
    const position = model.get("position");
    this.shown = position < 0 ? timeline.count : Math.min(position, timeline.count);
  }

  /** Whether a search may still make steps. */
  get isLive(): boolean {
    const status = this.model.get("status");
    return hasKernel(this.model) && (status === "running" || status === "paused");
  }

  /** Whether the newest step is shown, whichever it is. */
  get follows(): boolean {
    return this.model.get("position") < 0;
  }

  /** Whether the picture moves by itself. */
  get moves(): boolean {
    return this.playing || (this.follows && this.shown < this.timeline.count);
  }

  /** Whether the main button would stop what moves. */
  get isRunning(): boolean {
    return this.playing || (this.follows && this.isLive && this.model.get("status") === "running");
  }

  /** Steps a second of a replay. */
  get speed(): number {
    const chosen = this.model.get("speed");
    if (chosen > 0) return chosen;
    const wanted = Math.max(1, this.model.get("total")) / usualSeconds;
    const away = (speed: number): number => Math.abs(Math.log(speed / wanted));
    return speeds.reduce((best, speed) => (away(speed) < away(best) ? speed : best));
  }

  /** Moves on by so many seconds. */
  advance(seconds: number): void {
    const { count } = this.timeline;
    if (this.playing) {
      this.shown = Math.min(count, this.shown + this.speed * seconds);
      if (this.shown >= count) this.end();
    } else if (this.follows && this.shown !== count) {
      const behind = count - this.shown;
      const chase = Math.max(behind * (1 - Math.exp(-8 * seconds)), 4 * seconds);
      this.shown = behind <= 0 || behind - chase < 0.02 ? count : this.shown + chase;
    }
  }

  /** Plays or pauses: the search where its newest step is shown, else the replay. */
  toggle(): void {
    if (this.follows && this.isLive) {
      this.command(this.model.get("status") === "running" ? "pause" : "resume");
      return;
    }
    if (this.playing) this.rest();
    else {
      if (this.shown >= this.timeline.count) this.shown = 0;
      this.playing = true;
      this.choose(Math.floor(this.shown), false);
    }
    this.changed();
  }

  /** So many steps forward (or back, where negative); forward from the newest, the search makes one. */
  step(by: number): void {
    if (by > 0 && this.follows && this.isLive) {
      this.command("step");
      return;
    }
    this.playing = false;
    const from = by > 0 ? Math.floor(this.shown) : Math.ceil(this.shown);
    this.show(from + by);
  }

  /** Shows a step. While the scrubber is dragged the choice is not sent. */
  show(position: number, { dragging = false } = {}): void {
    this.playing = false;
    this.dragging = dragging;
    this.shown = Math.max(0, Math.min(this.timeline.count, position));
    this.choose(this.shown, !dragging);
    this.changed();
  }

  /** Shows the newest step, and those that come. */
  follow(): void {
    this.playing = false;
    this.shown = this.isLive ? this.shown : this.timeline.count;
    this.set(-1, true);
    this.changed();
  }

  /** Takes a choice that another view has made. */
  take(): void {
    const position = this.model.get("position");
    if (this.playing || this.dragging) return;
    if (position >= 0) this.shown = Math.min(position, this.timeline.count);
    this.changed();
  }

  /** Ends the search. */
  stop(): void {
    this.command("stop");
  }

  private rest(): void {
    this.playing = false;
    this.choose(Math.round(this.shown), true);
    this.shown = Math.round(this.shown);
  }

  private end(): void {
    this.playing = false;
    this.set(-1, true);
    this.changed();
  }

  private choose(position: number, save: boolean): void {
    const newest = position >= this.timeline.count && !this.isLive;
    this.set(newest ? -1 : Math.min(position, this.timeline.count), save);
  }

  private set(position: number, save: boolean): void {
    this.model.set("position", position);
    if (save && hasKernel(this.model)) this.model.save_changes();
  }

  private command(method: SearchCommand["method"]): void {
    this.model.send({ method } satisfies SearchCommand);
  }
}
