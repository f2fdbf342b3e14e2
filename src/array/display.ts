/** The keys under which values say how they are shown: all that the engine knows of notebooks and consoles. */

/** The key of the method that notebooks call to show a value: the protocol of Deno, which the kernel honours. */
export const displaySymbol: unique symbol = Symbol.for("Jupyter.display");

/** The key of the method that Node's and Deno's consoles call to show a value. */
export const inspectSymbol: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/** What a front end may show: content by MIME type. */
export type MimeBundle = Record<string, unknown>;
