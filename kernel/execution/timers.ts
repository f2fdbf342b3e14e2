import { createRequire, syncBuiltinESMExports } from "node:module";
import { currentContext, runInContext } from "./context.js";

const require = createRequire(import.meta.url);

/** Whoever keeps the timers that it started, to end them. */
export interface TimerOwner {
  readonly timers: Set<() => void>;
  /** Whether they have been ended: one that is set later never fires. */
  readonly stopped: boolean;
}

function ownerOf(context: unknown): TimerOwner | undefined {
  return typeof context === "object" && context !== null && "timers" in context
    ? (context as TimerOwner)
    : undefined;
}

/**
 * Makes the global timers, and `queueMicrotask`, carry the context of the code that set them, and note them with their
 * owner so that an interrupt can end them.
 *
 * The callback runs as a microtask: one that is terminated inside Node's own timer code would leave the core's stack
 * of contexts in disorder, and Node aborts the process then.
 */
export function hookTimers(): void {
  const { setTimeout, setInterval, setImmediate, clearTimeout, clearImmediate } = globalThis;
  const hook = <Set extends (callback: (...args: never[]) => void, ...rest: never[]) => object>(
    set: Set,
    clear: (handle: never) => void,
    once: boolean,
  ): Set => {
    const hooked = (callback: (...args: unknown[]) => void, ...rest: unknown[]): unknown => {
      if (typeof callback !== "function") return Reflect.apply(set, globalThis, [callback, ...rest]);
      const context = currentContext();
      const owner = ownerOf(context);
      const fire = (...args: unknown[]): void => {
        if (once) owner?.timers.delete(end);
        runInContext(context, () => {
          void Promise.resolve().then(() => callback(...args));
        });
      };
      const handle = Reflect.apply(set, globalThis, [fire, ...rest]);
      const end = (): void => clear(handle as never);
      if (owner?.stopped) end();
      else owner?.timers.add(end);
      return handle;
    };
    // `util.promisify(setTimeout)` and the like read properties of the original.
    return Object.defineProperties(hooked, Object.getOwnPropertyDescriptors(set)) as unknown as Set;
  };
  const queueMicrotask = (callback: () => void): void => {
    if (typeof callback !== "function")
      throw new TypeError(`queueMicrotask takes a function; ${typeof callback} came.`);
    void Promise.resolve().then(callback);
  };
  Object.assign(globalThis, { queueMicrotask });
  const hooked = {
    setTimeout: hook(setTimeout as never, clearTimeout as never, true),
    setInterval: hook(setInterval as never, clearTimeout as never, false),
    setImmediate: hook(setImmediate as never, clearImmediate as never, true),
  };
  Object.assign(globalThis, hooked);
  // The same functions, for those who import them.
  Object.assign(require("node:timers") as object, hooked);
  syncBuiltinESMExports();
}
