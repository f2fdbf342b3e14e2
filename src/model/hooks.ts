/** Runs with JavaScript hooks: the graph is cut at each hooked point, and the function is called between the parts. */

import type { AnyTensor } from "../array/index.js";
import { contiguous, elementsAs, equalShapes, shapeText, type Tensor } from "../array/index.js";
import * as g from "../graph/index.js";
import { workSignal } from "../runtime/host.js";
import type { Feed } from "../runtime/ort.js";
import type { Runtime } from "../runtime/plan.js";

/** The place where a hook is called. */
export interface HookPoint {
  /** The point's full name. */
  readonly name: string;
  /** What each dimension of the value is. */
  readonly axes: readonly string[];
}

/**
 * A function called with a point's value while the model runs. What it returns, if anything, stands in the value's
 * place: a tensor of the same shape, or a promise of one. (Anything else is refused when it comes; the type is wide, so
 * that functions which return nothing in one way or another all fit.)
 */
export type Hook = (value: Tensor, point: HookPoint) => unknown;

/** A point's full name with its hook. */
export type NamedHook = readonly [name: string, hook: Hook];

/**
 * Runs a graph with hooks, in the order in which their points are computed; several hooks at one point are called in
 * the order given.
 */
export async function runHooked(
  runtime: Runtime,
  graph: g.Graph,
  feeds: Readonly<Record<string, Feed>>,
  hooks: readonly NamedHook[],
  signal?: AbortSignal,
): Promise<Record<string, AnyTensor>> {
  const stop = workSignal(signal);
  let rest = graph;
  const known: Record<string, Feed> = { ...feeds };
  for (const [name, { attributes }] of g.pointsOf(graph)) {
    const called = hooks.filter(([hooked]) => hooked === name);
    if (called.length === 0) continue;
    const { before, after } = g.cut(rest, name);
    const values = await runtime.plan(before).run(known, { signal });
    const typeOf = (label: string): g.ElementType => before.outputs[label]!.dtype;
    for (const [label, value] of Object.entries(values)) known[label] = feedOf(value, typeOf(label));
    let value = values[name] as Tensor;
    for (const [, hook] of called) {
      stop?.throwIfAborted();
      const returned = await hook(value, { name, axes: attributes.axes as readonly string[] });
      if (returned !== undefined) value = checked(returned as Tensor, value, name);
    }
    known[name] = feedOf(value, typeOf(name));
    rest = after;
  }
  return runtime.plan(rest).run(known, { signal });
}

function checked(returned: Tensor, value: Tensor, name: string): Tensor {
  if (returned?.data instanceof Float32Array && equalShapes(returned.shape, value.shape)) return returned;
  const came = returned?.shape
    ? `${returned.data?.constructor.name} ${shapeText(returned.shape)}`
    : typeof returned;
  throw new Error(
    `The hook at "${name}" returned ${came}; expected nothing, or an NdArray of Float32Array ${shapeText(value.shape)}.`,
  );
}

/** What a run gave, to be fed to the next one. */
export function feedOf(value: AnyTensor, dtype: g.ElementType): Feed {
  const { data, shape } = contiguous(value as Tensor) as AnyTensor;
  return { dtype, shape, data: elementsAs(data, dtype) };
}
