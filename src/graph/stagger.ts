/**
 * Rows that begin at different places of a graph: the rewrite by which many variants of one run share a plan.
 *
 * Each variant is equal to a known run up to the point that it changes. So its row joins the batch there, with the
 * values of the known run, and only what follows is computed: a graph of twelve layers in which one variant begins at
 * each has one row in the first layer and twelve in the last.
 */

import { assume, concat, gather, input, point, transpose } from "./build.js";
import type { Graph } from "./graph.js";
import { topological } from "./graph.js";
import { findPoint } from "./rewrites.js";
import { type Attribute, type Attributes, apply, type ElementType, type Shape, type Value } from "./value.js";

/** The dimension of rows in the graph that is rewritten, and that of the known run. */
const BATCH = "batch";
const KNOWN = "prompts";

/** Rows of the staggered graph. */
export interface Rows {
  /** Their dimension. */
  readonly dim: string;
  /** Which row of the known run each of them is a variant of, `[dim]`. */
  readonly of: Value;
}

/** A point at which rows are changed. */
export interface Change {
  readonly point: string;
  /** The change of the rows that join the batch here; without it none do. */
  readonly joining?: (known: Value, rows: Rows) => Value;
  /** A change of all rows that are in the batch by then. */
  readonly all?: (value: Value, rows: Rows) => Value;
}

/** A graph whose rows begin at different points. */
export interface Staggered {
  /** Its outputs have a row for each variant, in the order in which they join. */
  readonly graph: Graph;
  /** The values of the known run that it is fed, under the names of its inputs: parts of the graph that was rewritten. */
  readonly known: Graph;
  /** The inputs that say which rows of the known run join at a point, in the order of computation. */
  readonly joining: readonly { readonly point: string; readonly input: string }[];
  /** The inputs that say the same of all rows up to there. */
  readonly rows: readonly string[];
}

/** What `stagger` may be told. */
export interface StaggerOptions {
  /** Points whose values are those of the known run in all rows, except where a change says otherwise. */
  readonly frozen?: readonly string[];
  /** The names of values of the known run, to which new ones are added: so several staggered graphs share one run. */
  readonly names?: Map<Value, string>;
}

/** What moves elements, and is rather done again than fed. */
const moves = new Set(["reshape", "transpose", "unsqueeze", "squeeze", "expand", "cast", "stopGradient"]);

/**
 * Rewrites a graph so that rows join it at points.
 *
 * @param changes in any order; every point must lead to all outputs, whose first dimension is `batch`
 */
export function stagger(
  graph: Graph,
  changes: readonly Change[],
  { frozen = [], names = new Map() }: StaggerOptions = {},
): Staggered {
  return new Staggering(graph, changes, frozen, names).result();
}

class Staggering {
  private readonly order: readonly Value[];
  private readonly changes = new Map<Value, Change>();
  private readonly frozen: ReadonlySet<Value>;
  /** How many points rows have joined at, up to a value that depends on one of them; 0 for values of the known run. */
  private readonly levels = new Map<Value, number>();
  /** The level of a point at which rows are changed. */
  private readonly changedAt = new Map<Value, number>();
  private readonly varying = new Set<Value>();
  private readonly made = new Map<Value, Value[]>();
  private readonly known = new Map<Value, string>();
  private readonly joins: { point: string; input: string }[] = [];
  private readonly inputs = new Map<string, Value>();

  constructor(
    private readonly graph: Graph,
    changes: readonly Change[],
    frozen: readonly string[],
    private readonly names: Map<Value, string>,
  ) {
    this.order = topological(Object.values(graph.outputs));
    for (const change of changes) this.changes.set(findPoint(graph, change.point), change);
    this.frozen = new Set(frozen.map((name) => findPoint(graph, name)));
    for (const value of this.order) this.place(value);
  }

  result(): Staggered {
    const last = this.joins.length;
    // Operands first, so that no call goes deeper than one operator.
    for (const value of this.order) {
      const level = this.levels.get(value)!;
      if (level > 0) this.at(value, level);
    }
    const outputs = Object.fromEntries(
      Object.entries(this.graph.outputs).map(([name, value]) => [name, this.at(value, last)]),
    );
    return {
      graph: { outputs },
      known: { outputs: Object.fromEntries([...this.known].map(([value, name]) => [name, value])) },
      joining: this.joins,
      rows: this.joins.map((_, i) => rowsName(i + 1)),
    };
  }

  private place(value: Value): void {
    const { inputs, shape, attributes } = value;
    if (inputs.some((operand) => this.varying.has(operand)) || mentions(attributes, shape))
      this.varying.add(value);
    const change = this.changes.get(value);
    if (change?.joining) {
      this.joins.push({ point: change.point, input: joiningName(this.joins.length + 1) });
    }
    if (change) {
      if (this.joins.length === 0)
        throw new Error(`No row has joined before "${change.point}", so there is none to change.`);
      this.changedAt.set(value, this.joins.length);
      this.levels.set(value, this.joins.length);
      return;
    }
    const level = this.frozen.has(value) ? 0 : Math.max(0, ...inputs.map((x) => this.levels.get(x)!));
    this.levels.set(value, level);
  }

  /** A value for the rows of a level: those that have joined at the first so many points. */
  private at(value: Value, level: number): Value {
    const list = this.made.get(value) ?? [];
    this.made.set(value, list);
    list[level] ??= this.make(value, level);
    return list[level];
  }

  private make(value: Value, level: number): Value {
    if (!this.varying.has(value)) return value;
    const own = this.levels.get(value)!;
    if (this.changedAt.get(value) === level) return this.changed(value, level);
    if (own === level && !this.frozen.has(value)) return this.computed(value, level);
    if (own === 0) {
      if (value.op === "input") return this.knownRows(value, this.rowsOf(level));
      return moves.has(value.op) && !this.frozen.has(value)
        ? this.computed(value, level)
        : this.knownRows(value, this.rowsOf(level));
    }
    if (moves.has(value.op) && !this.changedAt.has(value)) return this.computed(value, level);
    return this.joined(this.at(value, level - 1), this.knownRows(value, this.joiningOf(level)), value, level);
  }

  private computed({ op, inputs, attributes }: Value, level: number): Value {
    const operands = inputs.map((operand) => this.at(operand, level));
    return apply(op, operands, renamed(attributes, this.rowsOf(level).dim));
  }

  /** The value at a point at which rows are changed. */
  private changed(value: Value, level: number): Value {
    const { joining, all } = this.changes.get(value)!;
    const { name, axes } = value.attributes as { name: string; axes: readonly string[] };
    const before = (at: number): Value =>
      this.frozen.has(value) ? this.knownRows(value, this.rowsOf(at)) : this.at(value.inputs[0]!, at);
    let current: Value;
    if (joining) {
      const rows = this.joiningOf(level);
      const own = joining(this.knownRows(value, rows), rows);
      current =
        level === 1
          ? assume(own, dimAt(own.shape, 0, this.rowsOf(1).dim))
          : this.joined(before(level - 1), own, value, level);
    } else current = before(level);
    return point(name, all ? all(current, this.rowsOf(level)) : current, axes);
  }

  /** Rows below each other. */
  private joined(running: Value, joining: Value, { shape }: Value, level: number): Value {
    const axis = shape.indexOf(BATCH);
    if (axis < 0) throw new Error(`The value [${shape}] has no rows, so that none can join.`);
    return assume(concat([running, joining], axis), dimAt(shape, axis, this.rowsOf(level).dim));
  }

  /** A value of the known run for some rows. */
  private knownRows(value: Value, rows: Rows): Value {
    const axis = value.shape.indexOf(BATCH);
    let name = value.attributes.name as string;
    if (value.op !== "input") {
      name = this.names.get(value) ?? `known.${this.names.size}`;
      this.names.set(value, name);
      this.known.set(value, name);
    }
    if (axis < 0) return this.input(name, value.dtype, value.shape);
    const whole = this.input(name, value.dtype, dimAt(value.shape, axis, KNOWN));
    if (axis === 0) return gather(whole, rows.of);
    const swap = value.shape.map((_, i) => (i === 0 ? axis : i === axis ? 0 : i));
    return transpose(gather(transpose(whole, swap), rows.of), swap);
  }

  private rowsOf(level: number): Rows {
    const dim = rowsName(level);
    return { dim, of: this.input(dim, "int64", [dim]) };
  }

  private joiningOf(level: number): Rows {
    const dim = joiningName(level);
    return { dim, of: this.input(dim, "int64", [dim]) };
  }

  private input(name: string, dtype: ElementType, shape: Shape): Value {
    const known = this.inputs.get(name) ?? input(name, dtype, shape);
    this.inputs.set(name, known);
    return known;
  }
}

const rowsName = (level: number): string => `rows.${level}`;
const joiningName = (level: number): string => `joining.${level}`;

const dimAt = (shape: Shape, axis: number, dim: string): Shape =>
  shape.map((old, i) => (i === axis ? dim : old));

const word = new RegExp(`\\b${BATCH}\\b`, "g");

/** Whether a value has rows, or is made of how many there are. */
const mentions = (attributes: Attributes, shape: Shape): boolean =>
  shape.some(hasBatch) ||
  Object.entries(attributes).some(([key, value]) => isSize(key) && [value].flat().some(hasBatch));

const hasBatch = (dim: unknown): boolean => typeof dim === "string" && dim.search(word) >= 0;

/** The attributes that hold sizes; others hold names, of axes among them. */
const isSize = (key: string): boolean =>
  key === "shape" || key === "dim" || key === "length" || key === "size";

function renamed(attributes: Attributes, dim: string): Attributes {
  const rename = (value: Attribute): Attribute => {
    if (typeof value === "string") return value.replaceAll(word, dim);
    return Array.isArray(value)
      ? ((value as readonly Attribute[]).map((x) => rename(x)) as Attribute)
      : value;
  };
  return Object.fromEntries(
    Object.entries(attributes).map(([key, value]) => [key, isSize(key) ? rename(value) : value]),
  );
}
