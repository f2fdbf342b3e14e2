import type { Theme } from "../colour.js";

/** The colours of edges by the input that they lead into (Okabe and Ito's, for readers with any colour vision). */
export const edgeColours: Record<Theme, Record<"other" | "q" | "k" | "v", string>> = {
  light: { other: "#57606a", q: "#0072b2", k: "#e08e00", v: "#009e73" },
  dark: { other: "#c3cad4", q: "#56b4e9", k: "#f2b32c", v: "#2ecb9c" },
};

/** The colours of what happens to edges; each has a dash and a mark of its own besides. */
export const stateColours: Record<Theme, Record<"removed" | "cut" | "tested" | "untested", string>> = {
  light: { removed: "#d1481a", cut: "#a8397e", tested: "#1f2328", untested: "#8a94a0" },
  dark: { removed: "#ff8a57", cut: "#f08bc9", tested: "#ffffff", untested: "#76818f" },
};
