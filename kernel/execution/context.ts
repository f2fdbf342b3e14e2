/**
 * Which request the code that runs now belongs to, across awaits and timers.
 *
 * This is what `AsyncLocalStorage` does; but up to Node 22 that keeps a stack of contexts in Node's core, and a cell
 * that is terminated leaves its entries on it, whereupon Node aborts the process. The hooks used here leave nothing
 * in the core.
 */
import { promiseHooks } from "node:v8";

const key = Symbol("tslens.context");
type Marked = Promise<unknown> & { [key]?: unknown };

let current: unknown;
let outer: unknown[] = [];
let installed = false;

function install(): void {
  if (installed) return;
  installed = true;
  promiseHooks.createHook({
    init(promise) {
      if (current !== undefined) (promise as Marked)[key] = current;
    },
    before(promise) {
      outer.push(current);
      current = (promise as Marked)[key];
    },
    after() {
      current = outer.pop();
    },
  });
}

/** The context of the code that runs now; undefined where it cannot be known (a native callback). */
export function currentContext(): unknown {
  return current;
}

/** Runs a function, and everything that it starts, in a context. */
export function runInContext<T>(context: unknown, run: () => T): T {
  install();
  const before = current;
  current = context;
  try {
    return run();
  } finally {
    current = before;
  }
}

/** Forgets what terminated code has left behind. Called where nothing runs: at the start of a turn of the event loop. */
export function resetContext(): void {
  current = undefined;
  outer = [];
}
