import type { PageColours } from "../browser/page-colours.js";
import { colourAt, css, inkOn, type Theme } from "../colour.js";
import { type Curve, pointOf } from "./layout.js";
import { edgeColours, stateColours } from "./palette.js";
import { drawCurves, drawMark } from "./pen.js";
import type { Scene, Strands, Target } from "./scene.js";
import { inputNames } from "./state.js";

/** What of a picture changes from frame to frame. */
export interface Moment {
  readonly strands: Strands;
  readonly alive: Uint8Array;
  readonly colour: "input" | "score";
  /** How many of the latest removals are still seen. */
  readonly trail: number;
  /** Whether the next moment follows soon. */
  readonly moving: boolean;
  /** How far the present step has come, 0 to 1. */
  readonly part: number;
  /** The edge that is being dragged, and where to. */
  readonly dragged: {
    readonly edge: number;
    readonly x: number;
    readonly y: number;
    readonly out: boolean;
  } | null;
}

/** Draws the many edges that are not looked at one by one: they change less often than the rest. */
export function paintBackground(
  context: CanvasRenderingContext2D,
  scene: Scene,
  { strands }: Moment,
  { theme, soft, font }: PageColours,
): void {
  const { faint, gone, faintCount } = strands;
  const colours = stateColours[theme];
  const focus = scene.hovered ?? scene.selected;
  const dim = focus ? 0.45 : 1;
  const alpha = Math.max(0.1, Math.min(0.5, 7 / Math.sqrt(faint.length + 1))) * dim;
  const curves = (list: readonly number[]): Curve[] => list.map((edge) => scene.curve(edge));
  drawCurves(context, curves(gone), {
    colour: colours.removed,
    width: 0.8,
    alpha: 0.16 * dim,
    dash: [1.5, 4],
  });
  drawCurves(context, curves(faint), {
    colour: colours.untested,
    width: faintCount > 4000 ? 0.7 : 0.9,
    alpha: theme === "dark" ? Math.min(0.6, alpha * 1.25) : alpha,
  });
  context.fillStyle = soft;
  context.font = `10px ${font}`;
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  for (const { label, x } of scene.layout.columns) context.fillText(label, x, 13);
}

/** Draws all that is looked at: kept edges, the latest removals, the edge under test, what is pointed at, and the nodes. */
export function paintForeground(
  context: CanvasRenderingContext2D,
  scene: Scene,
  moment: Moment,
  page: PageColours,
): void {
  const { cuts } = scene;
  const colours = stateColours[page.theme];
  const focus = scene.hovered ?? scene.selected;
  const dim = focus ? 0.18 : 1;
  paintTrail(context, scene, moment, page, dim);
  for (const edge of moment.strands.kept)
    drawCurves(context, [scene.curve(edge)], {
      colour: edgeColour(scene, edge, moment.colour, page.theme),
      width: keptWidth(scene, edge, moment.strands.kept.length),
      alpha: 0.9 * dim,
    });
  for (const edge of cuts)
    drawCurves(context, [scene.curve(edge)], { colour: colours.cut, width: 1.8, dash: [2, 3], alpha: 0.9 });
  const next = scene.underTest();
  if (next !== undefined)
    drawCurves(context, [scene.curve(next)], {
      colour: colours.tested,
      width: 2.4,
      dash: [7, 4, 2, 4],
      dashOffset: -performance.now() / 40,
    });
  if (focus) paintFocus(context, scene, focus, moment, page);
  paintNodes(context, scene, moment, page, focus);
  paintMarks(context, scene, moment, page, next);
}

/** Where there are many, edges are drawn thinner. */
function keptWidth(scene: Scene, edge: number, drawn: number): number {
  const crowd = Math.min(1, Math.sqrt(160 / (drawn + 1)));
  return 0.7 + 0.2 * crowd + 3.8 * crowd * Math.sqrt(Math.min(1, Math.abs(scene.relativeScore(edge))));
}

function edgeColour(scene: Scene, edge: number, by: "input" | "score", theme: Theme): string {
  if (by === "input") return edgeColours[theme][inputNames[scene.edges.input[edge]!]!];
  const relative = scene.relativeScore(edge);
  const strength = Math.sign(relative) * (0.35 + 0.65 * Math.sqrt(Math.min(1, Math.abs(relative))));
  return css(colourAt("diverging", theme, 0.5 + 0.5 * strength));
}

/** The latest removals, fading. */
function paintTrail(
  context: CanvasRenderingContext2D,
  scene: Scene,
  { trail, part, moving }: Moment,
  { theme }: PageColours,
  dim: number,
): void {
  const { timeline, cuts, state } = scene;
  // At rest, only a search that is not over shows what has just happened.
  if (!moving && (state.kind === "ranking" || timeline.position === state.total)) return;
  for (let back = Math.min(trail, timeline.position) - 1; back >= 0; back--) {
    const step = timeline.step(timeline.position - 1 - back);
    if (!step || step.kept || cuts.has(step.edge)) continue;
    const fresh = Math.max(0, 1 - (back + part) / trail);
    drawCurves(context, [scene.curve(step.edge)], {
      colour: stateColours[theme].removed,
      width: 1 + 1.2 * fresh,
      alpha: 0.85 * fresh * dim,
      dash: [5, 4],
    });
  }
}

/** The edges of what is pointed at, in front of all others. */
function paintFocus(
  context: CanvasRenderingContext2D,
  scene: Scene,
  focus: Target,
  { colour }: Moment,
  { theme, accent }: PageColours,
): void {
  const list = focus.kind === "edge" ? [focus.id] : scene.edgesOf(focus.id).slice(0, 400).reverse();
  for (const edge of list) {
    if (scene.cuts.has(edge)) continue;
    const known = scene.isDecided(edge) && scene.isPresent(edge);
    drawCurves(context, [scene.curve(edge)], {
      colour: known ? edgeColour(scene, edge, colour, theme) : stateColours[theme].untested,
      width: known ? Math.max(1.2, keptWidth(scene, edge, list.length)) : 1,
      alpha: known ? 1 : 0.65,
      ...(scene.isPresent(edge) ? {} : { dash: [2, 3] }),
    });
  }
  const selected = scene.selected;
  if (focus.kind === "edge" || selected?.kind === "edge") {
    const edge = focus.kind === "edge" ? focus.id : selected!.id;
    drawCurves(context, [scene.curve(edge)], {
      colour: accent,
      width: keptWidth(scene, edge, 1) + 5,
      alpha: 0.3,
    });
  }
}

function paintNodes(
  context: CanvasRenderingContext2D,
  scene: Scene,
  { alive }: Moment,
  { theme, ink, soft, page, panel, accent, font }: PageColours,
  focus: Target | null,
): void {
  const { layout, places } = scene;
  const { radius, barHeight } = layout;
  const strength = nodeStrength(scene);
  places.forEach(({ name, kind, head }, node) => {
    const [x, y] = [layout.x[node]!, layout.y[node]!];
    const bar = kind === "input" || kind === "logits";
    const pointed = focus?.kind === "node" && focus.id === node;
    context.beginPath();
    if (kind === "head") context.arc(x, y, radius, 0, 2 * Math.PI);
    else if (bar) context.roundRect(x - 11, y - barHeight, 22, 2 * barHeight, 7);
    else context.roundRect(x - radius, y - radius, 2 * radius, 2 * radius, Math.min(5, radius / 2));
    const fill = strength[node]! > 0 ? colourAt("sequential", theme, 0.12 + 0.6 * strength[node]!) : null;
    context.fillStyle = bar ? panel : alive[node] && fill ? css(fill) : page;
    context.fill();
    context.lineWidth = pointed ? 2.5 : alive[node] ? 1.4 : 1;
    context.strokeStyle = pointed ? accent : alive[node] ? ink : soft;
    context.globalAlpha = alive[node] ? 1 : 0.55;
    context.setLineDash(alive[node] ? [] : [2, 2.5]);
    context.stroke();
    context.setLineDash([]);
    if (radius >= 6.5 || bar) {
      context.fillStyle = !alive[node] ? soft : fill && !bar ? inkOn(fill) : ink;
      context.font = `${bar ? 11 : Math.min(11, Math.round(radius * (kind === "mlp" && name.length > 2 ? 0.75 : 1)))}px ${font}`;
      context.textAlign = "center";
      context.textBaseline = "middle";
      const text = kind === "head" ? String(head) : name;
      if (bar && barHeight > 18) {
        context.translate(x, y);
        context.rotate(-Math.PI / 2);
        context.fillText(text, 0, 1);
        context.rotate(Math.PI / 2);
        context.translate(-x, -y);
      } else context.fillText(text, x, y + 0.5);
    }
    context.globalAlpha = 1;
  });
}

/** Of each node the strongest edge that it sends and that is kept, as a part of the largest score. */
function nodeStrength(scene: Scene): Float32Array {
  const strength = new Float32Array(scene.places.length);
  const { from, count } = scene.edges;
  for (let edge = 0; edge < count; edge++) {
    if (!scene.isDecided(edge) || !scene.isPresent(edge)) continue;
    const size = Math.min(1, Math.abs(scene.relativeScore(edge)));
    if (size > strength[from[edge]!]!) strength[from[edge]!] = size;
  }
  return strength;
}

function paintMarks(
  context: CanvasRenderingContext2D,
  scene: Scene,
  { dragged, moving }: Moment,
  { theme, page, font, ink, accent }: PageColours,
  tested: number | undefined,
): void {
  const { timeline } = scene;
  const colours = stateColours[theme];
  const last = timeline.step(timeline.position - 1);
  const { kind, total } = scene.state;
  const news = moving || (kind === "search" && timeline.position < total);
  if (last && news && !scene.cuts.has(last.edge))
    drawMark(context, pointOf(scene.curve(last.edge), 0.5), last.kept ? "✓" : "×", {
      colour: last.kept ? ink : colours.removed,
      page,
      font,
    });
  if (tested !== undefined)
    drawMark(context, pointOf(scene.curve(tested), 0.5), "?", { colour: colours.tested, page, font });
  for (const edge of scene.cuts)
    drawMark(context, pointOf(scene.curve(edge), 0.5), "×", {
      colour: colours.cut,
      page,
      font,
      square: true,
    });
  if (!dragged) return;
  const [x0, y0, , , , , x3, y3] = scene.curve(dragged.edge);
  const { x, y, out } = dragged;
  const pulled: Curve = [
    x0,
    y0,
    (x0 + 2 * x) / 3,
    (y0 + 2 * y) / 3,
    (x3 + 2 * x) / 3,
    (y3 + 2 * y) / 3,
    x3,
    y3,
  ];
  drawCurves(context, [pulled], {
    colour: out ? colours.cut : accent,
    width: 2.6,
    ...(out ? { dash: [4, 4] } : {}),
  });
  drawMark(context, [x, y], out ? "×" : "↕", {
    colour: out ? colours.cut : accent,
    page,
    font,
    square: true,
  });
}
