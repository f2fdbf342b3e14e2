import { currentWork, type Work } from "./cell.js";
import { currentContext, runInContext } from "./context.js";

/**
 * Runs work that goes on behind its cell: what it prints and shows still belongs to the cell, but the cell's end does not
 * end it, an interrupt of any cell does, and no progress bar is drawn for it.
 */
export function quietly<T>(run: () => T): T {
  const work = currentWork();
  const context: Work | undefined = work && { parent: work.parent, request: work.request, quiet: true };
  return runInContext(context ?? currentContext(), run);
}
