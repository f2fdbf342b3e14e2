/** The drawing of a circuit: a layered graph. */

import { type Plot, plotOf } from "../plot/index.js";
import type { Circuit, CircuitEdge } from "./circuit.js";
import { nodeOf, placeOf } from "./names.js";

/** More edges are not drawn, since nobody could tell them apart: the strongest are. */
const MOST_EDGES = 400;
/** Edges that the text lists. */
const LISTED = 20;

/** What an edge goes into, told apart by more than colour; and how far from the middle of a node it ends. */
const inputs = [
  { kind: "q", label: "queries", colour: "#0072b2", dash: [6, 3], shift: -0.15 },
  { kind: "k", label: "keys", colour: "#e08e00", dash: [2, 2], shift: 0 },
  { kind: "v", label: "values", colour: "#009e73", dash: [1, 0], shift: 0.15 },
  { kind: "", label: "MLPs, logits", colour: "#57606a", dash: [9, 2, 2, 2], shift: 0 },
];

interface NodePlace {
  readonly node: string;
  readonly kind: string;
  readonly x: number;
  readonly y: number;
}

/** Draws the kept edges: the input below, the logits on top, heads and MLPs by layer, what is not kept left out. */
export function drawCircuit(circuit: Circuit): Plot {
  const kept = [...circuit.keptEdges].sort((a, b) => Math.abs(b.score) - Math.abs(a.score));
  const drawn = kept.slice(0, MOST_EDGES);
  const nLayers = circuit.nodes.reduce((most, node) => Math.max(most, placeOf(node, -1).layer + 1), 0);
  const heads = circuit.nodes.reduce((most, node) => Math.max(most, (placeOf(node, 0).head ?? 0) + 1), 1);
  const at = new Map(circuit.keptNodes.map((node) => [node, placed(node, nLayers, heads)]));
  const width = Math.max(360, Math.min(960, 72 * (heads + 2)));
  const room = width / (heads + 2.4);
  const place = {
    x: { field: "x", type: "quantitative", axis: null, scale: { domain: [-0.8, heads + 1.6] } },
    y: { field: "y", type: "quantitative", axis: null, scale: { domain: [-3, 2 * nLayers + 1] } },
  };
  const body = {
    title: { text: String(circuit), subtitle: subtitleOf(kept, drawn.length), anchor: "start", offset: 8 },
    width,
    height: Math.max(280, Math.min(1400, 92 * (nLayers + 1))),
    view: { stroke: null },
    layer: [
      { data: { values: linesOf(drawn, at) }, mark: "rule", encoding: { ...place, ...lineEncoding } },
      {
        data: { values: [...at.values()] },
        mark: {
          type: "point",
          size: Math.min(36, 0.82 * room) ** 2,
          filled: true,
          color: "#f4f4f4",
          stroke: "#555555",
          strokeWidth: 1.2,
          opacity: 1,
        },
        encoding: {
          ...place,
          shape: { field: "kind", type: "nominal", legend: null, scale: shapes },
          tooltip: [{ field: "node", type: "nominal", title: "node" }],
        },
      },
      {
        data: { values: [...at.values()] },
        mark: { type: "text", fontSize: Math.max(5, Math.min(10, room / 4)), color: "#222222" },
        encoding: { ...place, text: { field: "node", type: "nominal" } },
      },
    ],
  };
  const listed = drawn
    .slice(0, LISTED)
    .map(({ name, score }) => `${score.toPrecision(4).padStart(11)}  ${name}`);
  const hidden = kept.length - listed.length;
  const text = [String(circuit), ...listed, ...(hidden > 0 ? [`and ${hidden} more`] : [])].join("\n");
  return plotOf(body, {}, text);
}

/** Heads stand in columns, MLPs beside them. Neighbouring layers are shifted, so that edges do not hide in one line. */
function placed(node: string, nLayers: number, heads: number): NodePlace {
  const { layer, kind, head } = placeOf(node, nLayers);
  const shift = layer % 2 === 0 ? 0 : 1;
  const y = 2 * layer + (kind === "mlp" ? 1 : 0);
  if (kind === "head") return { node, kind, x: head! + 0.3 * shift, y };
  if (kind === "mlp") return { node, kind, x: heads + 0.3 + 0.8 * shift, y };
  return { node, kind, x: (heads - 1) / 2 + (node === "pos" ? 1 : 0), y };
}

function linesOf(edges: readonly CircuitEdge[], at: ReadonlyMap<string, NodePlace>): object[] {
  const most = Math.abs(edges[0]?.score ?? 0) || 1;
  return edges.map(({ name, from, to, score }) => {
    const [start, end] = [at.get(from)!, at.get(nodeOf(to))!];
    const kind = /<([qkv])>$/.exec(to)?.[1] ?? "";
    const size = Math.sqrt(Math.abs(score) / most);
    const { label: into, shift } = inputs.find((input) => input.kind === kind)!;
    const line = { x: start.x + shift / 2, y: start.y, x2: end.x + shift, y2: end.y };
    return { name, score, into, ...line, width: 0.8 + 4.2 * size, opacity: 0.4 + 0.5 * size };
  });
}

/** How thick lines are to be read, and whether there are more. */
function subtitleOf(kept: readonly CircuitEdge[], drawn: number): string[] {
  const [strongest] = kept;
  const lines: string[] = [];
  if (kept.length > drawn) lines.push(`the ${drawn} strongest edges are drawn`);
  if (strongest && strongest.score !== 0)
    lines.push(
      `lines are as thick as √|score|; the thickest, ${strongest.name}, is ${strongest.score.toPrecision(3)}`,
    );
  return lines;
}

const labels = inputs.map(({ label }) => label);

const lineEncoding = {
  x2: { field: "x2" },
  y2: { field: "y2" },
  strokeWidth: { field: "width", type: "quantitative", scale: null },
  opacity: { field: "opacity", type: "quantitative", scale: null },
  color: {
    field: "into",
    type: "nominal",
    title: "into",
    scale: { domain: labels, range: inputs.map(({ colour }) => colour) },
    legend: { symbolType: "stroke", symbolSize: 400, symbolStrokeWidth: 2.5, symbolOpacity: 1 },
  },
  strokeDash: {
    field: "into",
    type: "nominal",
    title: "into",
    scale: { domain: labels, range: inputs.map(({ dash }) => dash) },
  },
  tooltip: [
    { field: "name", type: "nominal", title: "edge" },
    { field: "score", type: "quantitative", title: "score" },
  ],
};

const shapes = {
  domain: ["head", "mlp", "input", "logits"],
  range: ["circle", "square", "diamond", "diamond"],
};
