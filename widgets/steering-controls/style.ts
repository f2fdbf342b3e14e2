/** What the steering controls look like beyond what all widgets share. */
export const steeringStyle = `
.tslens-steering { container-type: inline-size; }
.tslens-prompt { width: 100%; margin-bottom: 8px; }
.tslens-steering textarea { width: 100%; resize: vertical; min-height: 44px; font-size: 13px; }
.tslens-steering input[type="number"] { width: 76px; }
.tslens-bar.direction .tslens-field:has(input) { flex: 1 1 200px; }
.tslens-bar.direction input { width: 100%; }
.tslens-bar.direction { padding: 6px 8px; background: var(--panel-soft); border-radius: 4px; }
.tslens-coefficient { flex: 1 1 240px; }
.tslens-coefficient .tslens-slider { display: flex; gap: 8px; align-items: center; }
.tslens-coefficient input[type="range"] { flex: 1; min-width: 80px; accent-color: var(--accent); margin: 0; height: 24px; }
.tslens-pair { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 8px; }
@container (max-width: 520px) { .tslens-pair { grid-template-columns: minmax(0, 1fr); } }
.tslens-pair > .tslens-card { display: grid; grid-row: span 3; grid-template-rows: subgrid; row-gap: 0; }
.tslens-card { border: 1px solid var(--line); border-radius: 4px; background: var(--panel); padding: 6px 8px; min-width: 0; }
.tslens-card h4 { margin: 0 0 4px; font: inherit; font-weight: 600; font-size: 12px; color: var(--ink-soft); display: flex; gap: 6px; flex-wrap: wrap; }
.tslens-card h4 b { color: var(--ink); }
.tslens-text { font-size: 13px; line-height: 1.55; white-space: pre-wrap; overflow-wrap: anywhere; min-height: 3.1em; }
.tslens-text .prompt { color: var(--ink-soft); }
.tslens-text ins, .tslens-text del {
  font-weight: 700; text-decoration: underline; text-decoration-thickness: 2px; text-underline-offset: 3px; color: var(--ink);
  border-radius: 2px; background: none;
}
.tslens-text ins { text-decoration-color: #2f81e0; background: rgb(47 129 224 / 14%); }
.tslens-text del { text-decoration-style: dashed; text-decoration-color: #d9622b; background: rgb(217 98 43 / 12%); }
.tslens-text .cursor { display: inline-block; width: 7px; height: 1em; vertical-align: -2px; background: var(--accent); animation: tslens-blink 1s steps(2) infinite; }
@keyframes tslens-blink { 50% { opacity: 0; } }
.tslens-steering.stale .tslens-pair { opacity: 0.55; transition: opacity 0.2s 0.2s; }
.tslens-bars { width: 100%; border-collapse: collapse; margin: 6px 0 0 !important; table-layout: fixed; font-size: 11px; border: none; }
.tslens-bars caption { text-align: left; color: var(--ink-soft); padding: 0 0 2px; caption-side: top; }
.tslens-bars tr { background: none !important; }
.tslens-bars th, .tslens-bars td { padding: 1px 4px 1px 0; border: none; height: 17px; background: none; text-align: left; font-weight: 400; }
.tslens-bars th { width: 34%; max-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-family: var(--jp-code-font-family, ui-monospace, Menlo, Consolas, monospace); color: var(--ink); }
.tslens-bars td.number { width: 52px; text-align: right; padding-right: 0; color: var(--ink); }
.tslens-bars td.change { width: 18px; text-align: center; padding: 0; color: var(--ink-soft); }
.tslens-track { display: block; position: relative; height: 10px; background: var(--panel-soft); border-radius: 2px; }
.tslens-track i { position: absolute; left: 0; top: 0; bottom: 0; border-radius: 2px; }
.tslens-track i.here { background: #5b8fc7; min-width: 1px; }
.steered .tslens-track i.here { background: #2f81e0; }
.tslens-track i.there { width: 2px; margin-left: -1px; top: -2px; bottom: -2px; background: var(--ink); border-radius: 0; }
.tslens-steering select { max-width: 260px; }
.tslens-status { color: var(--ink-soft); min-width: 96px; line-height: 24px; }
`;
