/** What the pruning animation looks like beyond what all widgets share. */
export const animationStyle = `
.tslens-acdc { user-select: none; }
.tslens-figures { display: flex; flex-wrap: wrap; gap: 2px 22px; align-items: baseline; margin-bottom: 4px; }
.tslens-figures > div { display: flex; flex-direction: column; }
.tslens-figures b { font-size: 19px; line-height: 1.15; font-weight: 600; }
.tslens-figures b small { font-size: 12px; font-weight: 400; color: var(--ink-soft); }
.tslens-figures .facts { color: var(--ink-soft); font-size: 11px; flex: 1 1 160px; text-align: right; align-self: center; display: block; }
.tslens-state { align-self: center; border: 1px solid var(--line); border-radius: 10px; padding: 1px 9px; font-size: 11px; white-space: nowrap; display: inline-flex !important; flex-direction: row !important; gap: 5px; }
.tslens-state[data-status="running"] i { animation: tslens-pulse 1.2s ease-in-out infinite; }
@keyframes tslens-pulse { 50% { opacity: 0.25; } }
.tslens-state i { font-style: normal; color: var(--accent); }
.tslens-stage { position: relative; width: 100%; touch-action: pan-y; border-radius: 4px; overflow: hidden; }
.tslens-stage canvas { position: absolute; left: 0; top: 0; display: block; }
.tslens-samples { display: flex; flex-wrap: wrap; gap: 0 14px; color: var(--ink-soft); font-size: 11px; margin: 2px 0 6px; align-items: center; }
.tslens-sample { display: inline-flex; gap: 5px; align-items: center; }
.tslens-charts { display: flex; flex-direction: column; gap: 3px; }
.tslens-chart { margin: 0 !important; }
.tslens-chart figcaption { font-size: 11px; color: var(--ink-soft); padding-left: 8px; }
.tslens-chart figcaption b { color: var(--ink); font-weight: 600; }
.tslens-chart canvas { display: block; cursor: ew-resize; touch-action: none; }
.tslens-scrubber { display: block; }
.tslens-scrubber .tslens-caption { padding-left: var(--inset); }
.tslens-scrubber input[type="range"] { display: block; width: 100%; margin: 0; height: 20px; accent-color: var(--accent); padding: 0; }
.tslens-transport { margin: 4px 0 4px; }
.tslens-buttons { display: flex; gap: 3px; flex-wrap: wrap; }
.tslens-buttons button { min-width: 34px; min-height: 28px; line-height: 1; display: inline-flex; align-items: center; justify-content: center; gap: 5px; }
.tslens-buttons svg { width: 14px; height: 14px; fill: currentColor; display: block; }
.tslens-buttons .play { min-width: 46px; background: var(--accent); border-color: var(--accent); color: var(--page); font-weight: 700; }
.tslens-buttons .play:hover:not(:disabled) { background: var(--accent); filter: brightness(1.1); }
.tslens-buttons [aria-pressed="true"] { border-color: var(--accent); color: var(--accent); opacity: 1; }
.tslens-check { display: inline-flex; gap: 5px; align-items: center; align-self: center; margin-top: 12px; color: var(--ink-soft); font-size: 11px; }
.tslens-check input { margin: 0; accent-color: var(--accent); }
.tslens-said { min-height: 1.4em; overflow-wrap: anywhere; }
.tslens-pop {
  position: absolute; z-index: 5; pointer-events: none; background: var(--panel); color: var(--ink); max-width: 320px;
  border: 1px solid var(--line); border-radius: 4px; padding: 4px 8px; box-shadow: 0 2px 8px rgb(0 0 0 / 25%); overflow-wrap: anywhere;
}
.tslens-pop b { display: block; }
.tslens-cuts { display: flex; flex-wrap: wrap; gap: 4px 6px; align-items: center; margin: 4px 0; }
.tslens-cut-effect { font-weight: 600; }
.tslens-cuts .tslens-chip-button { border-style: dashed; border-radius: 10px; font-size: 11px; font-family: var(--jp-code-font-family, ui-monospace, Menlo, Consolas, monospace); }
.tslens-details { border-top: 1px solid var(--line); margin-top: 6px; padding-top: 5px; }
.tslens-edges { list-style: none; margin: 4px 0 0 !important; padding: 0 !important; max-height: 148px; overflow-y: auto; display: grid; grid-template-columns: repeat(auto-fill, minmax(250px, 1fr)); gap: 1px 14px; }
.tslens-edges li { display: flex; gap: 6px; align-items: center; margin: 0; min-width: 0; }
.tslens-edges li.cut .tslens-edge-name { text-decoration: line-through; }
.tslens-edges .number { color: var(--ink-soft); }
.tslens-edges button { min-height: 20px; padding: 0 6px; font-size: 11px; }
.tslens-edges .tslens-edge-name { flex: 1; text-align: left; border: none; background: none; padding: 0; font-family: var(--jp-code-font-family, ui-monospace, Menlo, Consolas, monospace); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.tslens-acdc .tslens-keys-help { color: var(--ink-soft); margin-top: 4px; display: flex; flex-wrap: wrap; gap: 2px 12px; font-size: 11px; }
.tslens-keys-help > span { display: inline-flex; gap: 4px; align-items: center; }
`;
