import { element, keyHint } from "../browser/dom.js";
import type { Player } from "./player.js";
import { neighbour } from "./pointing.js";
import type { Scene, Target } from "./scene.js";

/** What keys do with the graph. */
export interface KeyListener {
  select(target: Target | null): void;
  /** Cuts an edge, or puts it back. */
  toggle(edge: number): void;
  /** Puts the edge back that was cut last. */
  undo(): void;
}

/** Makes keys work on the graph: arrows go from node to node, Enter through a node's edges, X cuts. */
export function graphKeys(stage: HTMLElement, scene: Scene, player: Player, listener: KeyListener): void {
  /** The node whose edges Enter goes through. */
  let around: number | null = null;
  const nodeOf = (target: Target | null): number | null =>
    target?.kind === "node" ? target.id : target ? (around ?? scene.edges.from[target.id]!) : null;
  const nextEdge = (by: number): void => {
    const { selected } = scene;
    const node = nodeOf(selected);
    if (node === null) return;
    around = node;
    const edges = scene.edgesOf(node);
    if (edges.length === 0) return;
    const at = selected?.kind === "edge" ? edges.indexOf(selected.id) : by > 0 ? -1 : 0;
    listener.select({ kind: "edge", id: edges[(at + by + edges.length) % edges.length]! });
  };
  const actions: Record<string, (event: KeyboardEvent) => void> = {
    " ": () => player.toggle(),
    ",": () => player.step(-1),
    ".": () => player.step(1),
    Home: () => player.show(0),
    End: () => player.follow(),
    Enter: (event) => nextEdge(event.shiftKey ? -1 : 1),
    x: () => scene.selected?.kind === "edge" && listener.toggle(scene.selected.id),
    u: () => listener.undo(),
    Escape: () => listener.select(null),
  };
  actions.Delete = actions.x!;
  stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.startsWith("Arrow")) {
      around = null;
      listener.select({ kind: "node", id: neighbour(scene, nodeOf(scene.selected), event.key) });
    } else if (actions[event.key]) actions[event.key]!(event);
    else return;
    event.preventDefault();
  });
}

/** What the keys and the mouse do. */
export function keyHelp(): HTMLElement {
  const entry = (keys: string[], text: string): HTMLElement => element("span", {}, keyHint(...keys), text);
  return element(
    "div",
    { class: "tslens-keys-help" },
    entry(["Space"], "play or pause"),
    entry([",", "."], "step"),
    entry(["↑", "↓", "←", "→"], "choose a node"),
    entry(["Enter"], "its edges"),
    entry(["X"], "cut the edge"),
    entry(["U"], "undo"),
    element("span", { text: "or drag an edge out" }),
  );
}
