import type { Controls } from "./controls.js";
import type { Grid } from "./grid.js";

/** What the keys do while the table has the focus; the notebook does not see those that are used. */
export function tableKeys(grid: Grid, controls: Controls): () => void {
  const far = Number.MAX_SAFE_INTEGER;
  const actions: Record<string, () => void> = {
    ArrowUp: () => grid.moveBy(-1, 0),
    ArrowDown: () => grid.moveBy(1, 0),
    ArrowLeft: () => grid.moveBy(0, -1),
    ArrowRight: () => grid.moveBy(0, 1),
    Home: () => grid.moveBy(0, -far),
    End: () => grid.moveBy(0, far),
    "Ctrl+Home": () => grid.moveBy(-far, -far),
    "Ctrl+End": () => grid.moveBy(far, far),
    PageUp: () => controls.step("layer", 1),
    PageDown: () => controls.step("layer", -1),
    "[": () => controls.step("head", -1),
    "]": () => controls.step("head", 1),
    r: () => grid.focus && controls.sort("cols", grid.rowOf(grid.focus.row)),
    c: () => grid.focus && controls.sort("rows", grid.colOf(grid.focus.col)),
    "+": () => controls.zoom(1),
    "=": () => controls.zoom(1),
    "-": () => controls.zoom(-1),
    "0": () => controls.zoom(0),
  };
  const press = (event: KeyboardEvent): void => {
    if (event.metaKey || event.altKey) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const action = actions[event.ctrlKey ? `Ctrl+${key}` : key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  };
  grid.node.addEventListener("keydown", press);
  return () => grid.node.removeEventListener("keydown", press);
}
