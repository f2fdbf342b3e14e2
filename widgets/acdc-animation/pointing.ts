import type { Curve } from "./layout.js";
import { pointOf } from "./layout.js";
import type { Scene, Strands, Target } from "./scene.js";

/** How near, in pixels, an edge must be to be meant. */
const reach = 6;
/** An edge is tried at so many points of its way. */
const probes = 16;

/** What stands at a place: a node, else the nearest edge that is drawn. */
export function targetAt(scene: Scene, strands: Strands, x: number, y: number): Target | null {
  const { layout, places } = scene;
  for (let node = 0; node < places.length; node++) {
    const { kind } = places[node]!;
    const bar = kind === "input" || kind === "logits";
    const [halfWidth, halfHeight] = bar ? [12, layout.barHeight] : [layout.radius + 2, layout.radius + 2];
    if (Math.abs(layout.x[node]! - x) <= halfWidth && Math.abs(layout.y[node]! - y) <= halfHeight)
      return { kind: "node", id: node };
  }
  let best = reach;
  let found: Target | null = null;
  const look = (edges: Iterable<number>, handicap: number): void => {
    for (const edge of edges) {
      const away = distance(scene.curve(edge), x, y, best - handicap) + handicap;
      if (away < best) {
        best = away;
        found = { kind: "edge", id: edge };
      }
    }
  };
  // Of edges at the same distance the one that is drawn more strongly is meant.
  look(scene.cuts, 0);
  look(strands.kept, 0);
  const last = scene.timeline.step(scene.timeline.position - 1)?.edge;
  look(
    [scene.underTest(), last].filter((edge) => edge !== undefined),
    0,
  );
  if (scene.selected) {
    const { kind, id } = scene.selected;
    look(kind === "node" ? scene.edgesOf(id) : [id], 0);
  }
  look(strands.faint, 2);
  return found;
}

/** How far a point is from a curve; large where it is farther than `within`. */
function distance(curve: Curve, x: number, y: number, within: number): number {
  const [x0, y0, , y1, , y2, x3, y3] = curve;
  if (x < Math.min(x0, x3) - within || x > Math.max(x0, x3) + within) return Number.POSITIVE_INFINITY;
  if (y < Math.min(y0, y1, y2, y3) - within || y > Math.max(y0, y1, y2, y3) + within)
    return Number.POSITIVE_INFINITY;
  let least = Number.POSITIVE_INFINITY;
  let [px, py] = [x0, y0];
  for (let i = 1; i <= probes; i++) {
    const [qx, qy] = pointOf(curve, i / probes);
    const [dx, dy] = [qx - px, qy - py];
    const along = Math.max(0, Math.min(1, ((x - px) * dx + (y - py) * dy) / (dx * dx + dy * dy || 1)));
    least = Math.min(least, Math.hypot(x - px - along * dx, y - py - along * dy));
    [px, py] = [qx, qy];
  }
  return least;
}

/** The next node in a direction, from one or from the middle of the picture. */
export function neighbour(scene: Scene, node: number | null, key: string): number {
  const { x, y } = scene.layout;
  const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key]!;
  if (node === null) return dx! < 0 ? scene.places.length - 1 : 0;
  let best = Number.POSITIVE_INFINITY;
  let found = node;
  for (let other = 0; other < scene.places.length; other++) {
    const [ox, oy] = [x[other]! - x[node]!, y[other]! - y[node]!];
    const ahead = ox * dx! + oy * dy!;
    const aside = Math.abs(ox * dy!) + Math.abs(oy * dx!);
    if (ahead <= 0.5 || (dy !== 0 && aside > 2.5 * scene.layout.radius + 4)) continue;
    const cost = ahead + 2 * aside;
    if (cost < best) {
      best = cost;
      found = other;
    }
  }
  return found;
}
