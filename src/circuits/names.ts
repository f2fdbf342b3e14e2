/**
 * The names of nodes and edges, as EAP-IG has them: `input`, `a3.h5`, `m2`, `logits`; `a0.h1->a2.h3<q>`, `m0->logits`.
 */

/** What an attention head reads: its queries, keys or values. */
export type HeadInput = "q" | "k" | "v";

/** The name of an edge. */
export const edgeName = (from: string, to: string): string => `${from}->${to}`;

/** The node that an input belongs to: `a2.h3` of `a2.h3<q>`. */
export const nodeOf = (receiver: string): string => receiver.replace(/<[qkv]>$/, "");

/** The two ends of an edge, or an error that says how edges are written. */
export function edgeEnds(name: string): { from: string; to: string } {
  const match = /^((?:input|embed|pos|a\d+\.h\d+|m\d+))->((?:a\d+\.h\d+<[qkv]>|m\d+|logits))$/.exec(name);
  if (!match)
    throw new Error(
      `"${name}" is not the name of an edge; edges are written as a0.h1->a2.h3<q>, m0->m1 or input->logits.`,
    );
  return { from: match[1]!, to: match[2]! };
}

/** Where a node stands: its layer (−1 of the input, `nLayers` of the logits), and whether it is a head or an MLP. */
export function placeOf(
  node: string,
  nLayers: number,
): { layer: number; kind: "input" | "head" | "mlp" | "logits"; head?: number } {
  const head = /^a(\d+)\.h(\d+)$/.exec(node);
  if (head) return { layer: Number(head[1]), kind: "head", head: Number(head[2]) };
  const mlp = /^m(\d+)$/.exec(node);
  if (mlp) return { layer: Number(mlp[1]), kind: "mlp" };
  return node === "logits" ? { layer: nLayers, kind: "logits" } : { layer: -1, kind: "input" };
}
