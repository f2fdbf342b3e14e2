/** The drawing of a circuit: a layered graph. */

import { type Plot, plotOf } from "../plot/index.js";
import type { Circuit } from "./circuit.js";
import { nodeOf, placeOf } from "./names.js";

/** More edges are not drawn: the strongest are. */
const MOST_EDGES = 1500;

/** Draws the kept edges: the input below, the logits on top, heads and MLPs by layer, what is not kept left out. */
export function drawCircuit(circuit: Circuit): Plot {
  const kept = circuit.keptEdges;
  const drawn = [...kept].sort((a, b) => Math.abs(b.score) - Math.abs(a.score)).slice(0, MOST_EDGES);
  const nodes = circuit.keptNodes;
  const nLayers = circuit.nodes.reduce((most, node) => Math.max(most, placeOf(node, -1).layer + 1), 0);
  const heads = circuit.nodes.reduce((most, node) => Math.max(most, (placeOf(node, 0).head ?? 0) + 1), 1);
  const at = new Map(
    nodes.map((node) => {
      const { layer, kind, head } = placeOf(node, nLayers);
      const side = node === "pos" ? 1 : 0;
      const x = kind === "head" ? head! : kind === "mlp" ? heads : (heads - 1) / 2 + side;
      return [node, { node, kind, x, y: 2 * layer + (kind === "mlp" ? 1 : 0) }] as const;
    }),
  );
  const most = drawn.reduce((largest, { score }) => Math.max(largest, Math.abs(score)), 0) || 1;
  const lines = drawn.map(({ name, from, to, score }) => {
    const [start, end] = [at.get(from)!, at.get(nodeOf(to))!];
    const [, input = "other"] = /<([qkv])>$/.exec(to) ?? [];
    return {
      name,
      score,
      input,
      x: start.x,
      y: start.y,
      x2: end.x,
      y2: end.y,
      width: 0.5 + (3.5 * Math.abs(score)) / most,
    };
  });
  const place = {
    x: { field: "x", type: "quantitative", axis: null, scale: { domain: [-0.7, heads + 0.7] } },
    y: { field: "y", type: "quantitative", axis: null, scale: { domain: [-3, 2 * nLayers + 1] } },
  };
  const body = {
    width: Math.max(320, Math.min(900, 64 * (heads + 1))),
    height: Math.max(240, Math.min(1200, 80 * (nLayers + 1))),
    layer: [
      {
        data: { values: lines },
        mark: { type: "rule", opacity: 0.6 },
        encoding: {
          ...place,
          x2: { field: "x2" },
          y2: { field: "y2" },
          strokeWidth: { field: "width", type: "quantitative", scale: null },
          color: {
            field: "input",
            type: "nominal",
            title: "into",
            scale: { domain: ["q", "k", "v", "other"], range: ["#0072b2", "#e69f00", "#009e73", "#666666"] },
          },
          strokeDash: { field: "input", type: "nominal", legend: null, scale: dashes },
          tooltip: [
            { field: "name", type: "nominal", title: "edge" },
            { field: "score", type: "quantitative", title: "score" },
          ],
        },
      },
      {
        data: { values: [...at.values()] },
        mark: { type: "point", size: 500, filled: true, color: "#eeeeee", stroke: "#666666", opacity: 1 },
        encoding: { ...place, tooltip: [{ field: "node", type: "nominal", title: "node" }] },
      },
      {
        data: { values: [...at.values()] },
        mark: { type: "text", fontSize: 9, color: "#222222" },
        encoding: { ...place, text: { field: "node", type: "nominal" } },
      },
    ],
  };
  const left = kept.length - drawn.length;
  const listed = drawn.slice(0, 20).map(({ name, score }) => `${score.toPrecision(4).padStart(11)}  ${name}`);
  const hidden = kept.length - listed.length;
  const text = [String(circuit), ...listed, ...(hidden > 0 ? [`and ${hidden} more`] : [])].join("\n");
  const title = left > 0 ? `${circuit}; the ${drawn.length} strongest drawn` : String(circuit);
  return plotOf(body, { title }, text);
}

/** Inputs are told apart by more than colour. */
const dashes = {
  domain: ["q", "k", "v", "other"],
  range: [
    [6, 3],
    [2, 2],
    [1, 0],
    [8, 2, 2, 2],
  ],
};
