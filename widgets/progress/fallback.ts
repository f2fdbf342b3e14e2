import type { MimeBundle } from "../host.js";
import { escapeHtml } from "../text.js";
import { curveOf, curveSize } from "./curve.js";
import type { ProgressState } from "./state.js";
import { progressText } from "./text.js";

/** The bar as a line of text; with a curve as HTML too, without scripts, for places where no widget runs. */
export function progressFallback(state: ProgressState): MimeBundle {
  const text = progressText(state);
  const curve = state.curve && curveOf(state.curve);
  if (!curve) return { "text/plain": text };
  const { width, height } = curveSize;
  const label = escapeHtml(curve.label);
  return {
    "text/plain": text,
    "text/html":
      `<pre style="margin: 0">${escapeHtml(text)}</pre>` +
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" role="img" aria-label="${label}">` +
      `<title>${label}</title><polyline points="${curve.line}" fill="none" stroke="#2f81e0" stroke-width="1.5"/></svg>`,
  };
}
