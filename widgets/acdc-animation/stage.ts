import { element } from "../browser/dom.js";
import type { PageColours } from "../browser/page-colours.js";
import { type Moment, paintBackground, paintForeground } from "./paint.js";
import { targetAt } from "./pointing.js";
import type { Scene, Strands, Target } from "./scene.js";

/** What the stage tells of the reader's gestures. */
export interface StageListener {
  /** The pointer is over something, or over nothing any more. */
  hover(target: Target | null, at: { readonly x: number; readonly y: number } | null): void;
  /** Something was clicked; null for the empty page. */
  select(target: Target | null): void;
  /** An edge was dragged out of its place. */
  cut(edge: number): void;
  /** What was pointed at has changed: draw again. */
  redraw(): void;
}

/** How a moment is drawn. */
export interface StageMoment {
  readonly colour: "input" | "score";
  readonly showRemoved: boolean;
  readonly trail: number;
  readonly part: number;
  /** Whether the next moment follows soon. */
  readonly moving: boolean;
}

/** An edge that is dragged farther than this is cut. */
const tearing = 36;
/** While the picture moves, its background is drawn at most once in so many milliseconds. */
const backgroundInterval = 90;

/** The drawn graph: two canvases, one for the many edges behind and one for what is looked at. */
export class Stage {
  readonly node: HTMLElement;
  private readonly back: HTMLCanvasElement = element("canvas", { attributes: { "aria-hidden": "true" } });
  private readonly front: HTMLCanvasElement = element("canvas", { attributes: { "aria-hidden": "true" } });
  private strands: Strands | null = null;
  private alive: Uint8Array | null = null;
  private drawnKey = "";
  private backgroundKey = "";
  private backgroundTime = 0;
  private drag: { edge: number; startX: number; startY: number; x: number; y: number } | null = null;

  constructor(
    private readonly scene: Scene,
    private readonly listener: StageListener,
  ) {
    this.node = element(
      "div",
      {
        class: "tslens-stage",
        attributes: { tabindex: 0, role: "application", "aria-roledescription": "circuit" },
      },
      this.back,
      this.front,
    );
    this.node.addEventListener("pointermove", (event) => this.move(event));
    this.node.addEventListener("pointerleave", () => this.hover(null, null));
    this.node.addEventListener("pointerdown", (event) => this.press(event));
    this.node.addEventListener("pointerup", (event) => this.release(event));
    this.node.addEventListener("pointercancel", () => {
      this.drag = null;
      this.listener.redraw();
    });
  }

  /** Takes the width that there is. */
  resize(width: number): void {
    this.scene.resize(width);
    const ratio = window.devicePixelRatio || 1;
    const { height } = this.scene.layout;
    for (const canvas of [this.back, this.front]) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    }
    this.node.style.height = `${height}px`;
    this.forget();
  }

  /** Has everything drawn anew, as when the colours have changed. */
  forget(): void {
    this.drawnKey = "";
    this.backgroundKey = "";
  }

  /** Draws the graph as it is now. */
  draw({ colour, showRemoved, trail, part, moving }: StageMoment, page: PageColours): void {
    const { scene } = this;
    const { timeline, cuts, layout } = scene;
    const key = [timeline.position, timeline.count, showRemoved, [...cuts].join()].join("/");
    if (key !== this.drawnKey || !this.strands || !this.alive) {
      this.drawnKey = key;
      this.strands = scene.strands(showRemoved);
      this.alive = scene.alive();
    }
    const dragged = this.drag && this.pulled(this.drag);
    const moment: Moment = { strands: this.strands, alive: this.alive, colour, trail, part, moving, dragged };
    const focus = scene.hovered ?? scene.selected;
    const backgroundKey = [key, page.theme, layout.width, focus !== null].join("/");
    const now = performance.now();
    if (backgroundKey !== this.backgroundKey && (!moving || now - this.backgroundTime > backgroundInterval)) {
      this.backgroundKey = backgroundKey;
      this.backgroundTime = now;
      paintBackground(this.fresh(this.back), scene, moment, page);
    }
    paintForeground(this.fresh(this.front), scene, moment, page);
  }

  private fresh(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
    const context = canvas.getContext("2d")!;
    const ratio = window.devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.scene.layout.width, this.scene.layout.height);
    return context;
  }

  private placeOf(event: PointerEvent): { x: number; y: number } {
    const box = this.node.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  private targetOf(event: PointerEvent): Target | null {
    const { x, y } = this.placeOf(event);
    return this.strands && targetAt(this.scene, this.strands, x, y);
  }

  private hover(target: Target | null, event: PointerEvent | null): void {
    const at = event && { x: event.clientX, y: event.clientY };
    const { hovered } = this.scene;
    const same = hovered?.kind === target?.kind && hovered?.id === target?.id;
    this.scene.hovered = target;
    this.node.style.cursor = target ? (target.kind === "edge" ? "grab" : "pointer") : "";
    this.listener.hover(target, at);
    if (!same) this.listener.redraw();
  }

  private move(event: PointerEvent): void {
    if (!this.drag) {
      this.hover(this.targetOf(event), event);
      return;
    }
    Object.assign(this.drag, this.placeOf(event));
    this.listener.hover(null, null);
    this.listener.redraw();
  }

  private press(event: PointerEvent): void {
    if (event.button !== 0) return;
    const target = this.targetOf(event);
    if (target?.kind !== "edge" || this.scene.cuts.has(target.id)) return;
    const { x, y } = this.placeOf(event);
    this.drag = { edge: target.id, startX: x, startY: y, x, y };
    this.node.setPointerCapture(event.pointerId);
  }

  private release(event: PointerEvent): void {
    const { drag } = this;
    this.drag = null;
    if (drag && this.pulled(drag)?.out) this.listener.cut(drag.edge);
    else this.listener.select(drag ? { kind: "edge", id: drag.edge } : this.targetOf(event));
    this.listener.redraw();
  }

  private pulled({ edge, startX, startY, x, y }: NonNullable<Stage["drag"]>): Moment["dragged"] {
    const way = Math.hypot(x - startX, y - startY);
    return way < 4 ? null : { edge, x, y, out: way > tearing };
  }
}
