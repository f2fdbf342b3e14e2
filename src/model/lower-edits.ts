/** From edits, which are data, to rewrites of a graph and the numbers that they are fed. */

import { contiguous, shapeText, sizeOf, type Tensor, tensor } from "../array/index.js";
import type { Dim, Value } from "../graph/index.js";
import * as g from "../graph/index.js";
import type { Feed } from "../runtime/ort.js";
import {
  type AblateEdit,
  type AddEdit,
  type ClampEdit,
  type Edit,
  type Numbers,
  type PatchEdit,
  type ProjectEdit,
  type ScaleEdit,
  type Source,
  toTensor,
} from "./edits.js";
import { matchingNames, type PointName } from "./names.js";
import { runningSize, SelectionMask, type Site, type Window } from "./selection.js";

/** The part of an edit that does not depend on which heads and positions it changes. */
interface Change {
  /** What the rewrite is like, as text: equal for edits that differ in what is fed only. */
  readonly structure: string;
  readonly rewrite: (value: Value) => Value;
  readonly feeds: (window: Window) => Record<string, Feed>;
}

/** An edit, ready to be woven into a graph. */
export interface LoweredEdit extends Change {
  /** The full name of the point. */
  readonly point: string;
  /** Whether what happens to one row does not depend on the others. */
  readonly rowwise: boolean;
}

/** What is known of a model's points. */
export interface Sites {
  readonly names: readonly string[];
  /** The full name of a point, or an error. */
  readonly resolve: (name: PointName) => string;
  readonly site: (name: string) => Site;
}

/** Lowers edits; one with a pattern becomes one for each point that fits it. */
export function lowerEdits(edits: readonly Edit[], { names, resolve, site }: Sites): LoweredEdit[] {
  const single = edits.flatMap((edit) => {
    const { point } = edit;
    if (!(point instanceof RegExp)) return [{ edit, at: site(resolve(point)) }];
    return matchingNames(names, (name) => point.test(name), String(point)).map((name) => ({
      edit,
      at: site(name),
    }));
  });
  return single.map(({ edit, at }, i) => lowerEdit(edit, at, i));
}

/** Lowers an edit at a point; `index` tells the inputs of several edits apart. */
function lowerEdit(edit: Edit, site: Site, index: number): LoweredEdit {
  const { dtype = "float32" } = site;
  if (!dtype.includes("float"))
    throw new Error(`The point "${site.name}" holds ${dtype}; edits change points that hold floats.`);
  const mask = new SelectionMask(edit, site, `edit.${index}.mask`);
  const change = changeOf(edit, site, `edit.${index}`);
  return {
    point: site.name,
    rowwise: !(edit.kind === "ablate" && edit.mode === "mean" && edit.source === undefined),
    structure: `${site.name}:${change.structure}:${mask.structure}`,
    rewrite: (value) => {
      const float = g.cast(value, "float32");
      return g.cast(mask.choose(change.rewrite(float), float), value.dtype);
    },
    feeds: (window) => ({ ...change.feeds(window), ...mask.feeds(window) }),
  };
}

function changeOf(edit: Edit, site: Site, name: string): Change {
  switch (edit.kind) {
    case "ablate":
      return ablation(edit, site, name);
    case "patch":
      return substitution(edit, site, name);
    case "add":
      return addition(edit, site, name);
    case "scale":
      return scaling(edit, name);
    case "clamp":
      return clamping(edit, name);
    case "project":
      return projection(edit, site, name);
  }
}

/**
 * Numbers repeated to fill the place of a value.
 */
function fill(numbers: Value, value: Value, { readsSizes }: Site): Value {
  return readsSizes && value.shape.some((dim) => typeof dim === "string")
    ? g.expandBy(numbers, g.shapeOf(value), value.shape)
    : g.expand(numbers, value.shape);
}

/** A value whose last sizes, where they have names, are assumed to be those of a given array. */
function sized(value: Value, shape: readonly number[]): Value {
  const offset = value.rank - shape.length;
  return g.assume(
    value,
    value.shape.map((dim, i) => (i >= offset && typeof dim === "string" ? shape[i - offset]! : dim)),
  );
}

const float = (data: Float32Array, shape: readonly number[]): Feed => ({ dtype: "float32", shape, data });
const scalarFeed = (value: number): Feed => float(Float32Array.of(value), []);

function ablation(edit: AblateEdit, site: Site, name: string): Change {
  if (edit.mode === "zero")
    return { structure: "zero", rewrite: (value) => g.mul(value, 0), feeds: () => ({}) };
  if (edit.source === undefined) {
    const averaged = site.axes.flatMap((axis, i) =>
      axis === "batch" || axis === "pos" || axis === "query" ? [i] : [],
    );
    if (averaged.length === 0)
      throw new Error(
        `The point "${site.name}" has no axis of rows or positions to average over; give the mean as a source.`,
      );
    return {
      structure: "mean",
      rewrite: (value) => fill(g.mean(value, averaged, true), value, site),
      feeds: () => ({}),
    };
  }
  if (edit.mode === "resample")
    return substitution({ ...edit, kind: "patch", source: edit.source }, site, name);
  if (typeof edit.source === "number") return constantChange(edit.source, site, name);
  const vector = meanVector(sourceTensor(edit.source, site.name), site);
  return {
    structure: `mean of [${vector.shape}]`,
    rewrite: (value) => fill(g.input(name, "float32", vector.shape), value, site),
    feeds: () => ({ [name]: float(vector.data, vector.shape) }),
  };
}

function constantChange(value: number, site: Site, name: string): Change {
  return {
    structure: "constant",
    rewrite: (old) => fill(g.input(name, "float32", []), old, site),
    feeds: () => ({ [name]: scalarFeed(value) }),
  };
}

/** Another run's values; the rows of a longer input that this run does not see are left out. */
function substitution({ source }: PatchEdit, site: Site, name: string): Change {
  if (typeof source === "number") return constantChange(source, site, name);
  const values = sourceTensor(source, site.name);
  const shared = values.shape[0] === 1;
  return {
    structure: `patch${shared ? " shared" : ""}`,
    rewrite: (value) => {
      const [first, ...rest] = value.shape;
      return fill(
        g.input(name, "float32", first === undefined ? [] : [shared ? 1 : first, ...rest]),
        value,
        site,
      );
    },
    feeds: (window) => {
      const expected = site.shape.map((dim, i) =>
        i === 0 && shared ? 1 : (runningSize(dim, site.axes[i]!, window) ?? values.shape[i]!),
      );
      if (
        !window.start &&
        expected.length === values.shape.length &&
        expected.every((n, i) => n === values.shape[i])
      )
        return { [name]: float(contiguous(values).data, expected) };
      if (window.start >= window.promptLength)
        return { [name]: float(new Float32Array(sizeOf(expected)), expected) };
      throw new Error(
        `The patch at "${site.name}" has the shape ${shapeText(values.shape)}; the value there is ${shapeText(expected)}.`,
      );
    },
  };
}

/** A vector for the last axis or axes, times a coefficient for all rows or for each. */
function addition({ vector, coefficient }: AddEdit, site: Site, name: string): Change {
  const values = trailing(toTensor(vector), site, "vector");
  const rowwise = typeof coefficient !== "number";
  const ones = site.shape.slice(1).map(() => 1);
  return {
    structure: `add[${values.shape}]${rowwise ? " rowwise" : ""}`,
    rewrite: (value) => {
      const factor = g.input(`${name}.coefficient`, "float32", rowwise ? [value.shape[0]!, ...ones] : []);
      const vector = g.input(`${name}.vector`, "float32", values.shape);
      return g.add(sized(value, values.shape), g.mul(vector, factor));
    },
    feeds: ({ batch, sizes }) => {
      const rows =
        (sizes && runningSize(site.shape[0] ?? 1, site.axes[0] ?? "", { sizes } as Window)) ?? batch;
      if (rowwise && coefficient.length !== rows)
        throw new Error(
          `add("${site.name}") has ${coefficient.length} coefficients for a batch of ${rows} rows.`,
        );
      return {
        [`${name}.vector`]: float(values.data, values.shape),
        [`${name}.coefficient`]: rowwise
          ? float(Float32Array.from(coefficient), [rows, ...ones])
          : scalarFeed(coefficient),
      };
    },
  };
}

function scaling({ factor }: ScaleEdit, name: string): Change {
  return {
    structure: "scale",
    rewrite: (value) => g.mul(value, g.input(name, "float32", [])),
    feeds: () => ({ [name]: scalarFeed(factor) }),
  };
}

function clamping({ min, max }: ClampEdit, name: string): Change {
  const [low, high] = [`${name}.min`, `${name}.max`];
  return {
    structure: "clamp",
    rewrite: (value) =>
      g.minimum(g.maximum(value, g.input(low, "float32", [])), g.input(high, "float32", [])),
    feeds: () => ({ [low]: scalarFeed(min), [high]: scalarFeed(max) }),
  };
}

function projection({ direction, keep }: ProjectEdit, site: Site, name: string): Change {
  const unit = unitVector(trailing(toTensor(direction), site, "direction"));
  return {
    structure: `project[${unit.shape}]${keep ? " keep" : ""}`,
    rewrite: (value) => {
      const along = g.input(name, "float32", unit.shape);
      const whole = sized(value, unit.shape);
      const part = g.mul(g.sum(g.mul(whole, along), [-1], true), along);
      return keep ? part : g.sub(whole, part);
    },
    feeds: () => ({ [name]: float(unit.data, unit.shape) }),
  };
}

// ---- numbers that users give

function sourceTensor(source: Exclude<Source, number>, point: string): Tensor {
  const isCache = typeof source === "object" && "get" in source && !("data" in source);
  return isCache ? (source as { get(name: string): Tensor }).get(point) : toTensor(source as Numbers);
}

/** A tensor that fits the last axes of a point's value. */
function trailing(values: Tensor, site: Site, what: string): Tensor {
  const expected = site.shape.slice(site.shape.length - values.shape.length);
  const fits = (dim: Dim, i: number): boolean =>
    dim === values.shape[i] || (site.readsSizes === true && typeof dim === "string");
  if (values.shape.length < site.shape.length && expected.every(fits)) return contiguous(values);
  throw new Error(
    `The ${what} for "${site.name}" has the shape ${shapeText(values.shape)}; it must fit the last axes of ${g.showShape(site.shape)}.`,
  );
}

/** The mean over batch and positions, with those axes left as size 1. */
function meanVector(values: Tensor, site: Site): Tensor {
  if (values.shape.length < site.shape.length) return trailing(values, site, "mean");
  const kept = site.axes.map((axis) => axis !== "batch" && axis !== "pos" && axis !== "query");
  const shape = values.shape.map((size, i) => (kept[i] ? size : 1));
  const sums = new Float64Array(sizeOf(shape));
  const { data } = contiguous(values);
  const index = new Array<number>(values.shape.length).fill(0);
  for (const value of data) {
    let at = 0;
    for (let axis = 0; axis < shape.length; axis++) at = at * shape[axis]! + (kept[axis] ? index[axis]! : 0);
    sums[at]! += value;
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === values.shape[axis]; axis--)
      index[axis] = 0;
  }
  return tensor(
    Float32Array.from(sums, (sum) => (sum * sums.length) / data.length),
    shape,
  );
}

function unitVector(direction: Tensor): Tensor {
  const norm = Math.hypot(...direction.data);
  if (!(norm > 0) || !Number.isFinite(norm))
    throw new Error("The direction to project on must have a length above zero.");
  return tensor(
    direction.data.map((value) => value / norm),
    direction.shape,
  );
}
