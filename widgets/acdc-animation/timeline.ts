import { decodeTensor, type WireTensor } from "../tensor.js";
import type { EdgeColumns } from "./graph.js";
import { stepWidth } from "./state.js";

/** What is known of an edge at a step. */
export const edgeStatus = { untested: 0, kept: 1, removed: 2 } as const;

/** The steps of a log in columns, and the graph as it is at one of them. Going a step on or back costs one step. */
export class Timeline {
  /** How many steps are known. */
  count = 0;
  /** How many of them have been taken. */
  position = 0;
  /** Of each edge what is known at the position. */
  readonly status: Uint8Array;
  /** The step that decides an edge; −1 where none is known. */
  readonly stepOf: Int32Array;
  /** How many edges are left at the position, those that are not yet tried among them. */
  edgesLeft: number;
  private edge: Int32Array;
  private kept: Uint8Array;
  private before: Float32Array;
  private after: Float32Array;
  /** How many edges are left, and how many evaluations were made, after so many steps. */
  private left: Int32Array;
  private runs: Int32Array;

  constructor(
    readonly edges: EdgeColumns,
    total: number,
  ) {
    const size = Math.max(total, edges.count);
    this.status = new Uint8Array(edges.count);
    this.stepOf = new Int32Array(edges.count).fill(-1);
    this.edge = new Int32Array(size);
    this.kept = new Uint8Array(size);
    this.before = new Float32Array(size);
    this.after = new Float32Array(size);
    this.left = new Int32Array(size + 1).fill(edges.count);
    this.runs = new Int32Array(size + 1).fill(1);
    this.edgesLeft = edges.count;
  }

  /**
   * Takes the steps of a log and its tail; those that are known already are not read again.
   *
   * @throws RangeError where a step is of no edge, or there are more steps than edges
   */
  read(log: WireTensor | null, tail: WireTensor | null): void {
    const parts = [log, tail].map((wire) => (wire ? (decodeTensor(wire).data as Float32Array) : null));
    const rows = parts.map((data) => (data ? data.length / stepWidth : 0)) as [number, number];
    const wanted = rows[0] + rows[1];
    if (wanted > this.edge.length)
      throw new RangeError(`The log has ${wanted} steps, but the graph ${this.edges.count} edges.`);
    if (wanted < this.count) this.forget(wanted);
    let start = 0;
    parts.forEach((data, part) => {
      for (let row = Math.max(0, this.count - start); data && row < rows[part]!; row++)
        this.add(data, row * stepWidth);
      start += rows[part]!;
    });
  }

  private add(data: Float32Array, at: number): void {
    const i = this.count;
    const edge = data[at]!;
    if (!(edge >= 0 && edge < this.edges.count))
      throw new RangeError(`Step ${i} of the log is of edge ${edge}; the graph has ${this.edges.count}.`);
    this.edge[i] = edge;
    this.before[i] = data[at + 1]!;
    this.after[i] = data[at + 2]!;
    this.kept[i] = data[at + 3]!;
    this.left[i + 1] = this.left[i]! - (this.kept[i] ? 0 : 1);
    this.runs[i + 1] = this.runs[i]! + (Number.isNaN(this.after[i]!) ? 0 : 1);
    this.stepOf[edge] = i;
    this.count++;
  }

  private forget(count: number): void {
    this.moveTo(Math.min(this.position, count));
    while (this.count > count) this.stepOf[this.edge[--this.count]!] = -1;
  }

  /** Takes steps, or takes them back, until so many have been taken. */
  moveTo(position: number): void {
    const wanted = Math.max(0, Math.min(this.count, Math.round(position)));
    for (; this.position < wanted; this.position++)
      this.status[this.edge[this.position]!] = this.kept[this.position]
        ? edgeStatus.kept
        : edgeStatus.removed;
    for (; this.position > wanted; this.position--)
      this.status[this.edge[this.position - 1]!] = edgeStatus.untested;
    this.edgesLeft = this.left[wanted]!;
  }

  /** A step; undefined where it is not known. */
  step(i: number): { edge: number; before: number; after: number; kept: boolean } | undefined {
    if (i < 0 || i >= this.count) return undefined;
    return { edge: this.edge[i]!, before: this.before[i]!, after: this.after[i]!, kept: this.kept[i] === 1 };
  }

  /** The metric after so many steps; NaN where it is not known. In a search it is that of the last removal. */
  metricAt(position: number): number {
    if (position < this.count && !Number.isNaN(this.before[position]!)) return this.before[position]!;
    const last = this.step(position - 1);
    if (!last) return Number.NaN;
    return last.kept || Number.isNaN(last.after) ? last.before : last.after;
  }

  /** Edges left after so many steps. */
  leftAt(position: number): number {
    return this.left[position]!;
  }

  /** Evaluations of the metric by then, as the paper of ACDC counts them. */
  evaluationsAt(position: number): number {
    return this.runs[position]!;
  }

  /** Whether a step kept its edge. */
  isKept(i: number): boolean {
    return this.kept[i] === 1;
  }
}

/**
 * Which nodes are on a path from the input to the logits over the edges that are left; nodes stand in the order of
 * computation.
 */
export function nodesOnPaths(
  edges: EdgeColumns,
  status: Uint8Array,
  ends: {
    readonly first: (node: number) => boolean;
    readonly nodes: number;
    readonly cut: ReadonlySet<number>;
  },
): Uint8Array {
  const { count, from, to } = edges;
  const { nodes, cut } = ends;
  const reached = Uint8Array.from({ length: nodes }, (_, node) => (ends.first(node) ? 1 : 0));
  const leads = new Uint8Array(nodes);
  leads[nodes - 1] = 1;
  const order = receiversInOrder(edges, nodes);
  const present = (edge: number): boolean => status[edge] !== edgeStatus.removed && !cut.has(edge);
  for (let i = 0; i < count; i++) {
    const edge = order[i]!;
    if (reached[from[edge]!] && present(edge)) reached[to[edge]!] = 1;
  }
  for (let i = count - 1; i >= 0; i--) {
    const edge = order[i]!;
    if (leads[to[edge]!] && present(edge)) leads[from[edge]!] = 1;
  }
  return reached.map((value, node) => value & leads[node]!);
}

const orders = new WeakMap<EdgeColumns, Int32Array>();

/** The edges by their receivers, in the order of computation. */
function receiversInOrder(edges: EdgeColumns, nodes: number): Int32Array {
  let order = orders.get(edges);
  if (!order) {
    const starts = new Int32Array(nodes + 1);
    for (let i = 0; i < edges.count; i++) starts[edges.to[i]! + 1]!++;
    for (let node = 0; node < nodes; node++) starts[node + 1]! += starts[node]!;
    order = new Int32Array(edges.count);
    for (let i = 0; i < edges.count; i++) order[starts[edges.to[i]!]!++] = i;
    orders.set(edges, order);
  }
  return order;
}
