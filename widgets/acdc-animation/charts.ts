import { element } from "../browser/dom.js";
import type { PageColours } from "../browser/page-colours.js";
import { shortNumber } from "../text.js";
import { edgeColours, stateColours } from "./palette.js";
import type { Scene } from "./scene.js";
import { metricText } from "./words.js";

const size = { height: 50, top: 6, bottom: 5 } as const;
/** Half the width of a slider's thumb: the charts begin and end where its middle does. */
export const inset = 8;

/** One line of a chart. */
interface Course {
  readonly value: (step: number) => number;
  readonly colour: string;
  readonly shown: number;
  /** The foot of the chart; the least value by default. */
  readonly least?: number;
  /** Whether the value is known at a few steps only, of which none may be passed over. */
  readonly everyStep?: boolean;
  /** A value in words. */
  readonly text?: (value: number) => string;
}

/** The course of the metric and of the number of edges, above the scrubber and in step with it. */
export class Charts {
  readonly node: HTMLElement;
  private readonly canvases = [element("canvas"), element("canvas")] as const;
  private readonly captions = [element("figcaption"), element("figcaption")] as const;
  private width = 0;

  /** @param scrub is called with the step that the reader points at */
  constructor(
    private readonly scene: Scene,
    scrub: (position: number) => void,
  ) {
    const figures = this.canvases.map((canvas, i) => {
      canvas.setAttribute("role", "img");
      const toStep = (event: PointerEvent): void => {
        const box = canvas.getBoundingClientRect();
        const part = (event.clientX - box.left - inset) / (box.width - 2 * inset);
        scrub(this.scene.axis.step(Math.max(0, Math.min(1, part))));
      };
      canvas.addEventListener("pointerdown", (event) => {
        canvas.setPointerCapture(event.pointerId);
        toStep(event);
      });
      canvas.addEventListener("pointermove", (event) => {
        if (event.buttons & 1) toStep(event);
      });
      return element("figure", { class: "tslens-chart" }, this.captions[i]!, canvas);
    });
    this.node = element("div", { class: "tslens-charts" }, ...figures);
  }

  resize(width: number): void {
    this.width = width;
    const ratio = window.devicePixelRatio || 1;
    for (const canvas of this.canvases) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(size.height * ratio);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${size.height}px`;
    }
  }

  draw(shown: number, page: PageColours): void {
    const { timeline, edges, state } = this.scene;
    const at = Math.min(timeline.count, Math.max(0, Math.round(shown)));
    const colours = edgeColours[page.theme];
    const metric = (step: number): number => timeline.metricAt(step);
    const left = (step: number): number => timeline.leftAt(step);
    const ranking = state.kind === "ranking";
    this.line(0, { value: metric, colour: colours.q, shown, everyStep: ranking }, page);
    const place = ranking ? `with the ${left(at)} strongest edges` : `at step ${at} of ${state.total}`;
    this.say(0, state.metric_name, metricText(metric(at)), place);
    if (ranking) {
      const least = (step: number): number => this.leastScore(step);
      this.line(
        1,
        {
          value: (step) => Math.log10(least(step)),
          colour: colours.v,
          shown,
          text: (exponent) => shortNumber(10 ** exponent, 2),
        },
        page,
      );
      this.say(
        1,
        "least |score| that is left",
        metricText(least(at)),
        `· ${left(at)} of ${edges.count} edges`,
      );
    } else {
      this.line(1, { value: left, colour: colours.v, shown, least: 0, text: String }, page);
      this.say(1, "edges left", String(left(at)), `of ${edges.count}`);
    }
  }

  private leastScore(step: number): number {
    const next = this.scene.timeline.step(step);
    return next ? Math.abs(this.scene.score(next.edge)!) : Number.NaN;
  }

  private say(chart: 0 | 1, name: string, value: string, place: string): void {
    const caption = this.captions[chart];
    const text = `${name} ${value} ${place}`;
    if (caption.textContent === text) return;
    caption.replaceChildren(`${name} `, element("b", { text: value }), ` ${place}`);
    this.canvases[chart].setAttribute("aria-label", text);
  }

  private line(
    chart: 0 | 1,
    { value, colour, shown, least, everyStep = false, text = shortNumber }: Course,
    { ink, soft, line, page, font, theme }: PageColours,
  ): void {
    const { timeline, axis } = this.scene;
    const steps = timeline.count;
    const context = this.canvases[chart].getContext("2d")!;
    const ratio = window.devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.width, size.height);
    const inner = this.width - 2 * inset;
    const x = (step: number): number => inset + axis.place(step) * inner;
    const columns = everyStep ? steps : Math.min(steps, Math.max(1, Math.floor(inner)));
    const points: [number, number][] = [];
    for (let i = 0; i <= columns; i++) {
      const step = columns === steps ? i : axis.step((i / columns) * axis.place(steps));
      const y = value(step);
      if (Number.isFinite(y)) points.push([step, y]);
    }
    context.strokeStyle = line;
    context.lineWidth = 1;
    context.strokeRect(inset + 0.5, 0.5, inner - 1, size.height - 1);
    this.canvases[chart].parentElement!.hidden = points.length === 0;
    if (points.length === 0) return;
    let low = least ?? Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (const [, y] of points) {
      low = Math.min(low, y);
      high = Math.max(high, y);
    }
    const span = high - low || Math.abs(high) || 1;
    const y = (value: number): number =>
      size.height - size.bottom - ((value - low) / span) * (size.height - size.top - size.bottom);
    if (chart === 0 && !everyStep) this.ticks(context, x, stateColours[theme].tested);
    context.beginPath();
    for (const [step, at] of points) context.lineTo(x(step), y(at));
    context.strokeStyle = colour;
    context.lineWidth = 1.6;
    context.lineJoin = "round";
    context.stroke();
    context.lineTo(x(points.at(-1)![0]), size.height - 1);
    context.lineTo(x(points[0]![0]), size.height - 1);
    context.globalAlpha = 0.12;
    context.fillStyle = colour;
    context.fill();
    context.globalAlpha = 1;
    context.fillStyle = colour;
    if (everyStep) for (const [step, at] of points) context.fillRect(x(step) - 2, y(at) - 2, 4, 4);
    context.font = `10px ${font}`;
    context.textAlign = "right";
    context.strokeStyle = page;
    context.lineWidth = 3;
    context.fillStyle = soft;
    for (const [number, place] of [
      [high, 9],
      [low, size.height - 9],
    ] as const) {
      context.textBaseline = "middle";
      context.strokeText(text(number), this.width - inset - 5, place);
      context.fillText(text(number), this.width - inset - 5, place);
    }
    context.fillStyle = ink;
    context.fillRect(x(shown) - 0.75, 1, 1.5, size.height - 2);
    const now = value(Math.min(steps, Math.max(0, Math.round(shown))));
    if (!Number.isFinite(now)) return;
    context.beginPath();
    context.arc(x(shown), y(now), 3.5, 0, 2 * Math.PI);
    context.fillStyle = colour;
    context.lineWidth = 1.5;
    context.fill();
    context.stroke();
  }

  /** A tick at the foot for every step that kept its edge, as far as they can be told apart. */
  private ticks(context: CanvasRenderingContext2D, x: (step: number) => number, colour: string): void {
    const { timeline } = this.scene;
    context.fillStyle = colour;
    context.globalAlpha = 0.55;
    let drawn = -1;
    for (let step = 0; step < timeline.count; step++) {
      const place = Math.round(x(step + 1));
      if (!timeline.isKept(step) || place === drawn) continue;
      drawn = place;
      context.fillRect(place - 0.5, size.height - 6, 1, 5);
    }
    context.globalAlpha = 1;
  }
}
