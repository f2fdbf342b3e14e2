/** What the patching explorer looks like beyond what all widgets share. */
export const explorerStyle = `
.tslens-patching { container-type: inline-size; }
.tslens-prompts { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 6px 10px; margin-bottom: 6px; }
@container (max-width: 560px) { .tslens-prompts { grid-template-columns: minmax(0, 1fr); } }
.tslens-patching textarea { width: 100%; resize: vertical; min-height: 44px; font-size: 13px; }
.tslens-patching select { max-width: 145px; }
.tslens-patching input[type="text"] { width: 76px; font-family: var(--jp-code-font-family, ui-monospace, Menlo, Consolas, monospace); white-space: pre; }
.tslens-scroll { overflow-x: auto; max-width: 100%; scrollbar-width: thin; padding: 2px; }
.tslens-patching table { border-collapse: collapse; margin: 0 !important; border: none; font-size: 11px; width: auto; }
.tslens-patching tr { background: none !important; }
.tslens-patching th, .tslens-patching td { border: none; padding: 1px 4px; font-weight: 400; background: none; text-align: left; vertical-align: middle; max-width: none; }
.tslens-patching caption { text-align: left; color: var(--ink-soft); padding: 0 0 2px; caption-side: top; white-space: nowrap; }
.tslens-pairs { margin-bottom: 6px !important; }
.tslens-pairs th { color: var(--ink-soft); }
.tslens-pairs td, .tslens-next th[scope="row"] { font-family: var(--jp-code-font-family, ui-monospace, Menlo, Consolas, monospace); white-space: nowrap; }
.tslens-pairs td { text-align: center !important; border-left: 1px solid var(--line) !important; }
.tslens-pairs mark { color: inherit; font-weight: 700; text-decoration: underline; text-decoration-thickness: 2px; text-underline-offset: 3px; background: rgb(47 129 224 / 16%); border-radius: 2px; padding: 0 1px; }
.tslens-status { color: var(--ink-soft); line-height: 24px; }
.tslens-patching progress { width: 140px; height: 10px; align-self: center; accent-color: var(--accent); }
.tslens-found { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 10px; align-items: start; }
@container (max-width: 760px) { .tslens-found { grid-template-columns: minmax(0, 1fr); } }
.tslens-patching.stale .tslens-map, .tslens-patching.stale .tslens-next { opacity: 0.5; transition: opacity 0.2s 0.2s; }
.tslens-map { border-collapse: separate !important; border-spacing: 1px; width: 100% !important; table-layout: fixed; }
.tslens-map caption { caption-side: bottom; }
.tslens-map th[scope="row"], .tslens-map .corner { width: 68px; text-align: right !important; color: var(--ink); white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.tslens-map .corner { color: var(--ink-soft); vertical-align: bottom !important; }
.tslens-map th[scope="col"] { text-align: center !important; overflow: hidden; white-space: nowrap; font-family: var(--jp-code-font-family, ui-monospace, Menlo, Consolas, monospace); padding: 1px 0 !important; }
.tslens-map.upright th[scope="col"] { height: 86px; vertical-align: bottom !important; }
.tslens-map.upright th[scope="col"] span { writing-mode: vertical-rl; transform: rotate(180deg); max-height: 84px; overflow: hidden; text-overflow: ellipsis; display: inline-block; }
.tslens-map td[role="gridcell"] { height: 24px; min-width: 12px; text-align: center !important; padding: 0 !important; cursor: pointer; font-size: 11px; overflow: hidden; border-radius: 2px; box-shadow: inset 0 0 0 1px var(--line); }
.tslens-map.narrow td[role="gridcell"] { font-size: 0; }
.tslens-map td.unknown { color: var(--ink-soft); background: repeating-linear-gradient(135deg, var(--hatch) 0 2px, transparent 2px 5px) !important; }
.tslens-map td[aria-selected="true"] { box-shadow: inset 0 0 0 2px var(--page), 0 0 0 2px var(--ink); font-weight: 700; }
.tslens-map td:focus-visible { outline: 3px solid var(--odd); outline-offset: 1px; }
.tslens-legend { display: flex; flex-wrap: wrap; gap: 2px 12px; align-items: center; margin-top: 6px; color: var(--ink-soft); }
.tslens-scale { display: inline-flex; align-items: center; gap: 6px; color: var(--ink); }
.tslens-ramp { position: relative; width: 160px; height: 10px; border-radius: 2px; border: 1px solid var(--line); }
.tslens-ramp i { position: absolute; top: -4px; bottom: -4px; width: 2px; margin-left: -1px; background: var(--ink); }
.tslens-readout { margin-top: 4px; min-height: 1.4em; overflow-wrap: anywhere; }
.tslens-card { border: 1px solid var(--line); border-radius: 4px; background: var(--panel); padding: 6px 8px; min-width: 0; }
.tslens-card h4 { margin: 0 0 2px; font: inherit; font-weight: 600; }
.tslens-next { width: 100% !important; table-layout: fixed; }
.tslens-next th[scope="col"] { color: var(--ink-soft); padding-bottom: 3px !important; line-height: 1.2; }
.tslens-next th[scope="row"] { overflow: hidden; text-overflow: ellipsis; color: var(--ink); }
.tslens-next th.patched { color: var(--ink); font-weight: 600; }
.tslens-next td { white-space: nowrap; color: var(--ink); }
.tslens-next .number { display: block; line-height: 1.2; text-align: left; }
.tslens-track { display: block; position: relative; height: 6px; margin-top: 2px; background: var(--panel-soft); border-radius: 2px; }
.tslens-track i { position: absolute; left: 0; top: 0; bottom: 0; border-radius: 2px; min-width: 1px; background: #8a94a3; }
.tslens-next .patched .tslens-track i { background: #2f81e0; }
`;
