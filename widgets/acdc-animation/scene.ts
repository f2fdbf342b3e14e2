import { hasKernel, type ViewModel } from "../browser/contract.js";
import { readState } from "../read-state.js";
import { decodeTensor } from "../tensor.js";
import { type Axis, linearAxis, rankAxis } from "./axis.js";
import { decodeEdges, type EdgeColumns, edgeNameOf, type NodePlace, placesOf } from "./graph.js";
import { type Curve, curveOf, type Layout, layoutOf } from "./layout.js";
import { type AcdcAnimationState, acdcAnimationDefaults } from "./state.js";
import { edgeStatus, nodesOnPaths, Timeline } from "./timeline.js";

/** A node or an edge that the reader points at. */
export interface Target {
  readonly kind: "node" | "edge";
  readonly id: number;
}

/** Edges as they are drawn: the few that are looked at one by one, and a sample of the many behind them. */
export interface Strands {
  /** Edges that are kept, the strongest last. */
  readonly kept: readonly number[];
  /** A part of the edges that are not tried yet, or too weak to be drawn one by one. */
  readonly faint: readonly number[];
  /** A part of the edges that are gone, where they are shown. */
  readonly gone: readonly number[];
  /** How many there are of the last two in all. */
  readonly faintCount: number;
  readonly goneCount: number;
}

/** So many edges of a kind are drawn at most. */
const most = { kept: 1500, faint: 2600, gone: 1400 } as const;

/** The graph at the step that is shown, ready to be drawn and asked. */
export class Scene {
  readonly edges: EdgeColumns;
  readonly places: readonly NodePlace[];
  readonly timeline: Timeline;
  readonly sizes: { readonly layers: number; readonly heads: number };
  layout: Layout;
  cuts: ReadonlySet<number> = new Set();
  hovered: Target | null = null;
  selected: Target | null = null;
  private readonly scores: Float32Array | null;
  private readonly curves: (Curve | undefined)[];
  private largest = 0;
  private scored = -1;

  /** @throws TypeError where a part of the state is missing, as when its buffers were not saved */
  constructor(readonly model: ViewModel<AcdcAnimationState>) {
    const nodes = model.get("nodes");
    this.edges = decodeEdges(model.get("edges"));
    const { places, layers, heads } = placesOf(nodes);
    this.places = places;
    this.sizes = { layers, heads };
    this.timeline = new Timeline(this.edges, model.get("total"));
    const scores = model.get("scores");
    this.scores = scores && (decodeTensor(scores).data as Float32Array);
    this.curves = new Array(this.edges.count);
    this.layout = layoutOf({ places, layers, heads }, 800);
    this.read();
  }

  /** The whole state as it is now. */
  get state(): AcdcAnimationState {
    return readState(this.model, acdcAnimationDefaults);
  }

  /** Takes new steps, and the reader's cuts. */
  read(): void {
    this.timeline.read(this.model.get("log"), this.model.get("tail"));
    this.cuts = new Set(this.model.get("cuts").filter((edge) => edge >= 0 && edge < this.edges.count));
  }

  resize(width: number): void {
    this.layout = layoutOf({ places: this.places, ...this.sizes }, width);
    this.curves.fill(undefined);
  }

  curve(edge: number): Curve {
    this.curves[edge] ??= curveOf(this.layout, this.places, this.edges, edge);
    return this.curves[edge];
  }

  edgeName(edge: number): string {
    return edgeNameOf(this.model.get("nodes"), this.edges, edge);
  }

  /** Where steps stand along the scrubber; while a search runs there is room for those that will come. */
  get axis(): Axis {
    if (this.scores) return rankAxis(this.timeline.count);
    const status = this.model.get("status");
    const growing = hasKernel(this.model) && (status === "running" || status === "paused");
    return linearAxis(growing ? this.model.get("total") : this.timeline.count);
  }

  /** What an edge's removal does to the metric; undefined where that is not known. */
  score(edge: number): number | undefined {
    if (this.scores) return this.scores[edge];
    const step = this.timeline.step(this.timeline.stepOf[edge]!);
    return step && !Number.isNaN(step.after) ? step.after - step.before : undefined;
  }

  /** The score of an edge as a part of the largest, −1 to 1. */
  relativeScore(edge: number): number {
    return (this.score(edge) ?? 0) / (this.largestScore() || 1);
  }

  /** The largest score of a kept edge, or of any edge in a ranking. */
  largestScore(): number {
    const { timeline } = this;
    if (this.scored === timeline.count) return this.largest;
    this.scored = timeline.count;
    this.largest = 0;
    for (let edge = 0; edge < this.edges.count; edge++) {
      if (!this.scores && !timeline.isKept(timeline.stepOf[edge]!)) continue;
      const score = Math.abs(this.score(edge) ?? 0);
      if (Number.isFinite(score)) this.largest = Math.max(this.largest, score);
    }
    return this.largest;
  }

  /** The edge that is tried at the step that is shown; undefined in a ranking, or where it is not known. */
  underTest(): number | undefined {
    const { timeline, model } = this;
    if (this.scores) return undefined;
    const next = timeline.step(timeline.position)?.edge ?? model.get("next");
    return next >= 0 && next < this.edges.count ? next : undefined;
  }

  /** Whether an edge is there at the step that is shown. */
  isPresent(edge: number): boolean {
    return this.timeline.status[edge] !== edgeStatus.removed && !this.cuts.has(edge);
  }

  /** Whether what an edge does is known at the step that is shown: it is kept, or has a score in a ranking. */
  isDecided(edge: number): boolean {
    return this.scores !== null || this.timeline.status[edge] === edgeStatus.kept;
  }

  /** Which nodes are on a path from the input to the logits. */
  alive(): Uint8Array {
    const first = (node: number): boolean => this.places[node]!.kind === "input";
    return nodesOnPaths(this.edges, this.timeline.status, {
      first,
      nodes: this.places.length,
      cut: this.cuts,
    });
  }

  /** The edges of a node that are there, the strongest first. */
  edgesOf(node: number): number[] {
    const { from, to, count } = this.edges;
    const found: number[] = [];
    for (let edge = 0; edge < count; edge++)
      if ((from[edge] === node || to[edge] === node) && (this.isPresent(edge) || this.cuts.has(edge)))
        found.push(edge);
    const size = (edge: number): number => Math.abs(this.score(edge) ?? 0);
    return found.sort((a, b) => size(b) - size(a) || a - b);
  }

  /** The edges to draw: one by one up to a number, beyond it a sample that stays the same from frame to frame. */
  strands(showRemoved: boolean): Strands {
    const { timeline, edges, cuts } = this;
    const ranking = this.scores !== null;
    const kept: number[] = [];
    const faint: number[] = [];
    const gone: number[] = [];
    const strong = timeline.count - most.kept;
    for (let edge = 0; edge < edges.count; edge++) {
      if (cuts.has(edge)) continue;
      const status = timeline.status[edge];
      if (status === edgeStatus.removed) gone.push(edge);
      else if (status === edgeStatus.kept || (ranking && timeline.stepOf[edge]! >= strong)) kept.push(edge);
      else faint.push(edge);
    }
    const size = (edge: number): number => Math.abs(this.score(edge) ?? 0);
    kept.sort((a, b) => size(a) - size(b));
    return {
      kept: kept.slice(-most.kept),
      faint: sample(faint, most.faint),
      gone: showRemoved ? sample(gone, most.gone) : [],
      faintCount: faint.length,
      goneCount: gone.length,
    };
  }
}

/** About so many of the edges at most: always the same ones, of which half are left out when there are twice as many. */
function sample(edges: readonly number[], count: number): readonly number[] {
  if (edges.length <= count) return edges;
  const shift = Math.ceil(Math.log2(edges.length / count));
  const limit = 2 ** (32 - shift);
  return edges.filter((edge) => hash(edge) < limit);
}

function hash(number: number): number {
  let mixed = Math.imul(number ^ 0x9e3779b9, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
