import type { MimeBundle } from "../host.js";
import { decodeTensor } from "../tensor.js";
import { escapeHtml, shortNumber } from "../text.js";
import { decodeEdges, edgeNameOf, placesOf } from "./graph.js";
import { curveOf, layoutOf } from "./layout.js";
import { edgeColours } from "./palette.js";
import { type AcdcAnimationState, inputNames } from "./state.js";
import { edgeStatus, nodesOnPaths, Timeline } from "./timeline.js";
import { summaryOf } from "./words.js";

const width = 860;
/** More edges are not drawn: the strongest are. */
const mostEdges = 1500;
/** So many edges are listed in the text. */
const listed = 20;

/** The circuit that is shown as text and as a picture, for places where no widget runs. */
export function animationFallback(state: AcdcAnimationState): MimeBundle {
  const { nodes, title } = state;
  const edges = decodeEdges(state.edges);
  const timeline = new Timeline(edges, state.total);
  timeline.read(state.log, state.tail);
  timeline.moveTo(state.position < 0 ? timeline.count : state.position);
  const scores = state.scores && decodeTensor(state.scores).data;
  const scoreOf = (edge: number): number => {
    if (scores) return scores[edge]!;
    const step = timeline.step(timeline.stepOf[edge]!);
    return step && !Number.isNaN(step.after) ? step.after - step.before : 0;
  };
  const cut = new Set(state.cuts);
  const left = Array.from({ length: edges.count }, (_, edge) => edge)
    .filter((edge) => timeline.status[edge] !== edgeStatus.removed && !cut.has(edge))
    .sort((a, b) => Math.abs(scoreOf(b)) - Math.abs(scoreOf(a)));
  const summary = [title, summaryOf(state, timeline)].filter(Boolean).join("\n");
  const names = left
    .slice(0, listed)
    .map((edge) => `${shortNumber(scoreOf(edge), 4).padStart(11)}  ${edgeNameOf(nodes, edges, edge)}`);
  const hidden = left.length - names.length;

  const graph = placesOf(nodes);
  const layout = layoutOf(graph, width);
  const { places } = graph;
  const isInput = (node: number): boolean => places[node]!.kind === "input";
  const alive = nodesOnPaths(edges, timeline.status, { first: isInput, nodes: nodes.length, cut });
  const most = left.length > 0 ? Math.abs(scoreOf(left[0]!)) || 1 : 1;
  const lines = left.slice(0, mostEdges).map((edge) => {
    const [x0, y0, ...rest] = curveOf(layout, places, edges, edge).map((value) => value.toFixed(1));
    const kept = timeline.status[edge] === edgeStatus.kept || state.kind === "ranking";
    const colour = kept ? edgeColours.light[inputNames[edges.input[edge]!]!] : "#b9c0c9";
    const thickness = kept ? 0.8 + 3.2 * Math.sqrt(Math.abs(scoreOf(edge)) / most) : 0.5;
    return `<path d="M${x0} ${y0}C${rest.join(" ")}" stroke="${colour}" stroke-width="${thickness.toFixed(2)}" stroke-opacity="${kept ? 0.85 : 0.4}"/>`;
  });
  const shapes = places.map(({ name, kind, head }, i) => {
    const [x, y] = [layout.x[i]!, layout.y[i]!];
    const bar = kind === "input" || kind === "logits";
    const [w, h] = bar ? [11, layout.barHeight] : [layout.radius, layout.radius];
    const corner = kind === "head" ? layout.radius : 4;
    const look = alive[i]
      ? 'fill="#ffffff" stroke="#1f2328"'
      : 'fill="#ffffff" stroke="#b9c0c9" stroke-dasharray="2 2"';
    const turn = bar ? ` transform="rotate(-90 ${x} ${y})"` : "";
    const text = kind === "head" ? String(head) : escapeHtml(name);
    const label =
      layout.radius < 7 && !bar
        ? ""
        : `<text x="${x.toFixed(1)}" y="${(y + 3.5).toFixed(1)}"${turn} fill="${alive[i] ? "#1f2328" : "#8b949e"}">${text}</text>`;
    return `<g><title>${escapeHtml(name)}</title><rect x="${(x - w).toFixed(1)}" y="${(y - h).toFixed(1)}" width="${(2 * w).toFixed(1)}" height="${(2 * h).toFixed(1)}" rx="${corner}" ${look}/>${label}</g>`;
  });
  const columns = layout.columns.map(
    ({ label, x }) => `<text x="${x.toFixed(1)}" y="14" fill="#656d76">${label}</text>`,
  );
  const height = layout.height + 22;
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="sans-serif" font-size="10" text-anchor="middle">` +
    `<title>${escapeHtml(summary)}</title><rect width="100%" height="100%" fill="#ffffff"/>` +
    `${columns.join("")}<g fill="none">${lines.join("")}</g>${shapes.join("")}` +
    `<text x="10" y="${height - 8}" text-anchor="start" font-size="11" fill="#1f2328">${escapeHtml(summary.replace("\n", " · "))}</text></svg>`;
  return {
    "text/plain": [summary, ...names, ...(hidden > 0 ? [`and ${hidden} more`] : [])].join("\n"),
    "image/svg+xml": svg,
  };
}
