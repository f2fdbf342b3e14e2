/**
 * Draws a Vega-Lite specification, or one of Vega itself, without a browser. Vega is loaded when the first chart is
 * drawn, not before.
 *
 * @throws Error where the specification is none that can be drawn
 */
export async function renderSvg(spec: Readonly<Record<string, unknown>>): Promise<string> {
  const [vega, vegaLite] = await Promise.all([import("vega"), import("vega-lite")]);
  const isVega = /\/schema\/vega\//.test(String(spec.$schema));
  const compiled = isVega
    ? (spec as import("vega").Spec)
    : vegaLite.compile(spec as unknown as Parameters<typeof vegaLite.compile>[0]).spec;
  const view = new vega.View(vega.parse(compiled), { renderer: "none" });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}
