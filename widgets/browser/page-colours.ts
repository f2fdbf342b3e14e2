import type { Theme } from "../colour.js";

/** The colours and the font of the page, for what is drawn on canvases. */
export interface PageColours {
  readonly theme: Theme;
  readonly ink: string;
  readonly soft: string;
  readonly page: string;
  readonly panel: string;
  readonly line: string;
  readonly accent: string;
  readonly hatch: string;
  readonly odd: string;
  readonly font: string;
}

/** Reads them where a view stands. */
export function pageColours(root: HTMLElement): PageColours {
  const style = getComputedStyle(root);
  const value = (name: string): string => style.getPropertyValue(name).trim();
  return {
    theme: root.dataset.theme as Theme,
    ink: value("--ink"),
    soft: value("--ink-soft"),
    page: value("--page"),
    panel: value("--panel-soft"),
    line: value("--line"),
    accent: value("--accent"),
    hatch: value("--hatch"),
    odd: value("--odd"),
    font: style.fontFamily,
  };
}
