/** The signs on the buttons, drawn: fonts lack them. On a square of 16. */
export const icons = {
  start: "M2 3h2v10H2zM14 3v10L9 8zM9 3v10L4 8z",
  back: "M3 3h2v10H3zM13 3v10L5.5 8z",
  play: "M4 2.5v11L13.5 8z",
  pause: "M3.5 3h3.2v10H3.5zM9.3 3h3.2v10H9.3z",
  forward: "M11 3h2v10h-2zM3 3v10L10.5 8z",
  end: "M12 3h2v10h-2zM2 3v10L7 8zM7 3v10L12 8z",
  stop: "M3.5 3.5h9v9h-9z",
} as const;

/** Draws a sign. */
export function iconOf(name: keyof typeof icons): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", icons[name]);
  svg.append(path);
  return svg;
}
