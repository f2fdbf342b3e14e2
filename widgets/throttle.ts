/** Calls `act` at most once in `interval` milliseconds, and soon after the last request. */
export interface Throttle {
  /** Asks for a call: at once where the last was long ago, else when the interval is over. */
  soon(): void;
  /** Calls now. */
  now(): void;
  /** Forgets what was asked for. */
  cancel(): void;
}

/** Makes a throttle. A timer that the host has ended is made up for by the next request. */
export function throttle(act: () => void, interval: number): Throttle {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = -Infinity;
  const now = (): void => {
    clearTimeout(timer);
    timer = undefined;
    last = performance.now();
    act();
  };
  return {
    now,
    soon() {
      const wait = last + interval - performance.now();
      if (timer !== undefined && wait < 0) now();
      else timer ??= setTimeout(now, Math.max(0, wait));
    },
    cancel() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
