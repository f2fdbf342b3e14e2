import { element } from "./dom.js";

/** What all widgets look like: JupyterLab's variables where there are any, else colours of our own. */
const base = `
.tslens {
  --ink: var(--jp-ui-font-color1, #1f2328);
  --ink-soft: var(--jp-ui-font-color2, #656d76);
  --page: var(--jp-layout-color0, #ffffff);
  --panel: var(--jp-layout-color1, #ffffff);
  --panel-soft: var(--jp-layout-color2, #f3f5f7);
  --line: var(--jp-border-color2, #d8dee4);
  --accent: var(--jp-brand-color1, #1a6fd4);
  --bad: var(--jp-error-color1, #c62828);
  --hatch: #d3d7dd;
  --odd: #ffc933;
  font: 12px/1.4 var(--jp-ui-font-family, system-ui, -apple-system, "Segoe UI", sans-serif);
  font-variant-numeric: tabular-nums;
  color: var(--ink);
  background: var(--page);
  position: relative;
  box-sizing: border-box;
  padding: 8px 10px;
  border: 1px solid var(--line);
  border-radius: 6px;
  width: 100%;
  min-width: 0;
}
.tslens[data-theme="dark"] {
  --ink: var(--jp-ui-font-color1, #e6e9ee);
  --ink-soft: var(--jp-ui-font-color2, #9aa4b2);
  --page: var(--jp-layout-color0, #14171c);
  --panel: var(--jp-layout-color1, #1b1f26);
  --panel-soft: var(--jp-layout-color2, #262b34);
  --line: var(--jp-border-color2, #363d48);
  --accent: var(--jp-brand-color1, #6cb0ff);
  --bad: var(--jp-error-color1, #ff8a80);
  --hatch: #3b424e;
  --odd: #e0a800;
}
.tslens *, .tslens *::before { box-sizing: border-box; }
.tslens-title { font-size: 13px; font-weight: 600; margin-bottom: 6px; }
.tslens-bar { display: flex; flex-wrap: wrap; gap: 6px 10px; align-items: end; margin-bottom: 8px; }
.tslens-field { display: flex; flex-direction: column; gap: 2px; min-width: 0; }
.tslens-caption { color: var(--ink-soft); font-size: 11px; white-space: nowrap; display: flex; gap: 5px; align-items: center; }
.tslens-keys { display: inline-flex; gap: 2px; }
.tslens kbd {
  font: 10px/1.3 var(--jp-code-font-family, ui-monospace, Menlo, Consolas, monospace); color: var(--ink-soft);
  background: var(--panel-soft); border: 1px solid var(--line); border-radius: 3px; padding: 0 3px; box-shadow: none;
}
.tslens select, .tslens button, .tslens input[type="text"], .tslens input[type="number"], .tslens textarea {
  font: inherit; color: var(--ink); background: var(--panel); border: 1px solid var(--line); border-radius: 4px;
  padding: 2px 6px; margin: 0; min-height: 24px; max-width: 100%; appearance: auto;
}
.tslens[data-theme="dark"] select, .tslens[data-theme="dark"] input, .tslens[data-theme="dark"] textarea { color-scheme: dark; }
.tslens select { max-width: 172px; }
.tslens button { cursor: pointer; min-width: 26px; padding: 2px 8px; }
.tslens button:hover:not(:disabled) { background: var(--panel-soft); }
.tslens :disabled { opacity: 0.55; cursor: default; }
.tslens :focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.tslens-note { color: var(--ink-soft); margin-top: 4px; min-height: 0; }
.tslens-note:empty { display: none; }
.tslens-error { color: var(--bad); padding: 8px 2px; white-space: pre-wrap; overflow-wrap: anywhere; }
.tslens-error:empty { display: none; }
.tslens-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.tslens [hidden] { display: none !important; }
@media (prefers-reduced-motion: reduce) { .tslens * { transition: none !important; animation: none !important; } }
`;

/** A widget's root element with its style beside it, so that it looks the same in every host. */
export function widgetRoot(el: HTMLElement, name: string, label: string, style: string): HTMLElement {
  const root = element("div", {
    class: `tslens tslens-${name}`,
    attributes: { role: "group", "aria-label": label },
  });
  root.append(element("style", { text: base + style }));
  el.append(root);
  return root;
}
