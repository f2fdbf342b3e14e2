/** The method by which a value shows itself: it returns a MIME bundle, or a promise of one. Deno's kernel calls it too. */
export const DISPLAY: unique symbol = Symbol.for("Jupyter.display") as never;
