import type { Theme } from "../colour.js";

/** Whether an element stands on a dark page: as the host says, else as the page's own background shows. */
export function themeOf(element: HTMLElement): Theme {
  const { dataset, classList } = document.body;
  if (dataset.jpThemeLight !== undefined) return dataset.jpThemeLight === "false" ? "dark" : "light";
  if (classList.contains("vscode-dark") || classList.contains("vscode-high-contrast")) return "dark";
  if (classList.contains("vscode-light")) return "light";
  for (let parent = element.parentElement; parent; parent = parent.parentElement) {
    const [red, green, blue, alpha = 1] = (
      getComputedStyle(parent).backgroundColor.match(/[\d.]+/g) ?? []
    ).map(Number);
    if (red !== undefined && alpha > 0.5)
      return 0.3 * red + 0.59 * green! + 0.11 * blue! < 128 ? "dark" : "light";
  }
  const schemes = getComputedStyle(document.documentElement).colorScheme;
  return schemes.includes("dark") && matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** Keeps `data-theme` of a view's root right, and calls back when it has changed. */
export function watchTheme(root: HTMLElement, changed: () => void): () => void {
  const update = (): void => {
    const theme = themeOf(root);
    if (root.dataset.theme === theme) return;
    root.dataset.theme = theme;
    changed();
  };
  const observer = new MutationObserver(update);
  const watched = { attributes: true, attributeFilter: ["data-jp-theme-light", "class", "style"] };
  observer.observe(document.body, watched);
  observer.observe(document.documentElement, watched);
  const preference = matchMedia("(prefers-color-scheme: dark)");
  preference.addEventListener("change", update);
  // A view is rendered before it stands in the page, where its surroundings show.
  const frame = requestAnimationFrame(update);
  update();
  return () => {
    observer.disconnect();
    preference.removeEventListener("change", update);
    cancelAnimationFrame(frame);
  };
}
