/** Sizes that a graph needs and cannot know from what it is fed. */

import { termsOf } from "./dims.js";
import { type Graph, leavesOf, valuesOf } from "./graph.js";
import type { Dim } from "./value.js";

/**
 * The named dimensions that a graph makes, such as those of a number repeated `batch` times, of which neither an input nor
 * anything before has the size.
 */
export function unsizedDims(graph: Graph): Set<string> {
  const known = new Set<Dim>([...leavesOf(graph, "input").values()].flatMap(({ shape }) => shape));
  const unsized = new Set<string>();
  for (const { op, shape, attributes } of valuesOf(graph)) {
    if (op === "assume") continue;
    for (const dim of op === "dimension" ? [attributes.dim as Dim] : shape) {
      if (typeof dim === "number" || known.has(dim)) continue;
      const names = [...termsOf(dim).keys()].flatMap((product) => (product === "" ? [] : product.split("*")));
      for (const name of names) if (!known.has(name)) unsized.add(name);
      known.add(dim);
    }
  }
  return unsized;
}
