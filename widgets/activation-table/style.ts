/** What the activation table looks like beyond what all widgets share. */
export const tableStyle = `
.tslens-table-caption { display: flex; flex-wrap: wrap; gap: 2px 12px; align-items: baseline; margin-bottom: 4px; }
.tslens-table-name { font-family: var(--jp-code-font-family, ui-monospace, Menlo, Consolas, monospace); font-weight: 600; }
.tslens-table-facts { color: var(--ink-soft); }
.tslens-heads { display: flex; flex-wrap: wrap; gap: 4px; margin-bottom: 6px; max-height: 132px; overflow-y: auto; }
.tslens-heads button {
  display: flex; flex-direction: column; align-items: center; gap: 1px; padding: 2px; min-width: 0; min-height: 0;
  font-size: 10px; line-height: 1.2; color: var(--ink-soft); background: none;
}
.tslens-heads button[aria-pressed="true"] { border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent); color: var(--ink); font-weight: 600; }
.tslens-heads canvas { width: 44px; height: 44px; image-rendering: pixelated; display: block; }
.tslens-grid {
  position: relative; overflow: auto; max-width: 100%; width: fit-content; border: 1px solid var(--line);
  border-radius: 4px; background: var(--page); scrollbar-width: thin;
}
.tslens-grid:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.tslens-grid canvas { position: sticky; top: 0; left: 0; display: block; cursor: crosshair; }
.tslens-table.pending .tslens-grid canvas { opacity: 0.5; transition: opacity 0.2s 0.25s; }
.tslens-legend { display: flex; flex-wrap: wrap; gap: 2px 12px; align-items: center; margin-top: 6px; color: var(--ink-soft); }
.tslens-scale { display: inline-flex; align-items: center; gap: 6px; color: var(--ink); }
.tslens-ramp { position: relative; width: 180px; height: 10px; border-radius: 2px; border: 1px solid var(--line); }
.tslens-ramp i { position: absolute; top: -4px; bottom: -4px; width: 2px; margin-left: -1px; background: var(--ink); }
.tslens-chip { display: inline-flex; align-items: center; gap: 4px; }
.tslens-chip i { width: 12px; height: 10px; border-radius: 2px; border: 1px solid var(--line); display: inline-block; }
.tslens-chip i.masked { background: repeating-linear-gradient(135deg, var(--hatch) 0 2px, transparent 2px 4px); }
.tslens-chip i.odd { background: var(--odd); }
.tslens-readout { margin-top: 4px; min-height: 1.4em; overflow-wrap: anywhere; }
.tslens-readout b { font-weight: 600; }
.tslens-help { color: var(--ink-soft); margin-top: 2px; display: flex; flex-wrap: wrap; gap: 2px 12px; font-size: 11px; }
.tslens-help span { display: inline-flex; gap: 4px; align-items: center; }
.tslens-tip {
  position: absolute; z-index: 5; pointer-events: none; background: var(--panel); color: var(--ink); max-width: 320px;
  border: 1px solid var(--line); border-radius: 4px; padding: 4px 8px; box-shadow: 0 2px 8px rgb(0 0 0 / 25%); overflow-wrap: anywhere;
}
.tslens-tip b { display: block; font-size: 13px; }
`;
