/** What the progress bar looks like beyond what all widgets share. */
export const progressStyle = `
.tslens-progress { padding: 6px 10px; }
.tslens-progress .tslens-line { display: flex; flex-wrap: wrap; gap: 2px 12px; align-items: center; }
.tslens-progress .task { font-weight: 600; }
.tslens-progress .parts { color: var(--ink-soft); flex: 1 1 auto; }
.tslens-progress .track { height: 8px; margin-top: 5px; background: var(--panel-soft); border: 1px solid var(--line); border-radius: 4px; overflow: hidden; }
.tslens-progress .track i { display: block; height: 100%; background: #2f81e0; }
.tslens-progress .track.endless i { width: 30%; animation: tslens-slide 1.6s linear infinite; }
@keyframes tslens-slide { from { margin-left: -30%; } to { margin-left: 100%; } }
.tslens-progress svg { display: block; margin-top: 6px; max-width: 100%; }
.tslens-progress polyline { fill: none; stroke: #2f81e0; stroke-width: 1.5; vector-effect: non-scaling-stroke; }
`;
